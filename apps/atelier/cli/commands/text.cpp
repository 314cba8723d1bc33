// atelier text analyze, clean, augment, train-tagger
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>

#include "atelier/cli/commands/commands.h"
#include "atelier/cli/follow.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/sampling.h"
#include "atelier/cli/source.h"
#include "atelier/cli/text.h"
#include "atelier/cli/upload.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

// What all commands over texts have; the fields of the request are filled by their options.
struct TextOptions {
  std::vector<std::string> texts;
  std::string file;
  json::object request;
  std::string endpoint;
};

// The texts of the command line, the lines of a file, or all of standard input.
Result<json::array> Input(const TextOptions& options) {
  json::array input;
  if (!options.file.empty()) {
    std::ifstream file(options.file);
    if (!file) {
      return InvalidArgument("cannot read '" + options.file + "'", "", "usage");
    }
    for (std::string line; std::getline(file, line);) {
      input.emplace_back(line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
    }
  } else if (!options.texts.empty()) {
    input = json::value_from(options.texts).get_array();
  } else {
    ATELIER_ASSIGN(text, ReadStandardInput());
    input.emplace_back(std::move(text));
  }
  return input;
}

// "words: a | b | c"
std::string ListLine(std::string_view name, const json::array& list) {
  std::string line = std::string(name) + ":";
  for (const auto& item : list) {
    const auto* pair = item.if_object();  // of tf_idf
    const std::string text = pair == nullptr ? CellOf(item) : Cell(*pair, "term") + " " + Cell(*pair, "weight");
    line += (line.ends_with(':') ? " " : " | ") + Escape(text);
  }
  return line + "\n";
}

std::string Described(const json::object& item) {
  std::string text;
  if (item.contains("confidence")) {
    text += "language: " + Escape(Cell(item, "language")) + " (" + Cell(item, "confidence") + ")\n";
  }
  if (item.contains("text")) {
    text += Escape(GetString(item, "text"), Lines::kKeep) + "\n";
  }
  for (const auto& variant : ArrayIn(item, "variants")) {
    text += Escape(CellOf(variant), Lines::kKeep) + "\n";
  }
  for (const char* name : {"sentences", "words", "tags", "stems", "lemmas", "ngrams", "tf_idf"}) {
    if (item.contains(name)) {
      text += ListLine(name, ArrayIn(item, name));
    }
  }
  return text;
}

Status Ask(Session& session, const TextOptions& options) {
  ATELIER_ASSIGN(input, Input(options));
  json::object request = options.request;
  request["input"] = std::move(input);
  ATELIER_ASSIGN(answer, session.api.Post(options.endpoint, request));
  if (session.json) {
    PrintJson(answer);
    return {};
  }
  std::string text;
  for (const auto& item : ArrayIn(answer, "data")) {
    text += item.is_object() ? Described(item.get_object()) : "";
  }
  PrintText(text);
  return {};
}

// A command over texts, before its own options.
CLI::App* AddCommand(CLI::App& group, Selection& selection, const std::shared_ptr<TextOptions>& options,
                     const std::string& name, const std::string& help) {
  auto* command = group.add_subcommand(name, help);
  options->endpoint = "/v1/text/" + name;
  auto* text = command->add_option("text", options->texts, "Texts; default: standard input");
  command->add_option("--file", options->file, "A text a line")->excludes(text);
  command->callback([&selection, options] { selection.run = [options](Session& s) { return Ask(s, *options); }; });
  return command;
}

void AddFlag(CLI::App* command, const std::shared_ptr<TextOptions>& options, const std::string& field,
             const std::string& help) {
  std::string flag = "--" + field;
  std::replace(flag.begin(), flag.end(), '_', '-');
  command->add_flag_callback(
      flag, [options, field] { options->request[field] = true; }, help);
}

template <class Value>
void AddValue(CLI::App* command, const std::shared_ptr<TextOptions>& options, const std::string& field,
              const std::string& help) {
  command->add_option_function<Value>(
      "--" + field, [options, field](const Value& value) { options->request[field] = value; }, help);
}

void AddAnalyze(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<TextOptions>();
  auto* command = AddCommand(group, selection, options, "analyze", "Language, sentences, words, stems, lemmas, tags");
  AddValue<std::string>(command, options, "language", "auto, en, zh, de ... (default auto)");
  AddFlag(command, options, "sentences", "Cut into sentences");
  AddFlag(command, options, "words", "Cut into words (the default)");
  AddFlag(command, options, "lower", "Put words into lower case");
  AddFlag(command, options, "remove_stop_words", "Leave out words that mean little (en, zh)");
  AddValue<std::string>(command, options, "stems", "Stems by an algorithm of Snowball: english, porter, german ...");
  AddValue<std::string>(command, options, "lemmas", "Base forms as n, v, a, r, any, or by the tags (en)");
  AddValue<std::string>(command, options, "tagger", "Part-of-speech tags by this model (see train-tagger)");
  command
      ->add_option_function<std::vector<int64_t>>(
          "--ngrams",
          [options](const std::vector<int64_t>& range) {
            options->request["ngrams"] = {{"least", range.front()}, {"most", range.back()}};
          },
          "Runs of LEAST to MOST words: --ngrams 1 2")
      ->expected(1, 2);
  AddFlag(command, options, "tf_idf", "Weights of the terms over all texts given");
}

// "all", or a list with commas.
json::value Kinds(const std::string& text) {
  if (text == "all") {
    return true;
  }
  json::array kinds;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    kinds.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return kinds;
}

void AddClean(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<TextOptions>();
  auto* command = AddCommand(group, selection, options, "clean", "Clean texts, and take personal data out of them");
  AddFlag(command, options, "html", "Take the text out of HTML");
  AddValue<std::string>(command, options, "normalize", "Unicode form: nfc, nfd, nfkc, nfkd");
  AddFlag(command, options, "half_width", "Full-width letters and digits as usual ones");
  AddValue<std::string>(command, options, "script", "Chinese as simplified or traditional");
  AddFlag(command, options, "whitespace", "Tidy white space, remove invisible characters");
  AddFlag(command, options, "lower", "Put into lower case");
  command->add_option_function<std::string>(
      "--redact", [options](const std::string& kinds) { options->request["redact"] = Kinds(kinds); },
      "Replace personal data: all, or some of email,phone,ssn,chinese_id,card,ip");
}

void AddAugment(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<TextOptions>();
  auto* command = AddCommand(group, selection, options, "augment", "Make variants of texts for training");
  AddValue<std::string>(command, options, "language", "auto, en, zh ... (default auto)");
  AddValue<double>(command, options, "synonyms", "Share of the words that become a synonym (en)");
  AddValue<double>(command, options, "deletion", "Share of the words that are left out");
  AddValue<double>(command, options, "swaps", "Share of the words that change places with the next");
  AddValue<int64_t>(command, options, "variants", "How many of each text (default 1)");
  AddValue<int64_t>(command, options, "seed", "The same seed gives the same variants (default 0)");
}

struct TaggerOptions {
  std::vector<std::string> files;
  json::object request{{"kind", "train_tagger"}};
};

Status TrainTagger(Session& session, const TaggerOptions& options) {
  Progress progress(stderr);
  json::array files;
  for (const auto& path : options.files) {
    ATELIER_ASSIGN(source, OpenFile(path));
    ATELIER_ASSIGN(id, SendFile(session.api, fs::path(path).filename().string(), *source, progress));
    files.push_back(json::object{{"file_id", id}});
  }
  progress.Clear();
  json::object request = options.request;
  request["files"] = std::move(files);
  ATELIER_ASSIGN(job, session.api.Post("/v1/jobs", request));
  ATELIER_ASSIGN(done, FollowJob(session.api, GetString(job, "id"), progress));
  if (session.json) {
    PrintJson(done);
    return {};
  }
  const auto& result = ObjectIn(done, "result");
  PrintText(Escape(Cell(result, "model") + "@" + Cell(result, "version") + "  " +
                   MetricsLine(ObjectIn(ObjectIn(result, "metadata"), "metrics"), 4)) +
            "\n");
  return {};
}

void AddTrainTagger(CLI::App& group, Selection& selection) {
  auto options = std::make_shared<TaggerOptions>();
  auto* command = group.add_subcommand("train-tagger", "Train a part-of-speech tagger");
  command
      ->add_option("file", options->files, "Lines of WORD TAG with empty lines between sentences, or of WORD/TAG ...")
      ->required();
  command
      ->add_option_function<std::string>(
          "--name", [options](const std::string& name) { options->request["model"] = name; }, "Name of the model")
      ->required();
  const auto number = [&](const std::string& field, const std::string& help) {
    command->add_option_function<int64_t>(
        "--" + field, [options, field](const int64_t& value) { options->request[field] = value; }, help);
  };
  number("column", "Column of the tag, from 1 on (default 2)");
  number("passes", "Passes over the data (default 5)");
  number("seed", "Seed of the order (default 1)");
  command->add_option_function<double>(
      "--holdout", [options](const double& share) { options->request["holdout"] = share; },
      "Share of the sentences to measure on (default 0.1)");
  command->callback(
      [&selection, options] { selection.run = [options](Session& s) { return TrainTagger(s, *options); }; });
}

}  // namespace

void AddTextCommands(CLI::App& app, Selection& selection) {
  auto* group = app.add_subcommand("text", "Process text: cut, clean, reduce, tag");
  group->require_subcommand(1);
  AddAnalyze(*group, selection);
  AddClean(*group, selection);
  AddAugment(*group, selection);
  AddTrainTagger(*group, selection);
}

}  // namespace atelier::cli
