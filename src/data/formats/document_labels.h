// The classes of documents: the folder of each names its, or a file cats.txt beside them does, a line "document class".
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/formats/format.h"

namespace atelier::data {

class DocumentLabels {
 public:
  // Looks at the paths of all files. There are labels where every document has one and there are at least two. Errors:
  // kInvalidArgument (a list that is no such list, or that lacks a document).
  static Result<DocumentLabels> Find(FormatContext& context);

  static bool IsList(std::string_view path);  // "cats.txt", which is no document

  bool any() const { return !categories_.empty(); }
  // Adds the column `label` and makes it the target, where there are labels and the options want one.
  void AddTo(Manifest& schema, const ImportOptions& options) const;
  int32_t Of(const SourceFile& file) const;

 private:
  Status ReadList(FormatContext& context, const SourceFile& file);
  std::string LabelOf(const SourceFile& file) const;

  std::map<std::string, std::string, std::less<>> listed_;  // the end of a path -> class
  bool has_list_ = false;
  std::vector<std::string> categories_;
  std::map<std::string, int32_t, std::less<>> codes_;
};

}  // namespace atelier::data
