// POST /api/chat and /api/generate.
#include <utility>

#include "api/handlers.h"
#include "api/ollama/answers.h"
#include "api/ollama/fields.h"
#include "api/text/models.h"

namespace atelier::api::ollama {
namespace {

constexpr size_t kMaxTextBytes = 8U << 20U;
constexpr size_t kMaxTools = 128;

struct Question {
  Common common;
  bool chat = false;
  bool load = false;  // nothing to answer: the model is only to be ready
  std::string prompt;
  std::string system;
  bool raw = false;
  engine::ChatPrompt conversation;
};

Result<Question> ReadChat(const Services& services, const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  question.chat = true;
  ATELIER_ASSIGN(common, ReadCommon(fields, body, services.rng));
  question.common = std::move(common);
  ATELIER_ASSIGN(messages, ReadMessages(fields));
  question.load = messages.empty();
  question.conversation.messages = json::serialize(messages);
  ATELIER_ASSIGN(tools, fields.ArrayOr("tools", kMaxTools));
  if (tools != nullptr && !tools->empty()) {
    question.conversation.tools = json::serialize(*tools);
  }
  ATELIER_ASSIGN(variables, ReadThink(body));
  question.conversation.template_kwargs = std::move(variables);
  return question;
}

Result<Question> ReadGenerate(const Services& services, const Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  Question question;
  ATELIER_ASSIGN(common, ReadCommon(fields, body, services.rng));
  question.common = std::move(common);
  ATELIER_ASSIGN(prompt, fields.StringOr("prompt", "", kMaxTextBytes));
  question.prompt = std::move(prompt);
  question.load = question.prompt.empty();
  ATELIER_ASSIGN(system, fields.StringOr("system", "", kMaxTextBytes));
  question.system = std::move(system);
  ATELIER_ASSIGN(raw, fields.BoolOr("raw", false));
  question.raw = raw;
  ATELIER_TRY(RefuseImages(fields));
  for (const char* key : {"suffix", "template"}) {
    ATELIER_ASSIGN(text, fields.StringOr(key, "", kMaxTextBytes));
    if (!text.empty()) {
      return InvalidArgument("'" + std::string(key) + "' is not supported", key, "unsupported_parameter");
    }
  }
  ATELIER_ASSIGN(variables, ReadThink(body));
  question.conversation.template_kwargs = std::move(variables);
  return question;
}

void SetPrompt(Question& question, const engine::GenerativeDescription& description) {
  auto& request = question.common.request;
  if (!question.chat && (question.raw || !description.has_chat_template)) {
    request.prompt = engine::TextPrompt{
        question.system.empty() ? std::move(question.prompt) : question.system + "\n" + question.prompt, true};
    return;
  }
  if (!question.chat) {
    json::array messages;
    if (!question.system.empty()) {
      messages.push_back({{"role", "system"}, {"content", question.system}});
    }
    messages.push_back({{"role", "user"}, {"content", question.prompt}});
    question.conversation.messages = json::serialize(messages);
  }
  request.prompt = std::move(question.conversation);
  request.parse_chat = true;
}

Response Loaded(const Wish& wish) {
  json::object out = Head(wish);
  if (wish.chat) {
    out["message"] = {{"role", "assistant"}, {"content", ""}};
  } else {
    out["response"] = "";
  }
  out["done"] = true;
  out["done_reason"] = "load";
  return JsonResponse(out);
}

Status Run(const Services& services, Request& request, Question question, Done done) {
  Common& common = question.common;
  ATELIER_ASSIGN(model, text::Pin(services, common.model, text::Use::kGenerate));
  Wish wish{common.model, request.id, question.chat, &services.clock};
  if (question.load) {
    done(Loaded(wish));
    return {};
  }
  SetPrompt(question, model->description());
  common.request.request_id = request.id;
  text::Work work{std::move(model), {}};
  work.requests.push_back(std::move(common.request));
  if (common.stream) {
    text::RunStream(services, request, std::move(work), MakeLines(std::move(wish)), std::move(done));
    return {};
  }
  const auto make = [wish = std::move(wish)](std::vector<text::Answer> answers) -> Result<Response> {
    return JsonResponse(WholeAnswer(wish, answers.front()));
  };
  text::RunWhole(request, std::move(work), make, std::move(done));
  return {};
}

}  // namespace

Status Chat(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadChat(services, request));
  return Run(services, request, std::move(question), std::move(done));
}

Status Generate(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(question, ReadGenerate(services, request));
  return Run(services, request, std::move(question), std::move(done));
}

}  // namespace atelier::api::ollama
