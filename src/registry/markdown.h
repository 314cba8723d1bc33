// The little Markdown that a model card needs. Foreign text is escaped: it can be no heading, link, table cell or HTML.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::registry {

// One line of text with Markdown's and HTML's special characters made plain.
std::string EscapeMarkdown(std::string_view text);

// A JSON scalar for people (numbers to six digits), or JSON text for lists and objects; escaped.
std::string ShowValue(const boost::json::value& value);

// "2024-05-01 12:00:00 UTC"
std::string ShowTime(int64_t unix_ms);

// "12.3 MB"
std::string ShowBytes(uint64_t bytes);

// Name and value, both escaped already. Rows with an empty value are left out; no rows give no table.
using Rows = std::vector<std::pair<std::string, std::string>>;
std::string Table(std::string_view left, std::string_view right, const Rows& rows);

// The scalars of an object, and those of objects within it as "outer.inner"; lists are left out. At most `limit` rows.
Rows Scalars(const boost::json::object& object, size_t limit);

}  // namespace atelier::registry
