// The values of a JSON file, in bounded memory: the elements of one array, or a value a line.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/formats/input.h"
#include "data/formats/line_reader.h"

namespace atelier::data {

// A file whose first character is '[' is an array. Not thread-safe.
class JsonItems {
 public:
  JsonItems(ChunkSource source, std::string name);

  // The text of the next value, at most 8 MiB; it lives until the next call. Only brackets and strings are looked at,
  // so it still has to be parsed. false: the end. Errors: kInvalidArgument "invalid_jsonl" (commas and brackets that
  // do not fit, an array that is cut off or has something behind it), LineReader's, the source's.
  Result<bool> Next(std::string_view& item);
  std::string Place() const;  // of the last one: "a.json: item 3", "a.jsonl: line 3"

 private:
  enum class Step { kGoOn, kItem, kEnd };

  Result<bool> Fill();
  Status Start();
  Result<bool> NextElement(std::string_view& item);
  Result<Step> Take(char c);
  Status CheckEnd();
  Error Bad(const std::string& what) const;

  ChunkSource source_;
  std::string name_;
  LineReader lines_;
  std::string head_;  // what was read to tell the form
  bool head_given_ = false;
  bool started_ = false;
  bool array_ = false;
  std::string_view chunk_;
  // Of an array:
  std::string item_;
  int64_t number_ = 0;
  size_t depth_ = 0;
  bool in_string_ = false;
  bool escaped_ = false;
  bool comma_ = false;   // one was read, so that a value must follow
  bool closed_ = false;  // the array's end was read
};

}  // namespace atelier::data
