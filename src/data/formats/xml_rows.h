// XML lists (https://www.w3.org/TR/xml): the elements below the root as rows, in bounded memory. No document type
// definition is read and no entity of one is known, so that nothing can be included or blown up.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "data/formats/input.h"

namespace atelier::data {

// An element's attributes, the texts of the elements in it, and its own text as "text" where there is any. Tags below
// that are left out, their text stays.
struct XmlRow {
  std::string name;
  int64_t number = 0;  // from 1
  std::vector<std::pair<std::string, std::string>> fields;
};

// Not thread-safe.
class XmlRows {
 public:
  XmlRows(ChunkSource source, std::string name) : source_(std::move(source)), name_(std::move(name)) {}

  // false at the end. Errors: kInvalidArgument "invalid_xml" naming the row (tags that do not fit, an unknown entity, a
  // row of more than 8 MiB, a field twice, deeper than 64), the source's.
  Result<bool> Next(XmlRow& row);

 private:
  struct Tag {
    std::string name;
    std::vector<std::pair<std::string, std::string>> attributes;
    bool closes = false;  // </x>
    bool empty = false;   // <x/>
  };

  Result<bool> Fill();
  Result<char> Get();                                    // kOutOfRange: the end
  Status Until(std::string_view end, std::string& out);  // what stands before `end`, which is read too
  Status Special(std::string& text);                     // behind "<!"
  Result<Tag> ReadTag(char first);                       // behind "<"
  Status ReadAttribute(char first, Tag& tag);
  Status Unescape(std::string_view raw, std::string& out) const;
  Status Open(const Tag& tag, XmlRow& row);
  Status Close(const std::string& name, XmlRow& row, bool& done);
  Status AddField(XmlRow& row, std::string name, std::string value) const;
  Error Bad(const std::string& what) const;

  ChunkSource source_;
  std::string name_;
  std::string_view chunk_;
  std::vector<std::string> open_;  // elements, from the root on
  std::string text_;               // of the field that is open
  std::string own_;                // of the row itself
  bool ended_ = false;
  size_t row_bytes_ = 0;
  int64_t number_ = 0;
};

}  // namespace atelier::data
