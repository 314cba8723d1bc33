// POST /v1/words/nearest, /v1/words/analogy, /v1/words/similarity: what word vectors answer.
#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/json_text.h"
#include "base/json.h"
#include "serving/deployments.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kDefaultTop = 10;
constexpr int64_t kMaxTop = 1000;
constexpr size_t kMaxListed = 100;  // words of one question
constexpr size_t kMaxPairs = 1000;
constexpr size_t kMaxWordBytes = 4096;

// The worker takes several words in one field, divided by line feeds, which no word has.
Status CheckWord(const std::string& word, const std::string& param) {
  if (word.empty() || word.size() > kMaxWordBytes || word.find('\n') != std::string::npos) {
    return InvalidArgument("'" + param + "' must be a word", param);
  }
  return {};
}

Result<std::string> ReadWord(Fields& fields, std::string_view key) {
  ATELIER_ASSIGN(word, fields.String(key, kMaxWordBytes));
  ATELIER_TRY(CheckWord(word, fields.Path(key)));
  return word;
}

Result<std::string> ReadWords(Fields& fields, std::string_view key) {
  ATELIER_ASSIGN(words, fields.StringsOr(key, {}, kMaxListed));
  std::string joined;
  for (const std::string& word : words) {
    ATELIER_TRY(CheckWord(word, fields.Path(key)));
    joined += word + "\n";
  }
  return joined;
}

Result<serving::PredictRequest> NewRequest(Fields& fields, const Request& request) {
  ATELIER_ASSIGN(model, fields.String("model", 300));
  if (model.empty()) {
    return InvalidArgument("'model' is empty", "model");
  }
  return serving::PredictRequest{.request_id = request.id, .model = std::move(model), .instances = {}};
}

// Other models would refuse the record as well, but say something else.
Status CheckFamily(const Services& services, const std::string& model) {
  const auto status = services.serving.GetStatus(model);
  if (status.ok() && status->signature != nullptr && status->signature->family != "word2vec" &&
      status->signature->family != "glove") {
    return InvalidArgument("'" + model + "' is no model of word vectors", "model", "model_not_supported");
  }
  return {};
}

Response Begin(const serving::PredictAnswer& answer) {
  Response response;
  response.worker_ns = answer.worker_ns;
  response.body = "{\"object\":\"list\",\"model\":";
  AppendJson(answer.model_name + "@" + std::to_string(answer.model_version), response.body);
  response.body += ",\"data\":[";
  return response;
}

Response Neighbours(const serving::PredictAnswer& answer) {
  Response response = Begin(answer);
  std::string& out = response.body;
  const serving::Answer& one = answer.answers.front();
  for (size_t i = 0; i < std::min(one.texts.size(), one.values.size()); ++i) {
    out += i == 0 ? "{\"word\":" : ",{\"word\":";
    AppendJson(one.texts[i], out);
    out += ",\"similarity\":";
    AppendJson(one.values[i], out);
    out += '}';
  }
  out += "]}";
  return response;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

Response Similarities(const serving::PredictAnswer& answer, const Pairs& pairs) {
  Response response = Begin(answer);
  std::string& out = response.body;
  for (size_t i = 0; i < std::min(pairs.size(), answer.answers.size()); ++i) {
    out += i == 0 ? "{\"first\":" : ",{\"first\":";
    AppendJson(pairs[i].first, out);
    out += ",\"second\":";
    AppendJson(pairs[i].second, out);
    out += ",\"similarity\":";
    const auto& values = answer.answers[i].values;
    AppendJson(values.empty() ? 0.0F : values.front(), out);
    out += '}';
  }
  out += "]}";
  return response;
}

template <class Make>
Status Ask(const Services& services, serving::PredictRequest question, Done done, Make make) {
  ATELIER_TRY(CheckFamily(services, question.model));
  services.serving.Predict(std::move(question),
                           [done = std::move(done), make = std::move(make)](Result<serving::PredictAnswer> answer) {
                             if (!answer.ok()) {
                               done(std::move(answer).error());
                             } else if (answer->answers.empty()) {
                               done(Internal("the worker gave no answer"));
                             } else {
                               done(make(*answer));
                             }
                           });
  return {};
}

Result<serving::Record> WithTop(Fields& fields, serving::Record record) {
  ATELIER_ASSIGN(top, fields.IntOr("top", kDefaultTop, 1, kMaxTop));
  record["top"] = static_cast<double>(top);
  return record;
}

Result<Pairs> ReadPairs(Fields& fields) {
  ATELIER_ASSIGN(list, fields.ArrayOr("pairs", kMaxPairs));
  if (list == nullptr || list->empty()) {
    return InvalidArgument("'pairs' must be a list of pairs of words", "pairs", "missing_required_parameter");
  }
  Pairs pairs;
  for (size_t i = 0; i < list->size(); ++i) {
    const std::string param = "pairs[" + std::to_string(i) + "]";
    const auto* pair = (*list)[i].if_array();
    if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_string()) {
      return InvalidArgument("'" + param + "' must be a list of two words", param);
    }
    pairs.emplace_back((*pair)[0].get_string(), (*pair)[1].get_string());
    ATELIER_TRY(CheckWord(pairs.back().first, param));
    ATELIER_TRY(CheckWord(pairs.back().second, param));
  }
  return pairs;
}

}  // namespace

Status NearestWords(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(question, NewRequest(fields, request));
  serving::Record record;
  if (fields.Has("word")) {
    ATELIER_ASSIGN(word, ReadWord(fields, "word"));
    record["word"] = std::move(word);
  }
  ATELIER_ASSIGN(positive, ReadWords(fields, "positive"));
  ATELIER_ASSIGN(negative, ReadWords(fields, "negative"));
  if (record.empty() && positive.empty() && negative.empty()) {
    return InvalidArgument("'word', or words in 'positive' or 'negative', are missing", "word",
                           "missing_required_parameter");
  }
  record["positive"] = std::move(positive);
  record["negative"] = std::move(negative);
  ATELIER_ASSIGN(whole, WithTop(fields, std::move(record)));
  ATELIER_TRY(fields.RejectUnknown());
  question.instances.emplace_back(std::move(whole));
  return Ask(services, std::move(question), std::move(done), Neighbours);
}

Status WordAnalogy(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(question, NewRequest(fields, request));
  ATELIER_ASSIGN(a, ReadWord(fields, "a"));
  ATELIER_ASSIGN(b, ReadWord(fields, "b"));
  ATELIER_ASSIGN(c, ReadWord(fields, "c"));
  ATELIER_ASSIGN(record, WithTop(fields, {{"positive", b + "\n" + c}, {"negative", a}}));
  ATELIER_TRY(fields.RejectUnknown());
  question.instances.emplace_back(std::move(record));
  return Ask(services, std::move(question), std::move(done), Neighbours);
}

Status WordSimilarity(const Services& services, Request& request, Done done) {
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(question, NewRequest(fields, request));
  ATELIER_ASSIGN(pairs, ReadPairs(fields));
  ATELIER_TRY(fields.RejectUnknown());
  for (const auto& [first, second] : pairs) {
    question.instances.emplace_back(serving::Record{{"first", first}, {"second", second}});
  }
  return Ask(services, std::move(question), std::move(done),
             [pairs = std::move(pairs)](const serving::PredictAnswer& answer) { return Similarities(answer, pairs); });
}

}  // namespace atelier::api::platform
