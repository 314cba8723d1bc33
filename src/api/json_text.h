// JSON written straight into a string, for answers where time counts.
#pragma once

#include <string>
#include <string_view>

namespace atelier::api {

// Quoted and escaped; invalid UTF-8 is the caller's mistake.
void AppendJson(std::string_view text, std::string& out);
// The shortest text that reads back as the same float; NaN and infinities, which JSON lacks, are null.
void AppendJson(float number, std::string& out);

}  // namespace atelier::api
