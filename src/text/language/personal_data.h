// Recognisers of personal data. Each gives the length of what begins at text[at], or 0; it looks at a bounded number of
// bytes. A letter or digit of ASCII directly before or after makes it something else; Chinese characters do not.
#pragma once

#include <cstddef>
#include <string_view>

namespace atelier::text::language::personal_data {

using Matcher = size_t (*)(std::string_view text, size_t at);

size_t Email(std::string_view text, size_t at);
size_t Phone(std::string_view text, size_t at);
size_t Ssn(std::string_view text, size_t at);
size_t ChineseId(std::string_view text, size_t at);
size_t Card(std::string_view text, size_t at);
size_t Ip(std::string_view text, size_t at);

}  // namespace atelier::text::language::personal_data
