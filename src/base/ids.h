// Ids of 128 random bits, names that people choose or files have, and lower-case hexadecimal.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/rng.h"

namespace atelier {

// `prefix` followed by 32 hexadecimal digits of 128 random bits, e.g. NewId("job_", rng).
std::string NewId(std::string_view prefix, Rng& rng);

std::string Hex(std::span<const std::byte> bytes);

// Whether `text` is 64 lower-case hexadecimal digits.
bool IsSha256(std::string_view text);

// Checks a name of a data set, model, deployment or alias: 1 to 128 bytes of UTF-8 letters, digits, '.', '_', '-'
// (any script), beginning with a letter or digit; no Windows device name, no "..". Errors: kInvalidArgument on `param`.
Status ValidateName(std::string_view name, std::string_view param);

// Whether `text` is well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates).
bool IsUtf8(std::string_view text);

// A name from outside as a message may show it, in single quotes: UTF-8 without control characters whatever it was,
// and cut where it is long.
std::string QuotedName(std::string_view name);

}  // namespace atelier
