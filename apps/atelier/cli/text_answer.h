// What a language model answers, as it arrives.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/cli/api.h"
#include "base/result.h"

namespace atelier::cli {

struct CalledTool {
  std::string id;
  std::string name;
  std::string arguments;  // JSON text
};

struct TextAnswer {
  std::string content;
  std::string reasoning;
  std::vector<CalledTool> calls;
  std::string finish_reason;
  int64_t prompt_tokens = 0;
  int64_t cached_tokens = 0;
  int64_t completion_tokens = 0;
  double first_s = 0;  // from the request to the first piece
  double total_s = 0;

  bool empty() const { return content.empty() && reasoning.empty() && calls.empty(); }
  // For the next request of a conversation: {"role":"assistant","content",...}; reasoning is left out.
  boost::json::object Message() const;
  // "42 tokens, 17.3 tokens/s, first after 0.12 s"
  std::string Statistics() const;
};

enum class PieceKind { kContent, kReasoning };
using ShowPiece = std::function<void(PieceKind, std::string_view)>;

// Adds one event of a stream of /v1/chat/completions or /v1/completions, and shows what is new in it. What has another
// shape is ignored, but for an event with "error", which is the error. Only the first choice is read.
Status AddChunk(const boost::json::object& chunk, const ShowPiece& show, TextAnswer& answer);

// Asks for a stream and reads it to its end. `answer` has what arrived, also on an error: the server's; kUnavailable
// "connection_failed" (it broke, or ended before its end); kCancelled "interrupted" (SIGINT: the server stops, too).
Status StreamAnswer(Api& api, const std::string& target, boost::json::object body, const ShowPiece& show,
                    TextAnswer& answer);

// Asks for an answer at once, as the server gives it; it may take a day.
Result<boost::json::object> WholeAnswer(Api& api, const std::string& target, const boost::json::object& body);

}  // namespace atelier::cli
