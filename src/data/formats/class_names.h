// A file class.txt beside a table, as many data sets have it: a line a class, for tables that number them from 0.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/formats/format.h"
#include "data/formats/inference.h"

namespace atelier::data {

bool IsClassNames(std::string_view path);  // "class.txt", "classes.txt", "labels.txt", "class_names.txt"

class ClassNames {
 public:
  // Errors: kInvalidArgument (a second file, two classes of one name, none, too many).
  Status Read(FormatContext& context, const SourceFile& file);
  // Gives the target's categories their names. Without a file nothing happens. Errors: kInvalidArgument (the target is
  // no category of numbers from 0 that all have a name).
  Status Apply(TablePlan& plan) const;

 private:
  std::string path_;
  std::vector<std::string> names_;
};

}  // namespace atelier::data
