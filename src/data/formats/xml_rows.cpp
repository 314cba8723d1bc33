#include "data/formats/xml_rows.h"

#include <algorithm>
#include <charconv>

#include "data/formats/cells.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxRowBytes = size_t{8} << 20U;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxXmlDepth = 64;
constexpr size_t kMaxFields = 4096;
constexpr size_t kRowDepth = 2;
constexpr std::string_view kSpaces = " \t\r\n";

bool IsSpace(char c) { return kSpaces.find(c) != std::string_view::npos; }

std::string_view Stripped(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(kSpaces), text.size()));
  return text.substr(0, text.find_last_not_of(kSpaces) + 1);
}

void AppendUtf8(uint32_t code, std::string& out) {
  const auto put = [&](uint32_t byte) { out += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0U | (code >> 6U));
    put(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    put(0xE0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  } else {
    put(0xF0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3FU));
    put(0x80U | ((code >> 6U) & 0x3FU));
    put(0x80U | (code & 0x3FU));
  }
}

// "lt", "#65", "#x4E2D"; false: unknown.
bool AppendEntity(std::string_view name, std::string& out) {
  static constexpr std::pair<std::string_view, char> kKnown[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kKnown) {
    if (known == name) {
      out += c;
      return true;
    }
  }
  if (!name.starts_with('#') || name.size() < 2) {
    return false;
  }
  const bool hexadecimal = name[1] == 'x';
  const std::string_view digits = name.substr(hexadecimal ? 2 : 1);
  uint32_t code = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != digits.data() + digits.size() || code == 0 || code > 0x10FFFF ||
      (code >= 0xD800 && code < 0xE000)) {
    return false;
  }
  AppendUtf8(code, out);
  return true;
}

}  // namespace

Error XmlRows::Bad(const std::string& what) const {
  return InvalidArgument(name_ + ": in or behind element " + std::to_string(number_) + ": " + what, "files",
                         "invalid_xml");
}

Result<bool> XmlRows::Fill() {
  if (chunk_.empty()) {
    ATELIER_ASSIGN(chunk, source_());
    chunk_ = chunk;
  }
  return !chunk_.empty();
}

Result<char> XmlRows::Get() {
  ATELIER_ASSIGN(more, Fill());
  if (!more) {
    return Bad("the file is cut off");
  }
  if (++row_bytes_ > kMaxRowBytes) {
    return Bad("an element has more than 8 MiB");
  }
  const char c = chunk_.front();
  chunk_.remove_prefix(1);
  return c;
}

Status XmlRows::Until(std::string_view end, std::string& out) {
  while (!out.ends_with(end)) {
    ATELIER_ASSIGN(c, Get());
    out += c;
  }
  out.resize(out.size() - end.size());
  return {};
}

Status XmlRows::Unescape(std::string_view raw, std::string& out) const {
  while (!raw.empty()) {
    const size_t plain = std::min(raw.find('&'), raw.size());
    out.append(raw.substr(0, plain));
    raw.remove_prefix(plain);
    if (raw.empty()) {
      break;
    }
    const size_t end = raw.find(';');
    if (end == std::string_view::npos || !AppendEntity(raw.substr(1, end - 1), out)) {
      return Bad("an '&' begins no entity that is known here; it is written &amp;");
    }
    raw.remove_prefix(end + 1);
  }
  return {};
}

Status XmlRows::Special(std::string& text) {
  std::string head;
  while (head != "--" && head != "[CDATA[" && head != "DOCTYPE") {
    ATELIER_ASSIGN(c, Get());
    head += c;
    if (head.size() > 7) {
      return Bad("'<!' begins neither a comment nor CDATA");
    }
  }
  std::string rest;
  if (head == "--") {
    return Until("-->", rest);
  }
  if (head == "[CDATA[") {
    ATELIER_TRY(Until("]]>", rest));
    text += rest;
    return {};
  }
  ATELIER_TRY(Until(">", rest));
  return rest.find('[') == std::string::npos ? Status() : Status(Bad("a document type with definitions of its own"));
}

Status XmlRows::ReadAttribute(char first, Tag& tag) {
  std::string name(1, first);
  ATELIER_TRY(Until("=", name));
  name = std::string(Stripped(name));
  char quote = ' ';
  while (IsSpace(quote)) {
    ATELIER_ASSIGN(c, Get());
    quote = c;
  }
  if ((quote != '"' && quote != '\'') || name.empty() || name.size() > kMaxNameBytes ||
      name.find_first_of("<>\"'/& \t\r\n") != std::string::npos || tag.attributes.size() >= kMaxFields) {
    return Bad("a tag is no tag");
  }
  std::string raw;
  ATELIER_TRY(Until(std::string_view(&quote, 1), raw));
  std::string value;
  ATELIER_TRY(Unescape(raw, value));
  tag.attributes.emplace_back(std::move(name), std::move(value));
  return {};
}

Result<XmlRows::Tag> XmlRows::ReadTag(char first) {
  Tag tag;
  tag.closes = first == '/';
  char c = first;
  if (tag.closes) {
    ATELIER_ASSIGN(next, Get());
    c = next;
  }
  while (!IsSpace(c) && c != '>' && c != '/') {
    tag.name += c;
    ATELIER_ASSIGN(next, Get());
    c = next;
  }
  while (c != '>') {
    if (c == '/' && !tag.closes) {
      tag.empty = true;
    } else if (tag.empty || (tag.closes && !IsSpace(c))) {
      return Bad("a tag is no tag");
    } else if (!IsSpace(c)) {
      ATELIER_TRY(ReadAttribute(c, tag));
    }
    ATELIER_ASSIGN(next, Get());
    c = next;
  }
  if (tag.name.empty() || tag.name.size() > kMaxNameBytes || tag.name.find_first_of("<>\"'=&") != std::string::npos ||
      !IsText(tag.name)) {
    return Bad("a tag has no name");
  }
  return tag;
}

Status XmlRows::AddField(XmlRow& row, std::string name, std::string value) const {
  const bool twice = std::ranges::any_of(row.fields, [&](const auto& field) { return field.first == name; });
  if (twice || row.fields.size() >= kMaxFields) {
    return Bad("there are two '" + name.substr(0, 60) + "' in it, or more fields than 4096");
  }
  if (!IsText(name) || !IsText(value)) {
    return Bad("it" + std::string(kNoText));
  }
  row.fields.emplace_back(std::move(name), std::move(value));
  return {};
}

Status XmlRows::Open(const Tag& tag, XmlRow& row) {
  if (ended_ || open_.size() >= kMaxXmlDepth) {
    return Bad(ended_ ? "there is a second root" : "the elements are nested too deep");
  }
  open_.push_back(tag.name);
  if (open_.size() == kRowDepth) {
    row_bytes_ = 0;
    row = {.name = tag.name, .number = ++number_, .fields = {}};
    own_.clear();
    for (const auto& [name, value] : tag.attributes) {
      ATELIER_TRY(AddField(row, name, value));
    }
  } else if (open_.size() == kRowDepth + 1) {
    text_.clear();
  }
  return {};
}

Status XmlRows::Close(const std::string& name, XmlRow& row, bool& done) {
  if (open_.empty() || open_.back() != name) {
    return Bad("</" + name.substr(0, 60) + "> closes another element");
  }
  if (open_.size() == kRowDepth + 1) {
    ATELIER_TRY(AddField(row, name, std::string(Stripped(text_))));
  } else if (open_.size() == kRowDepth) {
    done = true;
    if (const std::string_view own = Stripped(own_); !own.empty()) {
      ATELIER_TRY(AddField(row, "text", std::string(own)));
    }
  }
  open_.pop_back();
  ended_ = open_.empty();
  return {};
}

Result<bool> XmlRows::Next(XmlRow& row) {
  bool done = false;
  while (!done) {
    if (open_.size() < kRowDepth) {
      row_bytes_ = 0;
    }
    std::string raw;
    bool more = true;
    while (true) {
      ATELIER_ASSIGN(some, Fill());
      more = some;
      if (!more) {
        break;
      }
      ATELIER_ASSIGN(c, Get());
      if (c == '<') {
        break;
      }
      raw += c;
    }
    const bool in_row = open_.size() >= kRowDepth;
    if (!in_row && Stripped(raw) != "" && Stripped(raw) != "\xEF\xBB\xBF") {
      return Bad("there is text outside of the elements of the list");
    }
    std::string& text = open_.size() > kRowDepth ? text_ : own_;
    if (in_row) {
      ATELIER_TRY(Unescape(raw, text));
    }
    if (!more) {
      return ended_ ? Result<bool>(false) : Bad("the file is cut off");
    }
    ATELIER_ASSIGN(first, Get());
    if (first == '!') {
      ATELIER_TRY(Special(text));
    } else if (first == '?') {
      std::string rest;
      ATELIER_TRY(Until("?>", rest));
    } else {
      ATELIER_ASSIGN(tag, ReadTag(first));
      if (!tag.closes) {
        ATELIER_TRY(Open(tag, row));
      }
      if (tag.closes || tag.empty) {
        ATELIER_TRY(Close(tag.name, row, done));
      }
    }
  }
  return true;
}

}  // namespace atelier::data
