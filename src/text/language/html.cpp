#include "text/language/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "text/language/characters.h"
#include "text/language/html_entities.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxReference = 40;  // bytes of &...;

// What browsers take &#128; to &#159; for: Windows-1252.
constexpr std::array<char32_t, 32> kWindows1252 = {0x20AC, 0x81,   0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                   0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D,   0x017D, 0x8F,
                                                   0x90,   0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                   0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D,   0x017E, 0x0178};

constexpr std::string_view kBlocks[] = {
    "address", "article",  "aside",      "blockquote", "body",   "br",    "caption", "center", "dd",     "div", "dl",
    "dt",      "fieldset", "figcaption", "figure",     "footer", "form",  "h1",      "h2",     "h3",     "h4",  "h5",
    "h6",      "header",   "hr",         "html",       "li",     "main",  "nav",     "ol",     "option", "p",   "pre",
    "section", "select",   "table",      "tbody",      "tfoot",  "thead", "title",   "tr",     "ul"};
static_assert(std::ranges::is_sorted(kBlocks));
constexpr std::string_view kNoText[] = {"script", "style", "template", "noscript", "svg", "math", "iframe", "object"};

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}
bool IsAsciiLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::optional<char32_t> NumericReference(std::string_view digits) {
  const bool hex = digits.starts_with('x') || digits.starts_with('X');
  digits.remove_prefix(hex ? 1 : 0);
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
  if (digits.empty() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  if (value >= 0x80 && value < 0xA0) {
    return kWindows1252[value - 0x80];
  }
  const bool scalar = error == std::errc() && value != 0 && value <= 0x10FFFF && (value < 0xD800 || value > 0xDFFF);
  return scalar ? value : 0xFFFD;
}

// The reference at text[at] == '&': its character, and where it ends.
struct Reference {
  char32_t value;
  size_t end;
};
std::optional<Reference> ReferenceAt(std::string_view text, size_t at) {
  const size_t end = text.substr(0, at + kMaxReference).find(';', at);
  if (end == std::string_view::npos || end == at + 1) {
    return std::nullopt;
  }
  const std::string_view name = text.substr(at + 1, end - at - 1);
  if (name[0] == '#') {
    const auto value = NumericReference(name.substr(1));
    return value ? std::optional(Reference{*value, end + 1}) : std::nullopt;
  }
  const auto* found = std::ranges::lower_bound(kHtmlEntities, name, {}, &HtmlEntity::name);
  if (found == kHtmlEntities.end() || found->name != name) {
    return std::nullopt;
  }
  return Reference{found->value, end + 1};
}

class Stripper {
 public:
  explicit Stripper(std::string_view html) : html_(html) {}

  std::string Run() {
    while (at_ < html_.size()) {
      if (html_[at_] == '<' && SkipMarkup()) {
        continue;
      }
      TakeCharacter();
    }
    return std::move(out_);
  }

 private:
  // A position that once was not found is not found later either.
  size_t Find(std::string_view what, size_t from, bool& none) const {
    const size_t found = none ? std::string_view::npos : html_.find(what, from);
    none = found == std::string_view::npos;
    return found;
  }

  // A comment, declaration or tag; false: it is text.
  bool SkipMarkup() {
    const std::string_view rest = html_.substr(at_);
    if (rest.starts_with("<!--")) {
      const size_t end = Find("-->", at_ + 4, no_comment_end_);
      at_ = end == std::string_view::npos ? html_.size() : end + 3;
      return true;
    }
    const bool closing = rest.size() > 1 && rest[1] == '/';
    const size_t name_at = closing ? 2 : 1;
    const char first = rest.size() > name_at ? rest[name_at] : ' ';
    if (!IsAsciiLetter(first) && (closing || (first != '!' && first != '?'))) {
      return false;
    }
    const size_t end = TagEnd();
    if (end == std::string_view::npos) {
      return false;
    }
    size_t name_end = name_at;
    while (name_end < rest.size() && IsNameCharacter(rest[name_end])) {
      ++name_end;
    }
    const std::string name = Lower(rest.substr(name_at, name_end - name_at));
    const bool empty = html_[end - 1] == '/';
    at_ = end + 1;
    TakeTag(name, closing, empty);
    return true;
  }

  // Where the tag at at_ has its '>', outside of quotes if that can be; npos: none.
  size_t TagEnd() {
    const size_t plain = Find(">", at_, no_tag_end_);
    if (plain == std::string_view::npos) {
      return plain;
    }
    for (size_t i = at_ + 1; i < html_.size(); ++i) {
      const char c = html_[i];
      if (c == '>') {
        return i;
      }
      if (c == '<') {
        break;
      }
      if ((c == '"' || c == '\'') && html_[i - 1] == '=') {
        const size_t close = Find(std::string_view(&html_[i], 1), i + 1, c == '"' ? no_double_ : no_single_);
        if (close != std::string_view::npos) {
          i = close;
        }
      }
    }
    return plain;
  }

  void TakeTag(const std::string& name, bool closing, bool empty) {
    if (std::ranges::binary_search(kBlocks, name)) {
      NewLine();
    } else if (name == "td" || name == "th") {
      cell_ = cell_ || !closing;
    }
    if (!closing && !empty && std::ranges::find(kNoText, name) != std::end(kNoText)) {
      SkipTo(name);
    }
    pre_ += name != "pre" ? 0 : closing ? (pre_ > 0 ? -1 : 0) : 1;
  }

  // Past the end tag of an element without text; where it has none, the element is all the rest.
  void SkipTo(const std::string& name) {
    while (true) {
      const size_t found = html_.find("</", at_);
      if (found == std::string_view::npos) {
        at_ = html_.size();
        return;
      }
      at_ = found + 2;
      if (Lower(html_.substr(at_, name.size())) == name) {
        const size_t end = html_.find('>', at_);
        at_ = end == std::string_view::npos ? html_.size() : end + 1;
        return;
      }
    }
  }

  void NewLine() {
    if (!out_.empty()) {
      line_ = true;
    }
    cell_ = false;
    space_ = false;
  }

  void TakeCharacter() {
    const auto reference = html_[at_] == '&' ? ReferenceAt(html_, at_) : std::nullopt;
    if (reference) {
      std::string text;
      AppendUtf8(text, reference->value == 0xA0 ? U' ' : reference->value);
      at_ = reference->end;
      Add(text);
      return;
    }
    const size_t length = ReadUtf8(html_, at_).length;
    Add(html_.substr(at_, length));
    at_ += length;
  }

  void Add(std::string_view character) {
    const bool space = character.size() == 1 && IsSpace(static_cast<unsigned char>(character[0]));
    if (space && pre_ == 0) {
      space_ = true;
      return;
    }
    if (!out_.empty() && (line_ || cell_ || space_)) {
      out_ += line_ ? '\n' : cell_ ? '\t' : ' ';
    }
    line_ = cell_ = space_ = false;
    out_ += character;
  }

  std::string_view html_;
  std::string out_;
  size_t at_ = 0;
  bool no_comment_end_ = false;
  bool no_tag_end_ = false;
  bool no_double_ = false;
  bool no_single_ = false;
  bool line_ = false;   // a line end is due before the next character
  bool cell_ = false;   // or a tab
  bool space_ = false;  // or a space
  int pre_ = 0;         // open elements that keep their white space
};

}  // namespace

std::string StripHtml(std::string_view html) { return Stripper(html).Run(); }

std::string UnescapeHtml(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const auto reference = text[at] == '&' ? ReferenceAt(text, at) : std::nullopt;
    if (reference) {
      AppendUtf8(out, reference->value);
      at = reference->end;
    } else {
      out += text[at++];
    }
  }
  return out;
}

}  // namespace atelier::text::language
