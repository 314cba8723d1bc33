#include "atelier/cli/inputs.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "atelier/cli/values.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

constexpr uintmax_t kMaxJsonBytes = 64U << 20U;

bool ParseFinite(std::string_view text, double& number) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
  return ec == std::errc() && end == text.data() + text.size() && std::isfinite(number);
}

bool IsPictureName(const std::string& name) {
  static constexpr std::array<std::string_view, 7> kEndings{".png", ".jpg", ".jpeg", ".bmp", ".webp", ".gif", ".ppm"};
  std::string extension = fs::path(name).extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), extension) != kEndings.end();
}

Result<json::value> ReadJson(const std::string& path) {
  std::error_code ec;
  const auto size = fs::file_size(path, ec);
  if (ec) {
    return Usage("cannot read '" + path + "': " + ec.message());
  }
  if (size > kMaxJsonBytes) {
    return Usage("'" + path + "' is larger than 64 MiB");
  }
  std::ifstream stream(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), std::istreambuf_iterator<char>());
  auto value = ParseJson(text, {.max_bytes = kMaxJsonBytes});
  if (!value.ok()) {
    return Usage("'" + path + "': " + value.error().message);
  }
  return std::move(*value);
}

// A list of lists stays one input (a matrix), since nothing tells it from several rows.
std::vector<json::value> Inputs(json::value value) {
  const auto list = [](const json::array& array) { return std::vector<json::value>(array.begin(), array.end()); };
  if (const auto* object = value.if_object()) {
    const auto* inputs = object->if_contains("inputs");
    if (inputs != nullptr && inputs->is_array()) {
      return list(inputs->get_array());
    }
  }
  if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    const auto separate = [](const json::value& item) { return item.is_object() || item.is_string(); };
    if (std::all_of(array->begin(), array->end(), separate)) {
      return list(*array);
    }
  }
  return {std::move(value)};
}

// Takes one field's value off the front of `rest`, up to a comma outside quotes.
Result<json::value> TakeValue(std::string_view& rest) {
  std::string_view trimmed = rest.substr(std::min(rest.find_first_not_of(' '), rest.size()));
  if (trimmed.starts_with('"')) {
    const size_t close = trimmed.find('"', 1);
    const size_t comma = trimmed.find(',', close == std::string_view::npos ? 0 : close);
    if (close == std::string_view::npos || !Trim(trimmed.substr(close + 1, comma - close - 1)).empty()) {
      return Usage("a quoted value is not closed");
    }
    rest = comma == std::string_view::npos ? "" : trimmed.substr(comma);
    return json::value(trimmed.substr(1, close - 1));
  }
  const size_t comma = rest.find(',');
  const std::string_view text = Trim(rest.substr(0, comma));
  rest = comma == std::string_view::npos ? "" : rest.substr(comma);
  double number = 0;
  if (ParseFinite(text, number)) {
    return json::value(number);
  }
  return text.empty() ? json::value(nullptr) : json::value(text);
}

}  // namespace

Result<json::array> ParseNumbers(std::string_view text) {
  json::array numbers;
  while (true) {
    const size_t comma = text.find(',');
    double number = 0;
    if (!ParseFinite(Trim(text.substr(0, comma)), number)) {
      return Usage("not a list of numbers");
    }
    numbers.emplace_back(number);
    if (comma == std::string_view::npos) {
      return numbers;
    }
    text.remove_prefix(comma + 1);
  }
}

Result<json::object> ParseRecord(std::string_view text) {
  json::object record;
  while (true) {
    const size_t equals = text.find('=');
    const std::string_view key = Trim(text.substr(0, equals));
    if (equals == std::string_view::npos || key.empty() || key.find(',') != std::string_view::npos) {
      return Usage("not a record: every field must be name=value");
    }
    if (record.contains(key)) {
      return Usage("the field '" + std::string(key) + "' is given twice");
    }
    text.remove_prefix(equals + 1);
    ATELIER_ASSIGN(value, TakeValue(text));
    record[key] = std::move(value);
    if (text.empty()) {
      return record;
    }
    text.remove_prefix(1);
  }
}

Result<Input> ParseInput(const std::string& argument) {
  Input input{.label = argument, .file = "", .values = {}};
  const std::string_view trimmed = Trim(argument);
  if (argument.starts_with('@')) {
    ATELIER_ASSIGN(value, ReadJson(argument.substr(1)));
    input.values = Inputs(std::move(value));
    return input;
  }
  if (trimmed.starts_with('[') || trimmed.starts_with('{')) {
    auto value = ParseJson(trimmed);
    if (!value.ok()) {
      return Usage(value.error().message);
    }
    input.values.push_back(std::move(*value));
    return input;
  }
  std::error_code ec;
  if (fs::is_regular_file(argument, ec)) {
    input.file = argument;
    return input;
  }
  if (IsPictureName(argument)) {
    return Usage("there is no file '" + argument + "'");
  }
  if (auto numbers = ParseNumbers(trimmed); numbers.ok()) {
    input.values.emplace_back(std::move(*numbers));
  } else if (auto record = ParseRecord(trimmed); record.ok()) {
    input.values.emplace_back(std::move(*record));
  } else {
    input.values.emplace_back(argument);
  }
  return input;
}

}  // namespace atelier::cli
