#include "api/http/gate.h"

#include <algorithm>

namespace atelier::api::http {
namespace {

constexpr size_t kMaxAddresses = 10'000;
constexpr size_t kMaxKeyBytes = 4096;
constexpr double kFailureBurst = 100;
constexpr double kFailuresPerSecond = 20;

std::string Lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool IsPort(std::string_view text) {
  return !text.empty() && text.size() <= 5 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

double FailureLimiter::TokensNow(const Bucket& bucket, int64_t now_ns) const {
  return std::min(burst_, bucket.tokens + static_cast<double>(now_ns - bucket.at_ns) * 1e-9 * per_second_);
}

void FailureLimiter::Trim(Buckets& buckets, int64_t now_ns) const {
  std::erase_if(buckets, [&](const auto& entry) { return TokensNow(entry.second, now_ns) >= burst_; });
  if (buckets.size() >= kMaxAddresses) {
    buckets.clear();
  }
}

bool FailureLimiter::Allow(const std::string& address) {
  const int64_t now_ns = clock_.MonotonicNs();
  return buckets_.With([&](Buckets& buckets) {
    auto found = buckets.find(address);
    if (found == buckets.end()) {
      if (buckets.size() >= kMaxAddresses) {
        Trim(buckets, now_ns);
      }
      found = buckets.emplace(address, Bucket{burst_, now_ns}).first;
    }
    Bucket& bucket = found->second;
    bucket.tokens = TokensNow(bucket, now_ns);
    bucket.at_ns = now_ns;
    if (bucket.tokens < 1) {
      return false;
    }
    bucket.tokens -= 1;
    return true;
  });
}

std::string HostName(std::string_view host) {
  if (host.starts_with('[')) {
    const auto end = host.find(']');
    if (end == std::string_view::npos) {
      return {};
    }
    const auto rest = host.substr(end + 1);
    return rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1))) ? Lowered(host.substr(0, end + 1)) : "";
  }
  const auto colon = host.find(':');
  if (colon != std::string_view::npos && !IsPort(host.substr(colon + 1))) {
    return {};
  }
  return Lowered(host.substr(0, colon));
}

Gate::Gate(const access::Keys& keys, Clock& clock, std::vector<std::string> hosts)
    : keys_(keys), hosts_(std::move(hosts)), failures_(clock, kFailureBurst, kFailuresPerSecond) {
  for (auto& host : hosts_) {
    const bool bare_v6 = host.find(':') != host.rfind(':') && !host.starts_with('[');
    host = Lowered(bare_v6 ? "[" + host + "]" : host);
  }
  hosts_.insert(hosts_.end(), {"localhost", "127.0.0.1", "[::1]"});
}

Status Gate::CheckOrigin(const Head& head, const std::string& authority, std::string_view local_address) const {
  const std::string_view host = authority.empty() ? head.Find("host").value_or("") : std::string_view(authority);
  const std::string name = HostName(host);
  const bool anonymous = host.empty() && head.minor_version == 0;
  const bool known = std::find(hosts_.begin(), hosts_.end(), name) != hosts_.end() ||
                     (!name.empty() && (name == local_address || name == "[" + std::string(local_address) + "]"));
  if (!anonymous && !known) {
    return MakeError(Code::kPermissionDenied, "this server does not answer for that host", "misdirected_request");
  }
  if (head.Count("origin") == 0) {
    return {};
  }
  const std::string_view origin = *head.Find("origin");
  const bool same = head.Count("origin") == 1 && !host.empty() &&
                    (EqualIgnoringCase(origin, "http://" + std::string(host)) ||
                     EqualIgnoringCase(origin, "https://" + std::string(host)));
  if (!same) {
    return MakeError(Code::kPermissionDenied, "requests of pages from elsewhere are refused", "forbidden_origin");
  }
  return {};
}

Result<access::Key> Gate::Authenticate(const Head& head, const std::string& remote) {
  static constexpr std::string_view kScheme = "Bearer ";
  const auto header = head.Find("authorization");
  // Anthropic's clients have a header of their own.
  const auto own = head.Find("x-api-key");
  std::string_view secret;
  if (header.has_value()) {
    const bool formed = head.Count("authorization") == 1 && header->starts_with(kScheme);
    secret = formed ? header->substr(kScheme.size()) : "";
  } else if (own.has_value() && head.Count("x-api-key") == 1) {
    secret = *own;
  }
  if (!secret.empty() && secret.size() <= kMaxKeyBytes) {
    auto key = keys_.Authenticate(secret);
    if (key.ok() || key.error().code != Code::kUnauthenticated) {
      return key;
    }
  }
  if (!failures_.Allow(remote)) {
    Error error = MakeError(Code::kResourceExhausted, "too many failed authentications", "rate_limit_exceeded");
    error.retry_after_s = 1;
    return error;
  }
  return MakeError(Code::kUnauthenticated, "the API key is missing or not valid", "invalid_api_key");
}

}  // namespace atelier::api::http
