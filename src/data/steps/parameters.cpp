#include "data/steps/parameters.h"

#include <algorithm>
#include <cmath>

#include "base/ids.h"
#include "data/steps/step.h"

namespace atelier::data::steps {
namespace {

constexpr size_t kMaxTextBytes = 65536;
constexpr size_t kMaxItems = 65536;
constexpr double kLargestInteger = 9007199254740991.0;  // 2^53 - 1

std::string Shown(std::string_view text) { return "'" + std::string(text.substr(0, 100)) + "'"; }

bool IsChoice(std::string_view choices, std::string_view value) {
  while (true) {
    const size_t bar = choices.find('|');
    if (choices.substr(0, bar) == value) {
      return true;
    }
    if (bar == std::string_view::npos) {
      return false;
    }
    choices.remove_prefix(bar + 1);
  }
}

std::string KindNames(unsigned kinds) {
  std::string out;
  const std::pair<unsigned, const char*> names[] = {{kScalar, "number"},     {kVector, "number with a shape"},
                                                    {kCategory, "category"}, {kText, "text"},
                                                    {kImage, "image"},       {kAudio, "audio"}};
  for (const auto& [kind, name] : names) {
    if ((kinds & kind) != 0) {
      out += (out.empty() ? "" : ", ") + std::string(name);
    }
  }
  return out;
}

std::string NamesOf(const Schema& schema) {
  std::string out;
  for (const auto& column : schema.columns) {
    if (out.size() > 300) {
      return out + ", ...";
    }
    out += (out.empty() ? "" : ", ") + column.name;
  }
  return out;
}

}  // namespace

// One step's object, parameter by parameter.
class ArgumentReader {
 public:
  ArgumentReader(const StepKind& kind, const json::object& given, const Schema& schema, std::string path)
      : kind_(kind), given_(given), schema_(schema) {
    out_.path_ = std::move(path);
  }

  Result<Arguments> Read(size_t index, uint64_t seed) {
    out_.canonical_.emplace("step", kind_.name);
    for (const Parameter& parameter : kind_.parameters) {
      const json::value* value = given_.if_contains(parameter.name);
      if (value == nullptr || value->is_null()) {
        ATELIER_TRY(TakeFallback(parameter));
      } else {
        ATELIER_TRY(Take(parameter, *value));
      }
    }
    for (const auto& member : given_) {
      const std::string_view key = member.key();
      if (key != "step" && std::ranges::find(kind_.parameters, key, &Parameter::name) == kind_.parameters.end()) {
        return out_.Wrong(key.substr(0, 100), "step " + Shown(kind_.name) + " has no parameter " + Shown(key));
      }
    }
    if (out_.canonical_.contains("seed") && out_.Has("seed")) {
      seed = static_cast<uint64_t>(out_.Integer("seed"));
    }
    out_.seed_ = RowHash(seed, static_cast<int64_t>(index));
    std::ranges::sort(out_.touched_);
    const auto rest = std::ranges::unique(out_.touched_);
    out_.touched_.erase(rest.begin(), rest.end());
    return std::move(out_);
  }

 private:
  Error Wrong(const Parameter& parameter, const std::string& expected) const {
    return out_.Wrong(parameter.name, "'" + std::string(parameter.name) + "' takes " + expected);
  }

  Status TakeFallback(const Parameter& parameter) {
    if (parameter.fallback.empty()) {
      return InvalidArgument(
          "'" + out_.path_ + "." + std::string(parameter.name) + "' is missing: " + std::string(parameter.help),
          out_.path_ + "." + std::string(parameter.name), "missing_required_parameter");
    }
    if (parameter.type == ParameterType::kColumns &&
        (parameter.fallback == "all" || parameter.fallback == "features")) {
      return TakeAllColumns(parameter);
    }
    boost::system::error_code code;
    out_.canonical_.emplace(parameter.name, json::parse(parameter.fallback, code));
    return code ? Status(Internal("a step's default is no JSON")) : Status();
  }

  Status TakeAllColumns(const Parameter& parameter) {
    json::array names;
    std::vector<size_t> indices;
    for (size_t i = 0; i < schema_.columns.size(); ++i) {
      const SchemaColumn& column = schema_.columns[i];
      if ((KindOf(column) & parameter.columns) != 0 && (parameter.fallback == "all" || column.name != schema_.target)) {
        names.emplace_back(column.name);
        indices.push_back(i);
      }
    }
    if (indices.empty()) {
      return out_.Wrong(parameter.name, "there is no column of the type " + KindNames(parameter.columns));
    }
    Remember(parameter, std::move(names), std::move(indices));
    return {};
  }

  Status Take(const Parameter& parameter, const json::value& value) {
    switch (parameter.type) {
      case ParameterType::kBool:
        if (!value.is_bool()) {
          return Wrong(parameter, "true or false");
        }
        break;
      case ParameterType::kInteger:
      case ParameterType::kNumber:
        return TakeNumber(parameter, value);
      case ParameterType::kText:
      case ParameterType::kChoice:
        return TakeText(parameter, value);
      case ParameterType::kScalarValue:
        if (!value.is_bool() && !value.is_string() && !IsNumber(value)) {
          return Wrong(parameter, "a text or a number");
        }
        break;
      case ParameterType::kColumn:
      case ParameterType::kColumns:
        return TakeColumns(parameter, value);
      case ParameterType::kTexts:
      case ParameterType::kNumbers:
        return TakeList(parameter, value);
      case ParameterType::kMap:
        return TakeMap(parameter, value);
    }
    out_.canonical_.emplace(parameter.name, value);
    return {};
  }

  static bool IsNumber(const json::value& value) {
    return value.is_int64() || value.is_uint64() || (value.is_double() && std::isfinite(value.get_double()));
  }

  static bool InRange(const Parameter& parameter, const json::value& value) {
    const double number = value.to_number<double>();
    return number >= parameter.minimum && number <= parameter.maximum;
  }

  static std::string Range(const Parameter& parameter) {
    std::string out;
    if (parameter.minimum > std::numeric_limits<double>::lowest()) {
      out += " from " + json::serialize(json::value(parameter.minimum));
    }
    if (parameter.maximum < std::numeric_limits<double>::max()) {
      out += " to " + json::serialize(json::value(parameter.maximum));
    }
    return out;
  }

  Status TakeNumber(const Parameter& parameter, const json::value& value) {
    if (!IsNumber(value) || !InRange(parameter, value)) {
      return Wrong(parameter,
                   (parameter.type == ParameterType::kInteger ? "a whole number" : "a number") + Range(parameter));
    }
    if (parameter.type == ParameterType::kNumber) {
      out_.canonical_.emplace(parameter.name, value);
      return {};
    }
    const double number = value.to_number<double>();
    if (std::trunc(number) != number || std::abs(number) > kLargestInteger) {
      return Wrong(parameter, "a whole number" + Range(parameter));
    }
    out_.canonical_.emplace(parameter.name, static_cast<int64_t>(number));
    return {};
  }

  Status CheckText(const Parameter& parameter, const json::value& value, const std::string& where) {
    if (!value.is_string() || value.get_string().size() > kMaxTextBytes) {
      return out_.Wrong(where, "'" + std::string(parameter.name) + "' takes text of at most 64 KiB");
    }
    return {};
  }

  Status TakeText(const Parameter& parameter, const json::value& value) {
    ATELIER_TRY(CheckText(parameter, value, std::string(parameter.name)));
    if (parameter.type == ParameterType::kChoice && !IsChoice(parameter.choices, value.get_string())) {
      std::string choices(parameter.choices);
      std::ranges::replace(choices, '|', ' ');
      return Wrong(parameter, "one of: " + choices);
    }
    out_.canonical_.emplace(parameter.name, value);
    return {};
  }

  Result<size_t> FindColumn(const Parameter& parameter, const json::value& value, const std::string& where) {
    ATELIER_TRY(CheckText(parameter, value, where));
    const std::string_view name = value.get_string();
    const auto found = schema_.Find(name);
    if (!found) {
      return out_.Wrong(where, "there is no column " + Shown(name) + " here; the columns are: " + NamesOf(schema_));
    }
    const SchemaColumn& column = schema_.columns[*found];
    if ((KindOf(column) & parameter.columns) == 0) {
      return out_.Wrong(where, "column " + Shown(name) + " is of the type " + KindNames(KindOf(column)) + "; step " +
                                   Shown(kind_.name) + " takes here: " + KindNames(parameter.columns));
    }
    return *found;
  }

  Status TakeColumns(const Parameter& parameter, const json::value& value) {
    const std::string name(parameter.name);
    if (parameter.type == ParameterType::kColumn) {
      ATELIER_ASSIGN(index, FindColumn(parameter, value, name));
      Remember(parameter, value, {index});
      return {};
    }
    if (value.is_string()) {  // one is a list of one
      ATELIER_ASSIGN(index, FindColumn(parameter, value, name));
      Remember(parameter, json::array{value}, {index});
      return {};
    }
    const json::array* list = value.if_array();
    if (list == nullptr || list->empty() || list->size() > kMaxColumns) {
      return Wrong(parameter, "a list of columns");
    }
    std::vector<size_t> indices;
    for (size_t i = 0; i < list->size(); ++i) {
      const std::string where = name + "[" + std::to_string(i) + "]";
      ATELIER_ASSIGN(index, FindColumn(parameter, (*list)[i], where));
      if (std::ranges::find(indices, index) != indices.end()) {
        return out_.Wrong(where, "column " + Shown((*list)[i].get_string()) + " is named twice");
      }
      indices.push_back(index);
    }
    Remember(parameter, *list, std::move(indices));
    return {};
  }

  void Remember(const Parameter& parameter, json::value names, std::vector<size_t> indices) {
    out_.canonical_.emplace(parameter.name, std::move(names));
    out_.touched_.insert(out_.touched_.end(), indices.begin(), indices.end());
    out_.columns_.emplace_back(parameter.name, std::move(indices));
  }

  Status TakeList(const Parameter& parameter, const json::value& value) {
    const json::array* list = value.if_array();
    if (list == nullptr || list->size() > kMaxItems) {
      return Wrong(parameter, "a list");
    }
    for (size_t i = 0; i < list->size(); ++i) {
      const std::string where = std::string(parameter.name) + "[" + std::to_string(i) + "]";
      if (parameter.type == ParameterType::kTexts) {
        ATELIER_TRY(CheckText(parameter, (*list)[i], where));
      } else if (!IsNumber((*list)[i]) || !InRange(parameter, (*list)[i])) {
        return out_.Wrong(where, "'" + std::string(parameter.name) + "' takes numbers" + Range(parameter));
      }
    }
    out_.canonical_.emplace(parameter.name, value);
    return {};
  }

  Status TakeMap(const Parameter& parameter, const json::value& value) {
    const json::object* map = value.if_object();
    if (map == nullptr || map->empty() || map->size() > kMaxItems) {
      return Wrong(parameter, "an object of text to text");
    }
    for (const auto& member : *map) {
      if (!member.value().is_null()) {
        const std::string where = std::string(parameter.name) + "." + std::string(member.key().substr(0, 100));
        ATELIER_TRY(CheckText(parameter, member.value(), where));
      }
    }
    out_.canonical_.emplace(parameter.name, value);
    return {};
  }

  const StepKind& kind_;
  const json::object& given_;
  const Schema& schema_;
  Arguments out_;
};

bool Arguments::Has(std::string_view name) const { return !Value(name).is_null(); }
bool Arguments::Bool(std::string_view name) const { return Value(name).as_bool(); }
int64_t Arguments::Integer(std::string_view name) const { return Value(name).as_int64(); }
double Arguments::Number(std::string_view name) const { return Value(name).to_number<double>(); }
std::string Arguments::Text(std::string_view name) const { return std::string(Value(name).as_string()); }
const json::value& Arguments::Value(std::string_view name) const { return canonical_.at(name); }
const json::object& Arguments::Map(std::string_view name) const { return Value(name).as_object(); }
size_t Arguments::Column(std::string_view name) const { return Columns(name).front(); }

std::vector<size_t> Arguments::Columns(std::string_view name) const {
  for (const auto& [parameter, indices] : columns_) {
    if (parameter == name) {
      return indices;
    }
  }
  return {};
}

std::vector<std::string> Arguments::Texts(std::string_view name) const {
  std::vector<std::string> out;
  for (const auto& item : Value(name).as_array()) {
    out.emplace_back(item.as_string());
  }
  return out;
}

std::vector<double> Arguments::Numbers(std::string_view name) const {
  std::vector<double> out;
  for (const auto& item : Value(name).as_array()) {
    out.push_back(item.to_number<double>());
  }
  return out;
}

Error Arguments::Wrong(std::string_view where, const std::string& message) const {
  const std::string param = path_ + "." + std::string(where);
  return InvalidArgument(param + ": " + message, param);
}

Result<Arguments> CheckArguments(const StepKind& kind, const json::object& given, size_t index, uint64_t seed,
                                 const Schema& schema) {
  return ArgumentReader(kind, given, schema, "steps[" + std::to_string(index) + "]").Read(index, seed);
}

json::object Describe(const StepKind& kind) {
  static constexpr std::string_view kTypes[] = {"boolean", "integer", "number",  "string",  "scalar", "choice",
                                                "column",  "columns", "strings", "numbers", "map"};
  json::array parameters;
  for (const Parameter& parameter : kind.parameters) {
    json::object item{{"name", parameter.name},
                      {"type", kTypes[static_cast<size_t>(parameter.type)]},
                      {"help", parameter.help},
                      {"required", parameter.fallback.empty()}};
    boost::system::error_code code;
    if (json::value fallback = json::parse(parameter.fallback.empty() ? "null" : parameter.fallback, code); !code) {
      item["default"] = std::move(fallback);
    } else {
      item["default"] = parameter.fallback;
    }
    if (parameter.minimum > std::numeric_limits<double>::lowest()) {
      item["minimum"] = parameter.minimum;
    }
    if (parameter.maximum < std::numeric_limits<double>::max()) {
      item["maximum"] = parameter.maximum;
    }
    if (!parameter.choices.empty()) {
      item["choices"] = parameter.choices;
    }
    if (parameter.type == ParameterType::kColumn || parameter.type == ParameterType::kColumns) {
      item["column_types"] = KindNames(parameter.columns);
    }
    parameters.push_back(std::move(item));
  }
  return {{"step", kind.name}, {"help", kind.help}, {"parameters", std::move(parameters)}};
}

}  // namespace atelier::data::steps
