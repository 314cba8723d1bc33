// Server-sent events (WHATWG HTML, section 9.2.6), read as they arrive.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace atelier::cli {

struct SseEvent {
  std::string id;
  std::string type;
  std::string data;
};

// Feed it any cuts of the stream; it calls back once for each whole event with data. Comments are dropped.
class SseParser {
 public:
  explicit SseParser(std::function<void(const SseEvent&)> on_event) : on_event_(std::move(on_event)) {}
  void Feed(std::string_view bytes);

 private:
  void Line(std::string_view line);

  std::function<void(const SseEvent&)> on_event_;
  std::string line_;
  SseEvent event_;
  bool has_data_ = false;
  bool after_cr_ = false;
};

}  // namespace atelier::cli
