// Errors as values: every fallible function returns Result<T>; exceptions of libraries stop at the module that calls
// them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace atelier {

// gRPC's canonical codes (https://grpc.io/docs/guides/status-codes), so that both transports agree.
enum class Code {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// What went wrong, for a person (message) and for a program (code, reason, param).
struct Error {
  Code code = Code::kUnknown;
  std::string message;
  std::string reason;                  // machine word of OpenAI's `error.code`, e.g. "model_not_found"; may be empty
  std::string param;                   // the offending field, e.g. "layers[2].units"; may be empty
  std::optional<int> retry_after_s{};  // set where waiting helps
};

inline Error MakeError(Code code, std::string message, std::string reason = "", std::string param = "") {
  return Error{code, std::move(message), std::move(reason), std::move(param)};
}
inline Error InvalidArgument(std::string message, std::string param = "", std::string reason = "invalid_value") {
  return MakeError(Code::kInvalidArgument, std::move(message), std::move(reason), std::move(param));
}
inline Error NotFound(std::string message, std::string reason = "not_found") {
  return MakeError(Code::kNotFound, std::move(message), std::move(reason));
}
inline Error AlreadyExists(std::string message, std::string reason = "already_exists") {
  return MakeError(Code::kAlreadyExists, std::move(message), std::move(reason));
}
inline Error FailedPrecondition(std::string message, std::string reason = "failed_precondition") {
  return MakeError(Code::kFailedPrecondition, std::move(message), std::move(reason));
}
inline Error Internal(std::string message) { return MakeError(Code::kInternal, std::move(message)); }
inline Error DataLoss(std::string message) { return MakeError(Code::kDataLoss, std::move(message)); }
inline Error Unavailable(std::string message, std::string reason = "unavailable", int retry_after_s = 1) {
  return Error{Code::kUnavailable, std::move(message), std::move(reason), "", retry_after_s};
}

// A value or an Error. Never both, never neither.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  T&& value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const Error& error() const& { return std::get<1>(state_); }
  Error&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return *error_; }
  Error&& error() && { return *std::move(error_); }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace atelier

#define ATELIER_CONCAT_INNER(a, b) a##b
#define ATELIER_CONCAT(a, b) ATELIER_CONCAT_INNER(a, b)

// Returns the error of `expression` to the caller, if it has one.
#define ATELIER_TRY(expression)                 \
  do {                                          \
    auto atelier_status = (expression);         \
    if (!atelier_status.ok()) {                 \
      return std::move(atelier_status).error(); \
    }                                           \
  } while (false)

// Declares `variable` with the value of `expression`, or returns its error to the caller.
#define ATELIER_ASSIGN(variable, expression) \
  ATELIER_ASSIGN_IMPL(ATELIER_CONCAT(atelier_result_, __LINE__), variable, expression)
#define ATELIER_ASSIGN_IMPL(temporary, variable, expression) \
  auto temporary = (expression);                             \
  if (!temporary.ok()) {                                     \
    return std::move(temporary).error();                     \
  }                                                          \
  auto variable = std::move(temporary).value()
