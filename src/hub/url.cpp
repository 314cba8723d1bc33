#include "hub/url.h"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/ids.h"

namespace atelier::hub {
namespace {

constexpr size_t kMaxUrlBytes = 8192;

using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

Error Refused(const std::string& why) { return InvalidArgument("the URL " + why, "source", "url_not_allowed"); }

std::string Part(CURLU* handle, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(handle, part, &text, flags) != CURLUE_OK) {
    return "";
  }
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool HasControls(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' ' || c == 0x7f; });
}

Result<Url> Read(CURLU* handle) {
  curl_url_set(handle, CURLUPART_FRAGMENT, nullptr, 0);
  Url url{Part(handle, CURLUPART_URL), Part(handle, CURLUPART_SCHEME), Part(handle, CURLUPART_HOST),
          Part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT), Part(handle, CURLUPART_PATH)};
  if (url.scheme != "https" && url.scheme != "http") {
    return Refused("is neither https:// nor http://");
  }
  if (!Part(handle, CURLUPART_USER).empty() || !Part(handle, CURLUPART_PASSWORD).empty()) {
    return Refused("holds a user name or a password");
  }
  if (url.host.empty() || url.text.size() > kMaxUrlBytes) {
    return Refused("has no host, or is too long");
  }
  std::ranges::transform(url.host, url.host.begin(), [](unsigned char c) { return std::tolower(c); });
  return url;
}

}  // namespace

Result<Url> ParseUrl(const std::string& text) {
  const Handle handle(curl_url(), curl_url_cleanup);
  if (handle == nullptr || text.size() > kMaxUrlBytes || HasControls(text) ||
      curl_url_set(handle.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) {
    return Refused("cannot be read");
  }
  return Read(handle.get());
}

Result<Url> ResolveUrl(const Url& base, const std::string& location) {
  const Handle handle(curl_url(), curl_url_cleanup);
  // The second call resolves: libcurl takes a relative URL as seen from what the handle holds.
  if (handle == nullptr || location.size() > kMaxUrlBytes || HasControls(location) ||
      curl_url_set(handle.get(), CURLUPART_URL, base.text.c_str(), 0) != CURLUE_OK ||
      curl_url_set(handle.get(), CURLUPART_URL, location.c_str(), 0) != CURLUE_OK) {
    return Refused("of a redirect cannot be read");
  }
  return Read(handle.get());
}

std::string EncodeUrl(std::string_view text, bool slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~' || (slashes && c == '/');
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return out;
}

std::string LastSegment(const std::string& path) {
  const std::string encoded = path.substr(path.rfind('/') + 1);
  int length = 0;
  char* decoded = curl_easy_unescape(nullptr, encoded.c_str(), static_cast<int>(encoded.size()), &length);
  if (decoded == nullptr) {
    return "";
  }
  std::string text(decoded, static_cast<size_t>(length));
  curl_free(decoded);
  return IsUtf8(text) ? text : "";
}

}  // namespace atelier::hub
