// What the names of source files say.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/manifest.h"

namespace atelier::data {

std::string LowerAscii(std::string_view text);
std::vector<std::string_view> Components(std::string_view path);  // without empty ones and "."
std::string_view FileName(std::string_view path);
// Lower-case, of the file's name without a ".gz" at its end: "csv" of "a/B.CSV.gz"; empty: none.
std::string DataExtension(std::string_view path);

// "train", "test" (or "t10k"), "validation" (or "valid", "val", "dev"); CoNLL's "testa" is for validation, "testb" for
// the test.
std::optional<Split> SplitFromWord(std::string_view word);
// From a word of the name between dots ("test.csv", "esp.train.gz") or else the first folder that is such a word
// ("test/part-1.csv").
std::optional<Split> SplitFromPath(std::string_view path);

// Hidden files and what operating systems leave in folders and archives.
bool IsSystemFile(std::string_view path);
bool IsBesideData(std::string_view path);  // licences and read-me files
bool IsArchive(std::string_view path);
bool IsRecording(std::string_view path);
bool IsPicture(std::string_view path);  // also pictures of formats that are refused later, with a clear error

// Whether a path from outside is relative and stays inside: no "..", no root, no drive, no backslash, no control
// character, well-formed UTF-8, at most 1024 bytes. Errors: kInvalidArgument "unsafe_path".
Status CheckPath(std::string_view path);

}  // namespace atelier::data
