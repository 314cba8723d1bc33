#include "data/formats/line_reader.h"

#include <algorithm>

#include "data/formats/cells.h"

namespace atelier::data {

Result<bool> LineReader::Next(std::string_view& line) {
  kept_.clear();
  bool any = false;
  while (true) {
    if (chunk_.empty()) {
      ATELIER_ASSIGN(chunk, source_());
      chunk_ = chunk;
      if (chunk_.empty()) {
        break;
      }
    }
    any = true;
    const size_t end = std::min(chunk_.find('\n'), chunk_.size());
    if (kept_.size() + end > kMaxLineBytes) {
      return InvalidArgument(name_ + ": line " + std::to_string(number_ + 1) + " has more than 8 MiB", "files",
                             reason_);
    }
    kept_.append(chunk_.substr(0, end));
    const bool complete = end < chunk_.size();
    chunk_.remove_prefix(complete ? end + 1 : end);
    if (complete) {
      break;
    }
  }
  if (!any) {
    return false;
  }
  ++number_;
  line = kept_;
  if (number_ == 1) {
    if (line.starts_with("\xFF\xFE") || line.starts_with("\xFE\xFF")) {
      return InvalidArgument(name_ + ": this is UTF-16; save it as UTF-8", "files", reason_);
    }
    if (line.starts_with("\xEF\xBB\xBF")) {
      line.remove_prefix(3);
    }
  }
  if (line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return true;
}

Result<bool> LineReader::NextText(std::string_view& line) {
  ATELIER_ASSIGN(more, Next(line));
  if (more && !IsText(line)) {
    return InvalidArgument(name_ + ": line " + std::to_string(number_) + std::string(kNoText), "files", reason_);
  }
  return more;
}

}  // namespace atelier::data
