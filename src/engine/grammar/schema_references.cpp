#include "engine/grammar/schema_references.h"

#include <array>
#include <utility>

namespace atelier::engine::grammar {
namespace {

struct Uri {
  std::string scheme;     // with its colon
  std::string authority;  // with its slashes
  std::string path;
  std::string fragment;  // without '#'
};

Uri Split(std::string_view text) {
  Uri uri;
  if (const size_t hash = text.find('#'); hash != std::string_view::npos) {
    uri.fragment = std::string(text.substr(hash + 1));
    text = text.substr(0, hash);
  }
  const size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.substr(0, colon).find('/') == std::string_view::npos) {
    uri.scheme = std::string(text.substr(0, colon + 1));
    text.remove_prefix(colon + 1);
  }
  if (text.starts_with("//")) {
    const size_t slash = text.find('/', 2);
    uri.authority = std::string(text.substr(0, slash));
    text = slash == std::string_view::npos ? std::string_view() : text.substr(slash);
  }
  uri.path = std::string(text);
  return uri;
}

// RFC 3986 section 5.2.4, for paths that start with a slash or not.
std::string WithoutDots(std::string_view path) {
  std::vector<std::string_view> parts;
  const bool rooted = path.starts_with('/');
  for (size_t begin = rooted ? 1 : 0; begin <= path.size();) {
    const size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view part = path.substr(begin, end - begin);
    if (part == "..") {
      if (!parts.empty()) {
        parts.pop_back();
      }
    } else if (part != ".") {
      parts.push_back(part);
    }
    begin = end + 1;
  }
  std::string out = rooted ? "/" : "";
  for (size_t i = 0; i < parts.size(); ++i) {
    out += (i > 0 ? "/" : "") + std::string(parts[i]);
  }
  return out;
}

// The absolute URI without fragment that `reference` means below `base`.
std::string Absolute(std::string_view base_text, const Uri& reference) {
  if (!reference.scheme.empty()) {
    return reference.scheme + reference.authority + reference.path;
  }
  const Uri base = Split(base_text);
  if (!reference.authority.empty()) {
    return base.scheme + reference.authority + reference.path;
  }
  if (reference.path.empty()) {
    return base.scheme + base.authority + base.path;
  }
  if (reference.path.starts_with('/')) {
    return base.scheme + base.authority + WithoutDots(reference.path);
  }
  const size_t slash = base.path.rfind('/');
  const std::string folder = slash == std::string::npos ? "" : base.path.substr(0, slash + 1);
  return base.scheme + base.authority + WithoutDots(folder + reference.path);
}

std::string PercentDecoded(std::string_view text) {
  const auto digit = [](char c) {
    const std::string_view digits = "0123456789abcdef";
    return digits.find(static_cast<char>(c >= 'A' && c <= 'F' ? c + 32 : c));
  };
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) < 16 && digit(text[i + 2]) < 16) {
      out += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// RFC 6901.
std::string Unescaped(std::string_view step) {
  std::string out;
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] == '~' && i + 1 < step.size()) {
      out += step[++i] == '1' ? '/' : '~';
    } else {
      out += step[i];
    }
  }
  return out;
}
std::string Escaped(std::string_view step) {
  std::string out;
  for (const char c : step) {
    out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return out;
}

const json::value* Descend(const json::value* at, std::string_view pointer) {
  while (at != nullptr && !pointer.empty()) {
    pointer.remove_prefix(1);
    const size_t end = std::min(pointer.find('/'), pointer.size());
    const std::string step = Unescaped(pointer.substr(0, end));
    pointer.remove_prefix(end);
    if (at->is_object()) {
      at = at->get_object().if_contains(step);
    } else if (at->is_array() && !step.empty() && step.size() < 8 &&
               step.find_first_not_of("0123456789") == std::string::npos) {
      at = at->get_array().if_contains(std::stoul(step));
    } else {
      at = nullptr;
    }
  }
  return at;
}

std::string TextOf(const json::object& object, std::string_view key) { return GetString(object, key); }

}  // namespace

Result<SchemaReferences> SchemaReferences::Index(const json::value& document, Budget& budget) {
  SchemaReferences out;
  out.document_ = &document;
  if (document.is_object()) {
    const std::string draft = TextOf(document.get_object(), "$schema");
    for (const std::string_view old : {"draft-03", "draft-04", "draft-05", "draft-06", "draft-07"}) {
      out.reference_stands_alone_ = out.reference_stands_alone_ || draft.find(old) != std::string::npos;
    }
    for (const std::string_view old : {"draft-03", "draft-04", "draft-05"}) {
      out.fractions_can_be_integers_ = out.fractions_can_be_integers_ && draft.find(old) == std::string::npos;
    }
  }
  ATELIER_TRY(out.Walk(document, budget));
  return out;
}

void SchemaReferences::Note(const json::object& object, const json::value& value, std::string& base) {
  std::string id = TextOf(object, "$id");
  // "id" is draft 4's; a property may have that name, too, and then is no string.
  if (id.empty()) {
    id = TextOf(object, "id");
  }
  if (!id.empty()) {
    const Uri uri = Split(id);
    if (!uri.scheme.empty() || !uri.authority.empty() || !uri.path.empty()) {
      base = Absolute(base, uri);
      resources_.try_emplace(base, &value);
    }
    if (!uri.fragment.empty()) {
      resources_.try_emplace(base + "#" + uri.fragment, &value);
    }
  }
  for (const std::string_view kind : {"$anchor", "$dynamicAnchor"}) {
    if (const std::string anchor = TextOf(object, kind); !anchor.empty()) {
      resources_.try_emplace(base + "#" + anchor, &value);
      dynamic_anchors_[anchor] += kind == "$dynamicAnchor" ? 1 : 0;
    }
  }
  has_unevaluated_ =
      has_unevaluated_ || object.contains("unevaluatedProperties") || object.contains("unevaluatedItems");
  bases_.emplace(&object, base);
}

Status SchemaReferences::Walk(const json::value& document, Budget& budget) {
  struct Open {
    const json::value* value;
    std::string base;
    size_t depth;
  };
  std::vector<Open> open{{&document, "", 0}};
  resources_.try_emplace("", &document);
  while (!open.empty()) {
    Open at = std::move(open.back());
    open.pop_back();
    if (at.depth > budget.limits().max_source_depth) {
      return TooDeep("the schema");
    }
    if (!budget.Spend(4)) {
      return TooComplex("the schema");
    }
    if (at.value->is_object()) {
      const auto& object = at.value->get_object();
      Note(object, *at.value, at.base);
      for (const auto& [key, value] : object) {
        places_.emplace(&value, Place{at.value, std::string(key)});
        if (key != "enum" && key != "const" && key != "default" && key != "examples") {
          open.push_back({&value, at.base, at.depth + 1});
        }
      }
    } else if (at.value->is_array()) {
      const auto& array = at.value->get_array();
      for (size_t i = 0; i < array.size(); ++i) {
        places_.emplace(&array[i], Place{at.value, std::to_string(i)});
        open.push_back({&array[i], at.base, at.depth + 1});
      }
    }
  }
  return {};
}

Result<const json::value*> SchemaReferences::Resolve(const json::object& holder, std::string_view reference) const {
  const Uri uri = Split(reference);
  const auto base = bases_.find(&holder);
  const std::string absolute = Absolute(base == bases_.end() ? "" : base->second, uri);
  const std::string fragment = PercentDecoded(uri.fragment);
  const json::value* found = nullptr;
  if (fragment.empty() || fragment.front() == '/') {
    auto resource = resources_.find(absolute);
    if (resource == resources_.end()) {
      resource = resources_.find(absolute + "#");
    }
    // A document is also known by its own address, and pointers from a part of it are often meant from its top.
    if (resource != resources_.end()) {
      found = Descend(resource->second, fragment);
    }
    if (found == nullptr && uri.scheme.empty() && uri.authority.empty() && uri.path.empty()) {
      found = Descend(document_, fragment);
    }
  } else if (const auto anchor = resources_.find(absolute + "#" + fragment); anchor != resources_.end()) {
    found = anchor->second;
  }
  if (found == nullptr) {
    return Unsupported("the reference '" + std::string(reference.substr(0, 200)) + "', which leads to nothing here,",
                       "");
  }
  return found;
}

std::string SchemaReferences::PointerOf(const json::value& schema) const {
  std::string pointer;
  for (auto at = places_.find(&schema); at != places_.end(); at = places_.find(at->second.parent)) {
    pointer = "/" + Escaped(at->second.step) + pointer;
  }
  return pointer;
}

bool SchemaReferences::IsDynamic(std::string_view anchor) const {
  const auto found = dynamic_anchors_.find(std::string(anchor));
  return found != dynamic_anchors_.end() && found->second > 1;
}

}  // namespace atelier::engine::grammar
