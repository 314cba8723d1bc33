#include "base/log.h"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <array>
#include <charconv>
#include <cmath>

#include "base/ids.h"

namespace atelier {
namespace {

constexpr size_t kLongestText = 8192;  // bytes of one text in a line; the rest is cut off

// spdlog writes time and level; the text of the event is the rest of the object's members.
std::shared_ptr<spdlog::logger> MakeLogger() {
  auto logger = std::make_shared<spdlog::logger>("atelier", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc, "\n"));
  logger->set_level(spdlog::level::info);
  return logger;
}

spdlog::logger& Logger() {
  static const std::shared_ptr<spdlog::logger> logger = MakeLogger();  // spdlog keeps its level, atomically
  return *logger;
}

spdlog::level::level_enum SpdlogLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      break;
  }
  return spdlog::level::err;
}

// The bytes of the UTF-8 sequence at the front of `text`; 0 when it is malformed.
size_t SequenceLength(std::string_view text) {
  for (size_t length = 1; length <= std::min<size_t>(4, text.size()); ++length) {
    if (IsUtf8(text.substr(0, length))) {
      return length;
    }
  }
  return 0;
}

void AppendEscaped(std::string& out, unsigned point) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) {
    out += kDigits[(point >> static_cast<unsigned>(shift)) & 15U];
  }
}

// A JSON string. Besides what JSON asks for, it escapes what a terminal could obey (DEL, C1 controls) or a reader could
// take for a line's end (U+2028, U+2029), and replaces malformed UTF-8.
void AppendString(std::string& out, std::string_view text) {
  const bool cut = text.size() > kLongestText;
  text = text.substr(0, kLongestText);
  out += '"';
  while (!text.empty()) {
    const size_t length = SequenceLength(text);
    const auto first = static_cast<unsigned char>(text[0]);
    const std::string_view sequence = text.substr(0, length);
    if (length == 0) {
      out += "\\ufffd";
    } else if (sequence == "\"" || sequence == "\\") {
      out += '\\';
      out += sequence;
    } else if (length == 1 && (first < 0x20 || first == 0x7F)) {
      AppendEscaped(out, first);
    } else if (length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0) {
      AppendEscaped(out, static_cast<unsigned char>(text[1]));
    } else if (sequence == "\u2028" || sequence == "\u2029") {
      AppendEscaped(out, sequence == "\u2028" ? 0x2028 : 0x2029);
    } else {
      out += sequence;
    }
    text.remove_prefix(std::max<size_t>(1, length));
  }
  out += cut ? "...\"" : "\"";
}

struct ValueWriter {
  std::string& out;

  void operator()(std::string_view text) const { AppendString(out, text); }
  void operator()(int64_t number) const { out += std::to_string(number); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(double number) const {
    if (!std::isfinite(number)) {  // JSON has no such number
      out += std::isnan(number) ? "\"nan\"" : (number > 0 ? "\"inf\"" : "\"-inf\"");
      return;
    }
    std::array<char, 32> digits{};
    const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    out.append(digits.data(), end);
  }
};

}  // namespace

void SetLogLevel(LogLevel level) { Logger().set_level(SpdlogLevel(level)); }

Result<LogLevel> LogLevelFromName(std::string_view name) {
  constexpr std::array<std::string_view, 4> kNames{"debug", "info", "warning", "error"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames.at(i) == name) {
      return static_cast<LogLevel>(i);
    }
  }
  return InvalidArgument("a log level is debug, info, warning or error", "log.level");
}

void Log(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
  spdlog::logger& logger = Logger();
  if (!logger.should_log(SpdlogLevel(level))) {
    return;
  }
  std::string line = "\"message\":";
  AppendString(line, message);
  for (const LogField& field : fields) {
    line += ',';
    AppendString(line, field.key);
    line += ':';
    std::visit(ValueWriter{line}, field.value);
  }
  logger.log(SpdlogLevel(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace atelier
