#include "hub/reference.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "base/ids.h"
#include "hub/choose.h"
#include "hub/url.h"

namespace atelier::hub {
namespace {

constexpr size_t kMaxTextBytes = 4096;
constexpr size_t kMaxWordBytes = 128;
constexpr size_t kMaxPathBytes = 512;
constexpr std::string_view kFragment = "#sha256=";

Error Bad(const std::string& what) {
  return InvalidArgument(what +
                             "; a model is hf:ORG/NAME[:FILE][@REVISION], modelscope:ORG/NAME[:FILE][@REVISION], "
                             "ollama:NAME[:TAG] or https://...",
                         "source", "invalid_reference");
}

bool IsWordLetter(char c) {
  return (std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80) || c == '-' ||
         c == '_' || c == '.';
}

// Of a repository's name, a tag: what can be a segment of a URL and no other.
bool IsWord(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWordBytes && text.front() != '.' &&
         text.find("..") == std::string_view::npos && std::ranges::all_of(text, IsWordLetter);
}

bool IsRevision(std::string_view text) {
  return IsPlainPath(text) && std::ranges::all_of(text, [](char c) { return IsWordLetter(c) || c == '/' || c == '+'; });
}

// host or host:port
bool IsHost(std::string_view text) {
  const auto colon = text.find(':');
  const auto port = colon == std::string_view::npos ? "1" : text.substr(colon + 1);
  return IsWord(text.substr(0, colon)) && !port.empty() && port.size() <= 5 &&
         std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; });
}

std::vector<std::string> Split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(separator, begin), text.size());
    parts.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

Result<Reference> ParseRepository(Hub hub, std::string_view text) {
  Reference reference;
  reference.hub = hub;
  if (const auto at = text.rfind('@'); at != std::string_view::npos) {
    reference.revision = text.substr(at + 1);
    text = text.substr(0, at);
    if (!IsRevision(reference.revision)) {
      return Bad("the revision after '@' is not one");
    }
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    reference.file = text.substr(colon + 1);
    text = text.substr(0, colon);
    if (!IsPlainPath(reference.file)) {
      return Bad("the file after ':' must be a relative path without '..'");
    }
  }
  const auto words = Split(text, '/');
  // Hugging Face still has models of its first days, which are in no organisation.
  const bool counted = words.size() == 2 || (words.size() == 1 && hub == Hub::kHuggingFace);
  if (!counted || !std::ranges::all_of(words, IsWord)) {
    return Bad("'" + std::string(text) + "' is no ORG/NAME");
  }
  reference.repository = text;
  return reference;
}

Result<Reference> ParseOllama(std::string_view text) {
  Reference reference;
  reference.hub = Hub::kOllama;
  reference.revision = "latest";
  auto words = Split(text, '/');
  std::string& last = words.back();
  if (const auto colon = last.find(':'); colon != std::string::npos) {
    reference.revision = last.substr(colon + 1);
    last.resize(colon);
  }
  if (words.size() == 3) {
    reference.host = words.front();
    words.erase(words.begin());
    if (!IsHost(reference.host)) {
      return Bad("'" + reference.host + "' is no host");
    }
  } else if (words.size() == 1) {
    words.insert(words.begin(), "library");
  }
  if (words.size() != 2 || !std::ranges::all_of(words, IsWord) || !IsWord(reference.revision)) {
    return Bad("'" + std::string(text) + "' is no NAME[:TAG]");
  }
  reference.repository = words[0] + "/" + words[1];
  return reference;
}

Result<Reference> ParseFileUrl(std::string_view text) {
  Reference reference;
  if (const auto hash = text.find('#'); hash != std::string_view::npos) {
    const auto fragment = text.substr(hash);
    if (!fragment.starts_with(kFragment) || !IsSha256(fragment.substr(kFragment.size()))) {
      return Bad("the fragment of a URL can only be #sha256= and 64 lower-case hexadecimal digits");
    }
    reference.sha256 = fragment.substr(kFragment.size());
    text = text.substr(0, hash);
  }
  ATELIER_ASSIGN(url, ParseUrl(std::string(text)));
  if (!IsPlainPath(LastSegment(url.path))) {
    return Bad("the URL does not end in the name of a file");
  }
  reference.url = std::move(url.text);
  return reference;
}

struct Prefix {
  std::string_view text;
  Hub hub;
};
constexpr Prefix kPrefixes[] = {{"hf:", Hub::kHuggingFace},        {"huggingface:", Hub::kHuggingFace},
                                {"modelscope:", Hub::kModelScope}, {"ollama:", Hub::kOllama},
                                {"https://", Hub::kUrl},           {"http://", Hub::kUrl}};

const Prefix* PrefixOf(std::string_view text) {
  const auto* found =
      std::ranges::find_if(kPrefixes, [&](const Prefix& prefix) { return text.starts_with(prefix.text); });
  return found == std::end(kPrefixes) ? nullptr : found;
}

constexpr Prefix kHosts[] = {{"hf.co/", Hub::kHuggingFace},
                             {"huggingface.co/", Hub::kHuggingFace},
                             {"modelscope.cn/", Hub::kModelScope},
                             {"modelscope.ai/", Hub::kModelScope}};

}  // namespace

Result<Reference> ParseReference(std::string_view text) {
  if (text.size() > kMaxTextBytes) {
    return Bad("the reference is too long");
  }
  const Prefix* prefix = PrefixOf(text);
  if (prefix == nullptr) {
    return Bad("'" + std::string(text) + "' names no hub");
  }
  const auto rest = text.substr(prefix->text.size());
  if (prefix->hub == Hub::kUrl) {
    return ParseFileUrl(text);
  }
  return prefix->hub == Hub::kOllama ? ParseOllama(rest) : ParseRepository(prefix->hub, rest);
}

Result<Reference> ParseOllamaName(std::string_view name) {
  if (name.size() > kMaxTextBytes) {
    return Bad("the name is too long");
  }
  if (PrefixOf(name) != nullptr) {
    return ParseReference(name);
  }
  for (const Prefix& host : kHosts) {
    if (name.starts_with(host.text)) {
      ATELIER_ASSIGN(reference, ParseRepository(host.hub, name.substr(host.text.size())));
      if (reference.file == "latest") {
        reference.file.clear();
      }
      return reference;
    }
  }
  return ParseOllama(name);
}

std::string ToText(const Reference& reference) {
  switch (reference.hub) {
    case Hub::kHuggingFace:
    case Hub::kModelScope:
      return (reference.hub == Hub::kHuggingFace ? "hf:" : "modelscope:") + reference.repository +
             (reference.file.empty() ? "" : ":" + reference.file) +
             (reference.revision.empty() ? "" : "@" + reference.revision);
    case Hub::kOllama: {
      const std::string& name = reference.repository;
      return "ollama:" + (reference.host.empty() ? "" : reference.host + "/") +
             (reference.host.empty() && name.starts_with("library/") ? name.substr(8) : name) + ":" +
             reference.revision;
    }
    case Hub::kUrl:
      break;
  }
  return reference.url + (reference.sha256.empty() ? "" : std::string(kFragment) + reference.sha256);
}

bool IsPlainPath(std::string_view path) {
  if (path.empty() || path.size() > kMaxPathBytes || !IsUtf8(path)) {
    return false;
  }
  const bool strange =
      std::ranges::any_of(path, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f || c == '\\'; });
  const auto segments = Split(path, '/');
  return !strange && std::ranges::none_of(segments, [](const std::string& segment) {
    return segment.empty() || segment == "." || segment == "..";
  });
}

std::string PlainName(std::string_view text) {
  std::string name;
  for (const char c : text.substr(0, kMaxWordBytes)) {
    const bool doubled = c == '.' && name.ends_with('.');
    const bool plain = IsWordLetter(c) && !doubled;
    if (!name.empty() || (plain && c != '.' && c != '-' && c != '_')) {
      name += plain ? c : '-';
    }
  }
  return ValidateName(name, "model").ok() ? name : "model";
}

std::string ModelNameOf(const Reference& reference) {
  std::string name;
  if (reference.hub == Hub::kUrl) {
    const auto url = ParseUrl(reference.url);
    name = url.ok() ? LastSegment(url->path) : "";
    name = name.substr(0, name.rfind('.'));
  } else {
    name = reference.repository.substr(reference.repository.find('/') + 1);
    if (reference.hub == Hub::kOllama && reference.revision != "latest") {
      name += "-" + reference.revision;
    }
  }
  // "story-00001-of-00002" is the model "story".
  if (const auto split = ParseSplitName(name + ".gguf"); split.has_value()) {
    name = split->front;
  }
  return PlainName(name);
}

}  // namespace atelier::hub
