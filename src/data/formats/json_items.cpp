#include "data/formats/json_items.h"

#include <algorithm>

namespace atelier::data {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

}  // namespace

JsonItems::JsonItems(ChunkSource source, std::string name)
    : source_(std::move(source)),
      name_(std::move(name)),
      lines_(
          [this]() -> Result<std::string_view> {
            if (!head_given_) {
              head_given_ = true;
              return std::string_view(head_);
            }
            return source_();
          },
          name_) {}

std::string JsonItems::Place() const {
  return array_ ? name_ + ": item " + std::to_string(number_) : name_ + ": line " + std::to_string(lines_.number());
}

Error JsonItems::Bad(const std::string& what) const {
  return InvalidArgument(name_ + ": behind item " + std::to_string(number_) + " " + what, "files", "invalid_jsonl");
}

Result<bool> JsonItems::Fill() {
  ATELIER_ASSIGN(chunk, source_());
  chunk_ = chunk;
  return !chunk_.empty();
}

// Reads until a character that is no space, which tells the form.
Status JsonItems::Start() {
  started_ = true;
  while (true) {
    ATELIER_ASSIGN(more, Fill());
    head_.append(chunk_);
    std::string_view text = head_;
    if (text.starts_with("\xEF\xBB\xBF")) {
      text.remove_prefix(3);
    }
    const auto* first = std::ranges::find_if_not(text, IsSpace);
    if (first != text.end()) {
      array_ = *first == '[';
      chunk_ = text.substr(static_cast<size_t>(first - text.begin()) + 1);
      return {};
    }
    if (!more || head_.size() > kMaxLineBytes) {
      return {};
    }
  }
}

Result<bool> JsonItems::Next(std::string_view& item) {
  if (!started_) {
    ATELIER_TRY(Start());
  }
  if (array_) {
    return NextElement(item);
  }
  while (true) {
    ATELIER_ASSIGN(more, lines_.Next(item));
    if (!more || !std::ranges::all_of(item, IsSpace)) {
      return more;
    }
  }
}

Result<bool> JsonItems::NextElement(std::string_view& item) {
  item_.clear();
  while (!closed_) {
    if (chunk_.empty()) {
      ATELIER_ASSIGN(more, Fill());
      if (!more) {
        return Bad("the array is cut off");
      }
    }
    const char c = chunk_.front();
    chunk_.remove_prefix(1);
    ATELIER_ASSIGN(step, Take(c));
    if (step == Step::kItem) {
      item = item_;
      ++number_;
      return true;
    }
    if (item_.size() > kMaxLineBytes) {
      return Bad("an item has more than 8 MiB");
    }
  }
  if (!item_.empty()) {
    item = item_;
    ++number_;
    return true;
  }
  ATELIER_TRY(CheckEnd());
  return false;
}

// One character of an element, outside strings unless in_string_.
Result<JsonItems::Step> JsonItems::Take(char c) {
  if (in_string_) {
    item_ += c;
    if (escaped_) {
      escaped_ = false;
    } else if (c == '\\') {
      escaped_ = true;
    } else if (c == '"') {
      in_string_ = false;
    }
    return Step::kGoOn;
  }
  if (IsSpace(c) && item_.empty()) {
    return Step::kGoOn;
  }
  if (depth_ == 0 && (c == ',' || c == ']' || c == '}')) {
    const bool empty_array = c == ']' && number_ == 0 && !comma_;
    if (c == '}' || (item_.empty() && !empty_array)) {
      return Bad(std::string("a '") + c + "' stands where a value should");
    }
    comma_ = c == ',';
    closed_ = c == ']';
    return closed_ ? Step::kEnd : Step::kItem;
  }
  depth_ += c == '{' || c == '[' ? 1 : 0;
  depth_ -= c == '}' || c == ']' ? 1 : 0;
  in_string_ = c == '"';
  item_ += c;
  return Step::kGoOn;
}

Status JsonItems::CheckEnd() {
  while (true) {
    if (!std::ranges::all_of(chunk_, IsSpace)) {
      return Bad("the array ends, and more follows");
    }
    ATELIER_ASSIGN(more, Fill());
    if (!more) {
      return {};
    }
  }
}

}  // namespace atelier::data
