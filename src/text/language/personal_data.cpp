#include "text/language/personal_data.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <string>

namespace atelier::text::language::personal_data {
namespace {

constexpr size_t kMaxLocalPart = 64;
constexpr size_t kMaxDomain = 253;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlnum(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
char At(std::string_view text, size_t at) { return at < text.size() ? text[at] : '\0'; }
bool BeginsHere(std::string_view text, size_t at) { return at == 0 || !IsAlnum(text[at - 1]); }

int Number(std::string_view digits) {
  int value = 0;
  for (const char c : digits) {
    value = value * 10 + (c - '0');
  }
  return value;
}

size_t DigitsAt(std::string_view text, size_t at, size_t most) {
  size_t count = 0;
  while (count < most && IsDigit(At(text, at + count))) {
    ++count;
  }
  return count;
}

// A number is over where no letter, digit, or hyphen or point with a digit follows.
bool NumberEnds(std::string_view text, size_t at) {
  const char c = At(text, at);
  return !IsAlnum(c) && !((c == '-' || c == '.') && IsDigit(At(text, at + 1)));
}
// And begins where none is before.
bool NumberBegins(std::string_view text, size_t at) {
  if (at == 0) {
    return true;
  }
  const char c = text[at - 1];
  return !IsAlnum(c) && !((c == '-' || c == '.') && at > 1 && IsDigit(text[at - 2]));
}

bool IsLocal(char c) { return IsAlnum(c) || std::string_view("._%+-'").find(c) != std::string_view::npos; }

// Cuts a text by a pattern: d is a digit, D a digit from 2 to 9, M one from 3 to 9, s a separator (blank, hyphen,
// point) or nothing, S one that must be, everything else is itself. The length, or 0.
size_t Follow(std::string_view text, size_t at, std::string_view pattern) {
  size_t end = at;
  for (const char p : pattern) {
    const char c = At(text, end);
    const bool separator = c == ' ' || c == '-' || c == '.';
    if (p == 's') {
      end += separator ? 1 : 0;
      continue;
    }
    const bool fits = p == 'd'   ? IsDigit(c)
                      : p == 'D' ? c >= '2' && c <= '9'
                      : p == 'M' ? c >= '3' && c <= '9'
                      : p == 'S' ? separator
                                 : c == p;
    if (!fits) {
      return 0;
    }
    ++end;
  }
  return NumberEnds(text, end) ? end - at : 0;
}

size_t FollowAny(std::string_view text, size_t at, auto&& patterns) {
  size_t longest = 0;
  for (const std::string_view pattern : patterns) {
    longest = std::max(longest, Follow(text, at, pattern));
  }
  return longest;
}

// +CC and 7 to 14 digits in groups.
size_t International(std::string_view text, size_t at) {
  if (At(text, at) != '+' || !IsDigit(At(text, at + 1)) || At(text, at + 1) == '0') {
    return 0;
  }
  size_t digits = 0;
  size_t end = at + 1;
  for (size_t i = at + 1; i < text.size() && digits < 16; ++i) {
    const char c = text[i];
    if (IsDigit(c)) {
      ++digits;
      end = i + 1;
    } else if (std::string_view(" -.()").find(c) == std::string_view::npos || i - end > 1) {
      break;
    }
  }
  return digits >= 8 && digits <= 15 && NumberEnds(text, end) ? end - at : 0;
}

bool IsLuhn(std::string_view digits) {
  int sum = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    int value = digits[digits.size() - 1 - i] - '0';
    if (i % 2 == 1) {
      value = value * 2 > 9 ? value * 2 - 9 : value * 2;
    }
    sum += value;
  }
  return sum % 10 == 0;
}

// The published ranges of issuers: Visa, Mastercard, American Express, Diners, Discover, JCB, UnionPay, Maestro, MIR.
bool IsIssuer(std::string_view digits) {
  const int two = Number(digits.substr(0, 2));
  const int four = Number(digits.substr(0, 4));
  const size_t size = digits.size();
  if (digits[0] == '4') {
    return size == 13 || size == 16 || size == 19;
  }
  if (two == 34 || two == 37) {
    return size == 15;
  }
  if (two == 36 || two == 38 || two == 30) {
    return size == 14 || size == 16;
  }
  const bool sixteen = (two >= 51 && two <= 55) || (four >= 2200 && four <= 2720);
  const bool many = (four >= 3528 && four <= 3589) || two == 62 || two == 60 || two == 64 || two == 65 || two == 50 ||
                    (two >= 56 && two <= 58) || two == 67 || two == 81;
  return (sixteen && size == 16) || (many && size >= 16);
}

// January 1900 to December 2099.
bool IsDate(std::string_view digits) {
  const int year = Number(digits.substr(0, 4));
  const int month = Number(digits.substr(4, 2));
  const int day = Number(digits.substr(6, 2));
  constexpr std::array<int, 12> kDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return year >= 1900 && year < 2100 && month >= 1 && month <= 12 && day >= 1 &&
         day <= kDays[static_cast<size_t>(month - 1)];
}

}  // namespace

size_t Email(std::string_view text, size_t at) {
  if (!IsAlnum(At(text, at)) || (at > 0 && IsLocal(text[at - 1]) && text[at - 1] != '\'')) {
    return 0;
  }
  size_t end = at;
  while (end < text.size() && end - at <= kMaxLocalPart && IsLocal(text[end])) {
    ++end;
  }
  if (At(text, end) != '@' || text[end - 1] == '.') {
    return 0;
  }
  const size_t domain = ++end;
  size_t label = domain;  // where the last label begins
  size_t good = 0;        // the end of the domain so far
  for (; end < text.size() && end - domain <= kMaxDomain; ++end) {
    const char c = text[end];
    if (IsAlnum(c)) {
      good = label > domain && end - label >= 1 ? end + 1 : good;
    } else if (c == '.' && end > label) {
      label = end + 1;
    } else if (c != '-' || end == label) {
      break;
    }
  }
  return good == 0 ? 0 : good - at;
}

size_t Phone(std::string_view text, size_t at) {
  if (!NumberBegins(text, at)) {
    return 0;
  }
  const char c = At(text, at);
  if (c == '+') {
    return International(text, at);
  }
  if (c == '(') {
    constexpr std::array<std::string_view, 3> kPatterns = {"(Ddd)sDddSdddd", "(0dd)sddddsdddd", "(0ddd)sdddsdddd"};
    return FollowAny(text, at, kPatterns);
  }
  if (!IsDigit(c)) {
    return 0;
  }
  constexpr std::array<std::string_view, 9> kPatterns = {"1Mdsddddsdddd", "86s1Mdsddddsdddd", "0086s1Mdsddddsdddd",
                                                         "DddSDddSdddd",  "1SDddSDddSdddd",   "0ddSdddddddd",
                                                         "0dddSddddddd",  "0dddSdddddddd",    "0ddSddddSdddd"};
  return FollowAny(text, at, kPatterns);
}

size_t Ssn(std::string_view text, size_t at) {
  if (!NumberBegins(text, at)) {
    return 0;
  }
  const size_t length = std::max(Follow(text, at, "ddd-dd-dddd"), Follow(text, at, "ddd dd dddd"));
  if (length == 0) {
    return 0;
  }
  const int area = Number(text.substr(at, 3));
  const bool issued = area != 0 && area != 666 && area < 900 && Number(text.substr(at + 4, 2)) != 0 &&
                      Number(text.substr(at + 7, 4)) != 0;
  return issued ? length : 0;
}

size_t ChineseId(std::string_view text, size_t at) {
  constexpr size_t kLength = 18;
  if (!BeginsHere(text, at) || DigitsAt(text, at, kLength - 1) != kLength - 1) {
    return 0;
  }
  const char last = At(text, at + kLength - 1);
  if ((!IsDigit(last) && last != 'X' && last != 'x') || IsAlnum(At(text, at + kLength))) {
    return 0;
  }
  constexpr std::array<int, kLength - 1> kWeights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
  constexpr std::string_view kChecks = "10X98765432";
  int sum = 0;
  for (size_t i = 0; i < kWeights.size(); ++i) {
    sum += kWeights[i] * (text[at + i] - '0');
  }
  const char check = kChecks[static_cast<size_t>(sum % 11)];
  const bool right = check == (last == 'x' ? 'X' : last) && text[at] != '0' && IsDate(text.substr(at + 6, 8));
  return right ? kLength : 0;
}

size_t Card(std::string_view text, size_t at) {
  if (!IsDigit(At(text, at)) || !NumberBegins(text, at)) {
    return 0;
  }
  // Groups of at least three digits, set apart by one kind of separator.
  std::string digits;
  char separator = '\0';
  size_t end = at;
  while (digits.size() <= 19) {
    const size_t count = DigitsAt(text, end, 20);
    if (count < 3) {
      break;
    }
    digits.append(text, end, count);
    end += count;
    const char c = At(text, end);
    if ((c != ' ' && c != '-') || (separator != '\0' && c != separator) || !IsDigit(At(text, end + 1))) {
      break;
    }
    separator = c;
    ++end;
  }
  end -= end > at && !IsDigit(text[end - 1]) ? 1 : 0;
  const bool card =
      digits.size() >= 13 && digits.size() <= 19 && !IsAlnum(At(text, end)) && IsIssuer(digits) && IsLuhn(digits);
  return card ? end - at : 0;
}

size_t Ip(std::string_view text, size_t at) {
  const char first = At(text, at);
  if ((!IsAlnum(first) && first != ':') || !BeginsHere(text, at) ||
      (at > 0 && (text[at - 1] == '.' || text[at - 1] == ':'))) {
    return 0;
  }
  const auto in_address = [](char c) {
    return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
  };
  size_t end = at;
  while (end < text.size() && end - at <= INET6_ADDRSTRLEN && in_address(text[end])) {
    ++end;
  }
  while (end > at && (text[end - 1] == '.' || (text[end - 1] == ':' && !(end - at >= 2 && text[end - 2] == ':')))) {
    --end;
  }
  if (IsAlnum(At(text, end)) || end - at > INET6_ADDRSTRLEN) {
    return 0;
  }
  const std::string address(text.substr(at, end - at));
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  const auto colons = std::ranges::count(address, ':');
  if (std::ranges::count(address, '.') == 3 && colons == 0) {
    return inet_pton(AF_INET, address.c_str(), parsed.data()) == 1 ? address.size() : 0;
  }
  // "::" alone, or with one group, is more often C++ or a time than an address.
  return colons >= 3 && inet_pton(AF_INET6, address.c_str(), parsed.data()) == 1 ? address.size() : 0;
}

}  // namespace atelier::text::language::personal_data
