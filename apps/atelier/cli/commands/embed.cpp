// atelier embed
#include <cmath>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

constexpr size_t kBatchTexts = 64;
constexpr size_t kMaxCompared = 2000;  // texts of a similarity matrix
constexpr int kLabelWidth = 40;

struct EmbedOptions {
  std::string name;
  std::vector<std::string> texts;
  std::string file;
  int64_t dimensions = 0;
  bool similarity = false;
};

// Takes the vectors of some texts, in order.
using TakeVectors =
    std::function<Status(const std::vector<std::string>& texts, const std::vector<json::array>& vectors)>;

Result<std::vector<json::array>> EmbedBatch(Session& session, const EmbedOptions& options,
                                            const std::vector<std::string>& texts) {
  json::object request{{"model", options.name}, {"input", json::value_from(texts)}};
  if (options.dimensions > 0) {
    request["dimensions"] = options.dimensions;
  }
  ATELIER_ASSIGN(answer, session.api.Post("/v1/embeddings", request));
  std::vector<json::array> vectors(texts.size());
  for (auto& item : ArrayIn(answer, "data")) {
    const auto* embedding = item.if_object();
    const auto index = static_cast<uint64_t>(embedding == nullptr ? -1 : GetInt(*embedding, "index"));
    if (index < vectors.size()) {
      vectors[index] = ArrayIn(*embedding, "embedding");
    }
  }
  for (const auto& vector : vectors) {
    if (vector.empty()) {
      return Unavailable("the server's answer lacks a vector", "connection_failed");
    }
  }
  return vectors;
}

// The texts of the command line, or the lines of a file or of standard input, some at a time. Empty lines are left out.
Status ForEachBatch(const EmbedOptions& options, const std::function<Status(const std::vector<std::string>&)>& use) {
  std::ifstream file;
  if (!options.file.empty()) {
    file.open(options.file);
    if (!file) {
      return InvalidArgument("cannot read '" + options.file + "'", "", "usage");
    }
  }
  std::istream& stream = options.file.empty() ? std::cin : file;
  size_t next = 0;
  const auto read = [&](std::string& text) {
    if (options.texts.empty()) {
      return static_cast<bool>(std::getline(stream, text));
    }
    text = next < options.texts.size() ? options.texts[next] : "";
    return next++ < options.texts.size();
  };
  std::vector<std::string> batch;
  for (std::string text; read(text);) {
    if (text.ends_with('\r')) {
      text.pop_back();
    }
    if (!text.empty()) {
      batch.push_back(text);
    }
    if (batch.size() == kBatchTexts) {
      ATELIER_TRY(use(batch));
      batch.clear();
    }
  }
  return batch.empty() ? Status() : use(batch);
}

std::vector<double> UnitVector(const json::array& vector) {
  std::vector<double> unit;
  double squares = 0;
  for (const auto& value : vector) {
    unit.push_back(value.is_number() ? value.to_number<double>() : 0);
    squares += unit.back() * unit.back();
  }
  for (double& value : unit) {
    value /= squares > 0 ? std::sqrt(squares) : 1;
  }
  return unit;
}

double Product(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

void PrintSimilarities(const std::vector<std::string>& texts, const std::vector<std::vector<double>>& units,
                       bool json) {
  std::vector<std::string> header{""};
  for (size_t i = 0; i < texts.size(); ++i) {
    header.push_back("#" + std::to_string(i + 1));
  }
  Table table(std::move(header));
  json::array matrix;
  for (size_t i = 0; i < texts.size(); ++i) {
    std::vector<std::string> row{"#" + std::to_string(i + 1) + " " + Fit(Escape(texts[i]), kLabelWidth)};
    json::array numbers;
    for (const auto& other : units) {
      const double cosine = Product(units[i], other);
      char text[32];
      std::snprintf(text, sizeof(text), "%.4f", cosine);
      row.emplace_back(text);
      numbers.emplace_back(cosine);
    }
    table.Add(std::move(row));
    matrix.push_back(std::move(numbers));
  }
  if (json) {
    PrintJson(json::object{{"texts", json::value_from(texts)}, {"similarity", std::move(matrix)}});
  } else {
    PrintText(table.Text());
  }
}

Status Compare(Session& session, const EmbedOptions& options) {
  std::vector<std::string> all;
  std::vector<std::vector<double>> units;
  ATELIER_TRY(ForEachBatch(options, [&](const std::vector<std::string>& texts) -> Status {
    ATELIER_ASSIGN(vectors, EmbedBatch(session, options, texts));
    for (const auto& vector : vectors) {
      units.push_back(UnitVector(vector));
    }
    all.insert(all.end(), texts.begin(), texts.end());
    return all.size() <= kMaxCompared
               ? Status()
               : Status(InvalidArgument("more than " + std::to_string(kMaxCompared) + " texts cannot be compared", "",
                                        "usage"));
  }));
  PrintSimilarities(all, units, session.json);
  return {};
}

Status Embed(Session& session, const EmbedOptions& options) {
  if (options.similarity) {
    return Compare(session, options);
  }
  json::array all;  // --json: one document
  ATELIER_TRY(ForEachBatch(options, [&](const std::vector<std::string>& texts) -> Status {
    ATELIER_ASSIGN(vectors, EmbedBatch(session, options, texts));
    for (auto& vector : vectors) {
      if (session.json) {
        all.push_back(std::move(vector));
      } else {
        PrintText(json::serialize(vector) + "\n");
      }
    }
    return {};
  }));
  if (session.json) {
    PrintJson(all);
  }
  return {};
}

}  // namespace

void AddEmbedCommand(CLI::App& app, Selection& selection) {
  auto options = std::make_shared<EmbedOptions>();
  auto* command = app.add_subcommand("embed", "Turn texts into vectors: a JSON list a line");
  command->add_option("name", options->name, "Deployment, or MODEL@VERSION of one")->required();
  auto* texts = command->add_option("text", options->texts, "Default: each line of standard input");
  command->add_option("--file", options->file, "Each line of a file")->excludes(texts);
  command->add_option("--dimensions", options->dimensions, "Only the first numbers of each vector")
      ->check(CLI::PositiveNumber);
  command->add_flag("--similarity", options->similarity, "Print how alike the texts are (cosines), not the vectors");
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Embed(s, *options); }; });
}

}  // namespace atelier::cli
