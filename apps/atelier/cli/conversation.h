// A conversation with a language model, and how it is asked to answer.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::cli {

class Conversation {
 public:
  // `settings`: fields of a chat's request, such as temperature.
  Conversation(std::string model, boost::json::object settings)
      : model_(std::move(model)), settings_(std::move(settings)) {}

  const boost::json::array& messages() const { return messages_; }

  void SetSystem(std::string text) { system_ = std::move(text); }  // empty: none
  // A field of the following requests; null removes it. Errors: kInvalidArgument "usage" for what the conversation
  // itself sets.
  Status Set(const std::string& key, boost::json::value value);
  void Ask(std::string_view text);
  void Answer(boost::json::object message) { messages_.push_back(std::move(message)); }
  // Takes back the last question, which got no answer.
  void Withdraw();
  // Takes back the last answer, so that its question can be asked again; false: there is none.
  bool TakeBackAnswer();
  void Clear() { messages_.clear(); }

  // The body of the request for the next answer.
  boost::json::object Request() const;

  // {"model","system","messages","settings"}, and back; of a file that is a list of messages, these only. The model
  // stays. Errors: kInvalidArgument "usage", and nothing is changed.
  boost::json::object Saved() const;
  Status Restore(const boost::json::value& saved);

 private:
  std::string model_;
  std::string system_;
  boost::json::array messages_;
  boost::json::object settings_;
};

}  // namespace atelier::cli
