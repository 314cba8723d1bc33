#include "atelier/cli/table.h"

#include <algorithm>

#include "atelier/cli/text.h"

namespace atelier::cli {
namespace {

constexpr int kMaxCellWidth = 100;

bool LooksNumeric(const std::string& cell) {
  return cell == "-" || (!cell.empty() && cell.find_first_of("0123456789") != std::string::npos &&
                         cell.find_first_not_of("0123456789.+-e%") == std::string::npos);
}

}  // namespace

void Table::Add(std::vector<std::string> row) {
  row.resize(header_.size());
  for (auto& cell : row) {
    cell = Fit(Escape(cell), kMaxCellWidth);
  }
  rows_.push_back(std::move(row));
}

std::string Table::Text() const {
  std::vector<int> widths;
  std::vector<bool> right;
  for (size_t c = 0; c < header_.size(); ++c) {
    int width = DisplayWidth(header_[c]);
    bool numeric = !rows_.empty();
    for (const auto& row : rows_) {
      width = std::max(width, DisplayWidth(row[c]));
      numeric = numeric && LooksNumeric(row[c]);
    }
    widths.push_back(width);
    right.push_back(numeric);
  }
  std::string text;
  const auto append = [&](const std::vector<std::string>& cells) {
    std::string line;
    for (size_t c = 0; c < cells.size(); ++c) {
      const std::string space(static_cast<size_t>(widths[c] - DisplayWidth(cells[c])), ' ');
      line += (c == 0 ? "" : "  ") + (right[c] ? space + cells[c] : cells[c] + space);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  };
  append(header_);
  for (const auto& row : rows_) {
    append(row);
  }
  return text;
}

}  // namespace atelier::cli
