// Text out of HTML, as a reader would see it.
#pragma once

#include <string>
#include <string_view>

namespace atelier::text::language {

// Without tags, comments and what is no text (script, style, template, head's title excepted); character references
// are resolved; runs of white space are one space; elements that are blocks begin lines, table cells are set apart by
// tabs. No parser of pages: what is no tag (a < b) stays as it is. Takes time linear in the text. The input is UTF-8;
// ill-formed sequences pass through.
std::string StripHtml(std::string_view html);

// Resolves &name; &#n; and &#xn; alone. Names: those of HTML 4 and the common ones of HTML 5.
std::string UnescapeHtml(std::string_view text);

}  // namespace atelier::text::language
