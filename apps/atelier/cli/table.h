// An aligned table for a terminal.
#pragma once

#include <string>
#include <vector>

namespace atelier::cli {

// Cells are escaped when added. Columns are as wide as their widest cell (DisplayWidth); a column whose cells are all
// numbers is aligned right. Rows shorter than the header are filled with empty cells; longer ones are cut.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : header_(std::move(header)) {}

  void Add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  std::string Text() const;  // lines ending in "\n", without spaces at their ends

 private:
  std::vector<std::string> header_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace atelier::cli
