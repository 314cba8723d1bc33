// /v1/keys, for owners only.
#include "access/keys.h"

#include "api/handlers.h"
#include "base/clock.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMaxSeconds = 253'402'300'799;  // the year 9999

json::value TimeOrNull(const std::optional<int64_t>& unix_ms) {
  return unix_ms.has_value() ? json::value(Seconds(*unix_ms)) : json::value(nullptr);
}

json::object KeyObject(const access::Key& key) {
  return {{"object", "key"},
          {"id", key.id},
          {"name", key.name},
          {"role", access::Name(key.role)},
          {"hint", key.hint},
          {"created_at", Seconds(key.created_ms)},
          {"expires_at", TimeOrNull(key.expires_ms)},
          {"revoked_at", TimeOrNull(key.revoked_ms)}};
}

Status RequireOwner(const Request& request) {
  if (request.role != access::Role::kOwner) {
    return MakeError(Code::kPermissionDenied, "only an owner's key may manage keys", "owner_required");
  }
  return {};
}

Result<access::Role> ParseRole(Fields& fields) {
  ATELIER_ASSIGN(role, fields.StringOr("role", "member", 16));
  if (role == access::Name(access::Role::kOwner)) {
    return access::Role::kOwner;
  }
  if (role == access::Name(access::Role::kMember)) {
    return access::Role::kMember;
  }
  return InvalidArgument("'role' must be owner or member", "role");
}

}  // namespace

Result<Response> CreateKey(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(name, fields.String("name", 200));
  ATELIER_ASSIGN(role, ParseRole(fields));
  std::optional<int64_t> expires_ms;
  if (fields.Has("expires_at")) {
    ATELIER_ASSIGN(expires_at, fields.Int("expires_at", services.clock.UnixMs() / 1000 + 1, kMaxSeconds));
    expires_ms = expires_at * 1000;
  }
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(created, services.keys.Create(name, role, expires_ms));
  auto object = KeyObject(created.key);
  object["secret"] = created.secret;
  Response response = JsonResponse(object);
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

Result<Response> ListKeys(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_ASSIGN(keys, services.keys.List());
  json::array items;
  for (const auto& key : keys) {
    items.push_back(KeyObject(key));
  }
  return JsonResponse(ListObject(std::move(items), false));
}

Result<Response> RevokeKey(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_ASSIGN(key, services.keys.Revoke(request.Param("id")));
  return JsonResponse(KeyObject(key));
}

}  // namespace atelier::api::platform
