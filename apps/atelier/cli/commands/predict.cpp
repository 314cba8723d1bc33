// atelier predict
#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "atelier/cli/answer_printer.h"
#include "atelier/cli/commands/commands.h"
#include "atelier/cli/inputs.h"
#include "atelier/cli/sampling.h"
#include "atelier/cli/source.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr uint64_t kMaxInlineBytes = 64ULL << 20U;
constexpr int64_t kCompletionTokens = 256;  // the server's own default is 16

struct PredictOptions {
  std::string name;
  std::vector<std::string> inputs;
  int top = 3;
  bool text = false;
  bool statistics = false;
  SamplingOptions sampling;
};

Result<std::string> ReadBase64(const std::string& path) {
  ATELIER_ASSIGN(file, OpenFile(path));
  if (file->size() > kMaxInlineBytes) {
    return InvalidArgument("'" + path + "' is larger than 64 MiB", "", "usage");
  }
  std::string bytes(static_cast<size_t>(file->size()), '\0');
  ATELIER_TRY(file->Read(0, std::span(bytes.data(), bytes.size())));
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  text.resize(static_cast<size_t>(length));
  return text;
}

// Files only: as they are, in one form.
Result<json::object> SendFiles(Session& session, const PredictOptions& options, const std::vector<Input>& inputs) {
  Multipart form;
  form.Field("model", options.name);
  form.Field("top_k", std::to_string(options.top));
  std::vector<std::unique_ptr<Source>> sources;
  for (const auto& input : inputs) {
    ATELIER_ASSIGN(source, OpenFile(input.file));
    form.File("file", input.file.substr(input.file.rfind('/') + 1), *source, 0, source->size());
    sources.push_back(std::move(source));
  }
  HttpRequest request{.method = "POST", .target = "/v1/predict"};
  form.Finish(request);
  return session.api.Call(request);
}

Result<json::object> SendJson(Session& session, const PredictOptions& options, const std::vector<Input>& inputs) {
  json::array values;
  for (const auto& input : inputs) {
    if (!input.file.empty()) {
      ATELIER_ASSIGN(image, ReadBase64(input.file));
      values.push_back(json::object{{"image", std::move(image)}});
    }
    for (const auto& value : input.values) {
      values.push_back(value);
    }
  }
  return session.api.Post("/v1/predict",
                          {{"model", options.name}, {"inputs", std::move(values)}, {"top_k", options.top}});
}

// The labels after the first, with their probabilities.
std::string Others(const json::object& prediction) {
  const auto& top = ArrayIn(prediction, "top");
  std::string text;
  for (size_t i = 1; i < top.size(); ++i) {
    if (const auto* item = top[i].if_object()) {
      text += (text.empty() ? "" : ", ") + Cell(*item, "label") + " " + HumanPercent(GetNumber(*item, "probability"));
    }
  }
  return text;
}

std::string Joined(const json::array& values) {
  std::string text;
  for (const auto& value : values) {
    text += (text.empty() ? "" : " ") + CellOf(value);
  }
  return text;
}

// "EU/B-ORG rejects/O"
std::string Tags(const json::object& prediction) {
  const auto& tokens = ArrayIn(prediction, "tokens");
  const auto& tags = ArrayIn(prediction, "tags");
  std::string text;
  for (size_t i = 0; i < std::min(tokens.size(), tags.size()); ++i) {
    text += (text.empty() ? "" : " ") + CellOf(tokens[i]) + "/" + CellOf(tags[i]);
  }
  return text;
}

std::string Values(const json::object& prediction) {
  if (prediction.contains("text")) {
    return Cell(prediction, "text");
  }
  if (prediction.contains("tags")) {
    return Tags(prediction);
  }
  if (prediction.contains("forecast")) {
    return Joined(ArrayIn(prediction, "forecast"));
  }
  if (prediction.contains("embedding")) {
    return Joined(ArrayIn(prediction, "embedding"));
  }
  std::string text;
  for (const auto& value : ObjectIn(prediction, "values")) {
    text += (text.empty() ? "" : ", ") + std::string(value.key()) + " = " + CellOf(value.value());
  }
  return text.empty() ? Cell(prediction, "value") : text;
}

void PrintPredictions(const json::object& answer, const std::vector<std::string>& labels) {
  const auto& data = ArrayIn(answer, "data");
  const bool classes = !data.empty() && data[0].is_object() && data[0].get_object().contains("label");
  Table table(classes ? std::vector<std::string>{"INPUT", "LABEL", "PROBABILITY", "OTHERS"}
                      : std::vector<std::string>{"INPUT", "VALUE"});
  for (size_t i = 0; i < data.size(); ++i) {
    const auto* prediction = data[i].if_object();
    if (prediction == nullptr) {
      continue;
    }
    const std::string label = Fit(Escape(i < labels.size() ? labels[i] : std::to_string(i)), 40);
    if (classes) {
      table.Add({label, Cell(*prediction, "label"), HumanPercent(GetNumber(*prediction, "probability")),
                 Others(*prediction)});
    } else {
      table.Add({label, Values(*prediction)});
    }
  }
  PrintText(table.Text());
}

// The text that comes after each of the inputs.
Status Complete(Session& session, const PredictOptions& options, json::object body) {
  body["model"] = options.name;
  if (session.json) {
    body["prompt"] = json::value_from(options.inputs);
    ATELIER_ASSIGN(answer, WholeAnswer(session.api, "/v1/completions", body));
    PrintJson(answer);
    return {};
  }
  for (const std::string& prompt : options.inputs) {
    body["prompt"] = prompt;
    AnswerPrinter printer;
    TextAnswer answer;
    const auto show = [&printer](PieceKind kind, std::string_view text) { printer.Show(kind, text); };
    const Status status = StreamAnswer(session.api, "/v1/completions", body, show, answer);
    printer.Finish(answer);
    ATELIER_TRY(status);
    if (options.statistics) {
      PrintAside("[" + answer.Statistics() + "]");
    }
  }
  return {};
}

// How many tokens fit behind each of the inputs, at most kCompletionTokens; nothing where it is no language model.
Result<std::optional<int64_t>> RoomOf(Api& api, const PredictOptions& options) {
  int64_t room = kCompletionTokens;
  for (const std::string& prompt : options.inputs) {
    const auto answer = api.Post("/tokenize", {{"model", options.name}, {"prompt", prompt}});
    if (!answer.ok()) {
      return answer.error().reason == "model_not_supported" ? Result<std::optional<int64_t>>(std::nullopt)
                                                            : answer.error();
    }
    room = std::min(room, GetInt(*answer, "max_model_len") - GetInt(*answer, "count"));
  }
  return std::optional(std::max<int64_t>(room, 1));  // a text that is too long is for the server to refuse
}

Status PredictOthers(Session& session, const PredictOptions& options) {
  std::vector<Input> inputs;
  std::vector<std::string> labels;
  for (const auto& argument : options.inputs) {
    ATELIER_ASSIGN(input,
                   options.text ? Result<Input>(Input{argument, "", {json::value(argument)}}) : ParseInput(argument));
    const size_t count = input.file.empty() ? input.values.size() : 1;
    for (size_t i = 0; i < count; ++i) {
      labels.push_back(count == 1 ? input.label : input.label + " #" + std::to_string(i));
    }
    inputs.push_back(std::move(input));
  }
  const bool files = std::all_of(inputs.begin(), inputs.end(), [](const Input& input) { return !input.file.empty(); });
  ATELIER_ASSIGN(answer, files ? SendFiles(session, options, inputs) : SendJson(session, options, inputs));
  if (session.json) {
    PrintJson(answer);
  } else {
    PrintPredictions(answer, labels);
  }
  return {};
}

Status Predict(Session& session, const PredictOptions& options) {
  ATELIER_ASSIGN(fields, SamplingFields(options.sampling));
  ATELIER_ASSIGN(room, RoomOf(session.api, options));
  if (room.has_value()) {
    fields.emplace("max_tokens", *room);
    return Complete(session, options, std::move(fields));
  }
  if (!fields.empty()) {
    return InvalidArgument("'" + options.name + "' is no language model: there is nothing to sample", "", "usage");
  }
  return PredictOthers(session, options);
}

}  // namespace

void AddPredictCommand(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<PredictOptions>();
  auto* command = app.add_subcommand("predict", "Ask a deployment");
  command->add_option("name", options->name, "Deployment, or MODEL@VERSION of one")->required();
  command
      ->add_option(
          "input", options->inputs,
          "Picture files, numbers (1,2,3), records (a=1,b=2), JSON, @FILE.json, or text; a language model goes on "
          "with every text")
      ->required();
  command->add_option("--top", options->top, "How many labels")->check(CLI::Range(1, 100))->capture_default_str();
  command->add_flag("--text", options->text, "Take every input as text");
  command->add_flag("--stats", options->statistics, "Print tokens and times of a language model's answer");
  AddSamplingOptions(*command, options->sampling);
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Predict(s, *options); }; });
}

}  // namespace atelier::cli
