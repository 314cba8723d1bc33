// Reads one call written as a JSON object: {"name": "f", "arguments": {...}}.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/call_reader.h"
#include "engine/chat/json_scanner.h"

namespace atelier::engine::chat {

inline constexpr size_t kMaxNameBytes = 256;

// Whether `name` may name a tool: 1 to 256 bytes of UTF-8 without control characters.
bool IsToolName(std::string_view name);

struct ObjectRules {
  // For objects that no mark announces: an object with other members, without arguments, or (if there are any names
  // here) of another name is no call.
  bool unannounced = false;
  std::vector<std::string> names{};
};

// The members may come in any order; the arguments may be called "parameters", and may be missing or null ({}), an
// object, or an object written into a string, which is unpacked. The call starts as soon as its name is known and its
// arguments begin; from then on the arguments are handed on byte by byte. The object ends with its closing bracket,
// which is committed. Fails on anything else.
class ObjectReader final : public CallReader {
 public:
  explicit ObjectReader(ObjectRules rules) : rules_(std::move(rules)) {}
  Progress Step(char byte, CallSink& sink) override;

 private:
  enum class Place { kOpen, kFirstKey, kNextKey, kKey, kColon, kValue, kAfterValue };
  enum class Member { kName, kArguments, kOther };

  Progress Key(char byte);
  bool BeginMember(std::string_view key);
  Progress Value(char byte, CallSink& sink);
  Progress AfterValue(char byte, CallSink& sink);
  // The value of the member is complete in text_. False: it cannot be that member's.
  bool EndMember(CallSink& sink);
  bool SetArguments();
  void Announce(CallSink& sink, std::string_view arguments);

  ObjectRules rules_;
  Place place_ = Place::kOpen;
  Member member_ = Member::kOther;
  JsonScanner scanner_{true};
  std::string text_;  // of the key or value being read, unless it streams
  bool streaming_ = false;
  bool announced_ = false;
  std::optional<std::string> name_;
  std::optional<std::string> arguments_;
};

}  // namespace atelier::engine::chat
