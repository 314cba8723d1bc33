// Personal data out of texts, English and Chinese. By scanners with bounded look-ahead: time is linear in the text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/language/characters.h"

namespace atelier::text::language {

enum class PersonalData {
  kEmail,      // local@domain.tld
  kPhone,      // with a country code, of North America with separators, of Chinese mobiles and fixed lines
  kSsn,        // United States: AAA-GG-SSSS in the ranges that may be issued
  kChineseId,  // GB 11643: 17 digits with a date of birth, and their ISO 7064 MOD 11-2 check character
  kCard,       // 13 to 19 digits of a known issuer with a right Luhn check digit (ISO/IEC 7812)
  kIp,         // IPv4, IPv6
};
inline constexpr size_t kPersonalDataKinds = 6;
using PersonalDataKinds = std::array<bool, kPersonalDataKinds>;
inline constexpr PersonalDataKinds kAllPersonalData = {true, true, true, true, true, true};

std::string_view Name(PersonalData kind);  // "email", "phone", "ssn", "chinese_id", "card", "ip"
std::optional<PersonalData> PersonalDataFromName(std::string_view name);

struct PersonalDataFound {
  PersonalData kind;
  Span span;
};
// In the order of the text, without overlaps.
std::vector<PersonalDataFound> FindPersonalData(std::string_view text, const PersonalDataKinds& kinds);

struct Redacted {
  std::string text;  // each place is [EMAIL], [PHONE], [SSN], [CHINESE_ID], [CARD] or [IP]
  std::array<uint64_t, kPersonalDataKinds> counts{};
};
Redacted Redact(std::string_view text, const PersonalDataKinds& kinds = kAllPersonalData);

}  // namespace atelier::text::language
