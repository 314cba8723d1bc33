#include "atelier/cli/yaml.h"

#include <yaml-cpp/yaml.h>

#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr size_t kMaxBytes = size_t{1} << 20U;
constexpr int kMaxDepth = 32;
constexpr int kMaxValues = 100'000;

class Converter {
 public:
  explicit Converter(std::string name) : name_(std::move(name)) {}

  Result<json::value> Convert(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth || ++values_ > kMaxValues) {
      return Refuse(node, "too deep, or too much");
    }
    if (node.IsSequence()) {
      json::array out;
      for (const auto& item : node) {
        ATELIER_ASSIGN(value, Convert(item, depth + 1));
        out.push_back(std::move(value));
      }
      return json::value(std::move(out));
    }
    if (node.IsMap()) {
      json::object out;
      for (const auto& entry : node) {
        if (!entry.first.IsScalar()) {
          return Refuse(entry.first, "a key must be a text");
        }
        ATELIER_ASSIGN(value, Convert(entry.second, depth + 1));
        if (!out.emplace(entry.first.Scalar(), std::move(value)).second) {
          return Refuse(entry.first, "'" + entry.first.Scalar() + "' is there twice");
        }
      }
      return json::value(std::move(out));
    }
    return node.IsScalar() ? Scalar(node) : json::value(nullptr);
  }

 private:
  Error Refuse(const YAML::Node& node, const std::string& why) const {
    return Usage(name_ + ":" + std::to_string(node.Mark().line + 1) + ": " + why);
  }

  static json::value Scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() == "!") {  // quoted
      return json::value(text);
    }
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
      return nullptr;
    }
    if (text == "true" || text == "True" || text == "TRUE") {
      return true;
    }
    if (text == "false" || text == "False" || text == "FALSE") {
      return false;
    }
    const bool numeric = text.find_first_not_of("+-.0123456789eE") == std::string::npos;
    int64_t whole = 0;
    double number = 0;
    if (numeric && YAML::convert<int64_t>::decode(node, whole) && (text.size() < 2 || text[0] != '0')) {
      return whole;
    }
    if (numeric && YAML::convert<double>::decode(node, number)) {
      return number;
    }
    return json::value(text);
  }

  std::string name_;
  int values_ = 0;
};

}  // namespace

Result<json::value> ParseYaml(std::string_view text, const std::string& name) {
  if (text.size() > kMaxBytes) {
    return Usage(name + " has more than 1 MiB");
  }
  try {
    return Converter(name).Convert(YAML::Load(std::string(text)), 0);
  } catch (const YAML::Exception& error) {
    return Usage(name + ":" + std::to_string(error.mark.line + 1) + ": " + error.msg);
  }
}

}  // namespace atelier::cli
