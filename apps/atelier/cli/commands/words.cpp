// atelier words
#include <cstdio>
#include <fstream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/table.h"
#include "atelier/cli/text.h"
#include "base/json.h"
#include "families/word_vectors/model_files.h"
#include "families/word_vectors/word2vec_files.h"

namespace atelier::cli {
namespace {

namespace wv = families::word_vectors;

struct WordsOptions {
  std::string model;
  std::vector<std::string> words;
  std::vector<std::string> without;
  std::string file;
  int64_t top = 10;
};

std::string Rounded(const json::object& item) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.4f", GetNumber(item, "similarity"));
  return text;
}

Status PrintAnswer(const Session& session, const json::object& answer,
                   std::initializer_list<std::string_view> columns) {
  if (session.json) {
    PrintJson(answer);
    return {};
  }
  std::vector<std::string> header(columns.begin(), columns.end());
  header.emplace_back("similarity");
  Table table(std::move(header));
  for (const auto& item : ArrayIn(answer, "data")) {
    if (const auto* object = item.if_object()) {
      std::vector<std::string> row;
      for (const auto column : columns) {
        row.push_back(Escape(GetString(*object, column)));
      }
      row.push_back(Rounded(*object));
      table.Add(std::move(row));
    }
  }
  PrintText(table.Text());
  return {};
}

Status Nearest(Session& session, const WordsOptions& options) {
  ATELIER_ASSIGN(answer, session.api.Post("/v1/words/nearest", {{"model", options.model},
                                                                {"positive", json::value_from(options.words)},
                                                                {"negative", json::value_from(options.without)},
                                                                {"top", options.top}}));
  return PrintAnswer(session, answer, {"word"});
}

Status Analogy(Session& session, const WordsOptions& options) {
  ATELIER_ASSIGN(answer, session.api.Post("/v1/words/analogy", {{"model", options.model},
                                                                {"a", options.words[0]},
                                                                {"b", options.words[1]},
                                                                {"c", options.words[2]},
                                                                {"top", options.top}}));
  return PrintAnswer(session, answer, {"word"});
}

Status Similarity(Session& session, const WordsOptions& options) {
  json::array pairs;
  for (size_t i = 0; i + 1 < options.words.size(); i += 2) {
    pairs.push_back(json::array{options.words[i].c_str(), options.words[i + 1].c_str()});
  }
  ATELIER_ASSIGN(answer,
                 session.api.Post("/v1/words/similarity", {{"model", options.model}, {"pairs", std::move(pairs)}}));
  return PrintAnswer(session, answer, {"first", "second"});
}

// The model's files beside the one to be written, which are gone afterwards.
Status Export(Session& session, const WordsOptions& options) {
  const std::filesystem::path scratch = options.file + ".atelier-export";
  const auto clear = [&] {
    std::error_code ignored;
    std::filesystem::remove_all(scratch, ignored);
  };
  auto fetched = FetchVersion(session, options.model, scratch);
  auto model =
      fetched.ok()
          ? wv::LoadModel({scratch / "config.json", scratch / "model.safetensors", scratch / wv::kVocabularyFile})
          : Result<wv::Model>(fetched.error());
  clear();
  if (!model.ok()) {
    return std::move(model).error();
  }
  const wv::WordIndex index(std::move(model->vectors));
  std::ofstream out(options.file, std::ios::binary);
  const wv::Sink write = [&](std::string_view part) {
    out.write(part.data(), static_cast<std::streamsize>(part.size()));
    return out ? Status() : Status(InvalidArgument("cannot write '" + options.file + "'", "", "usage"));
  };
  ATELIER_TRY(options.file.ends_with(".bin") ? wv::WriteBinary(index, write) : wv::WriteText(index, write));
  out.close();
  if (!out) {
    return InvalidArgument("cannot write '" + options.file + "'", "", "usage");
  }
  PrintText(Escape(std::to_string(index.vocabulary().size()) + " words are in " + options.file) + "\n");
  return {};
}

struct Verb {
  const char* name;
  const char* help;
  Status (*run)(Session&, const WordsOptions&);
};

CLI::App* Add(CLI::App& group, Selection& selection, const std::shared_ptr<WordsOptions>& options, const Verb& verb) {
  auto* command = group.add_subcommand(verb.name, verb.help);
  command->add_option("model", options->model, "Deployment, or MODEL@VERSION of one")->required();
  command->callback([&selection, options, run = verb.run] {
    selection.run = [options, run](Session& session) { return run(session, *options); };
  });
  return command;
}

}  // namespace

void AddWordsCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("words", "Ask and export word vectors");
  group->require_subcommand(1);
  auto options = std::make_shared<WordsOptions>();
  auto* nearest =
      Add(*group, selection, options, {"nearest", "The words nearest to one, or to several together", Nearest});
  nearest->add_option("word", options->words)->required();
  nearest->add_option("--without", options->without, "Words whose direction is taken off");
  auto* analogy = Add(*group, selection, options, {"analogy", "A is to B as C is to what?", Analogy});
  analogy->add_option("word", options->words, "A B C")->required()->expected(3);
  for (auto* command : {nearest, analogy}) {
    command->add_option("--top", options->top, "How many")->check(CLI::Range(1, 1000))->capture_default_str();
  }
  auto* similarity = Add(*group, selection, options, {"similarity", "How alike two words are (cosine)", Similarity});
  similarity->add_option("word", options->words, "Pairs: A B C D ...")->required()->expected(2, 200);
  auto* file = Add(*group, selection, options, {"export", "Write a model in word2vec's form", Export});
  file->add_option("file", options->file, "Ending in .bin: binary; others: text")->required();
}

}  // namespace atelier::cli
