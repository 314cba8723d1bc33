// JSON Schema's "format" (draft 2020-12, validation, section 7.3) as regular expressions.
#pragma once

#include <optional>
#include <string_view>

namespace atelier::engine::grammar {

// The expression that a whole text of the format matches; nullopt for formats that are annotations to us (unknown ones,
// and the few that are not regular: regex, iri, idn-*). A day that its month does not have is accepted only where the
// format's own grammar does so: days are 01 to 28, 29 and 30 but in February, 31 in the seven long months; the 29th of
// February in any year that is divisible by four but not by a hundred.
std::optional<std::string_view> FormatPattern(std::string_view format);

}  // namespace atelier::engine::grammar
