// Parallel texts: files side by side, as train.en and train.de, whose n-th lines belong together. A column a language.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "data/formats/cells.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"
#include "data/formats/text_columns.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxLanguages = 64;

Error Bad(const std::string& what) { return InvalidArgument(what, "files", "invalid_text"); }

// ISO 639's two letters, also with a region; the three-letter codes that corpora use; or what says which side it is.
bool IsLanguage(std::string_view word) {
  static constexpr std::array<std::string_view, 22> kWords{"src", "tgt", "source", "target", "eng", "deu", "ger", "fra",
                                                           "fre", "spa", "zho",    "chi",    "cmn", "yue", "jpn", "kor",
                                                           "rus", "ara", "por",    "ita",    "nld", "vie"};
  const std::string_view code = word.substr(0, word.find_first_of("-_"));
  const auto letters = [](std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  };
  if (code.size() != word.size() && (code.size() + 1 == word.size() || word.size() - code.size() > 5)) {
    return false;
  }
  return (code.size() == 2 && letters(code)) || std::ranges::find(kWords, word) != kWords.end();
}

// One part, such as train: its files by language.
struct Part {
  std::optional<Split> split;
  std::map<std::string, const SourceFile*> files;
};

// "train", "test_2016_flickr", "dev-v2": the first word of the name may be the split's too.
std::optional<Split> SplitOf(const std::string& stem) {
  if (const auto split = SplitFromPath(stem)) {
    return split;
  }
  const std::string_view name = FileName(stem);
  return SplitFromWord(name.substr(0, name.find_first_of("_-.")));
}

std::map<std::string, Part> PartsOf(std::span<const SourceFile> files) {
  std::map<std::string, Part> parts;
  for (const auto& file : files) {
    const std::string language = DataExtension(file.path);
    const size_t end = LowerAscii(file.path).rfind("." + language);
    const std::string stem = file.path.substr(0, language.empty() ? std::string::npos : end);
    Part& part = parts[stem];
    part.split = SplitOf(stem);
    part.files.emplace(language, &file);
  }
  return parts;
}

// Every part has a file in each of the languages, of which there are at least two.
Status CheckParts(const std::map<std::string, Part>& parts, std::set<std::string>& languages) {
  for (const auto& [stem, part] : parts) {
    for (const auto& [language, file] : part.files) {
      languages.insert(language);
    }
  }
  for (const auto& [stem, part] : parts) {
    for (const auto& language : languages) {
      if (part.files.find(language) == part.files.end()) {
        return Bad(part.files.begin()->second->path + ": beside it there is no " + stem + "." + language);
      }
    }
  }
  return languages.size() >= 2 && languages.size() <= kMaxLanguages
             ? Status()
             : Bad("parallel texts are two files or more whose names differ in their ending only, as train.en and "
                   "train.de");
}

struct Side {
  const SourceFile* file;
  std::unique_ptr<Input> input;
  std::unique_ptr<LineReader> lines;
};

class ParallelImport {
 public:
  explicit ParallelImport(FormatContext& context) : context_(context) {}

  Status Run() {
    ATELIER_TRY(CheckFixedColumns(context_.options, "parallel", ""));
    auto parts = PartsOf(context_.files);
    std::set<std::string> languages;
    ATELIER_TRY(CheckParts(parts, languages));
    ATELIER_ASSIGN(
        schema, TextSchema(context_.options, "parallel", std::vector<std::string>(languages.begin(), languages.end())));
    ATELIER_TRY(context_.table.Begin(std::move(schema)));
    for (const int wanted : {0, 1, 2, -1}) {  // the order of the splits, then what has none
      for (const auto& [stem, part] : parts) {
        if ((part.split ? static_cast<int>(*part.split) : -1) == wanted) {
          ATELIER_TRY(ReadPart(part));
        }
      }
    }
    if (empty_ > 0) {
      context_.table.Warn(std::to_string(empty_) + " lines are empty on every side and were left out");
    }
    return {};
  }

 private:
  Status ReadPart(const Part& part) {
    std::vector<Side> sides;
    for (const auto& [language, file] : part.files) {
      // Each walks through an archive by itself, as they are read side by side.
      ATELIER_ASSIGN(
          input, Input::Open(context_.blobs, *file, {.meter = &context_.meter, .encoding = context_.options.encoding}));
      auto lines = std::make_unique<LineReader>(input->Source(), file->path, "invalid_text");
      sides.push_back({file, std::move(input), std::move(lines)});
    }
    std::vector<std::string_view> row(sides.size());
    while (true) {
      size_t ended = 0;
      for (size_t i = 0; i < sides.size(); ++i) {
        ATELIER_ASSIGN(more, sides[i].lines->NextText(row[i]));
        ended += more ? 0 : 1;
      }
      if (ended > 0) {
        return ended == sides.size() ? Status() : Status(Unequal(sides));
      }
      ATELIER_TRY(Add(row, part.split));
    }
  }

  static Error Unequal(const std::vector<Side>& sides) {
    std::string counts;
    const auto shortest = std::ranges::min_element(sides, {}, [](const Side& side) { return side.lines->number(); });
    for (const auto& side : sides) {
      counts +=
          (counts.empty() ? "" : ", ") + side.file->path +
          (side.lines->number() == shortest->lines->number() ? " has " + std::to_string(side.lines->number()) + " lines"
                                                             : std::string(" has more"));
    }
    return Bad("the files have not the same number of lines: " + counts);
  }

  Status Add(const std::vector<std::string_view>& row, std::optional<Split> split) {
    if (std::ranges::all_of(row, [](std::string_view line) { return Trim(line).empty(); })) {
      ++empty_;
      return {};
    }
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string_view line = Trim(row[i]);
      context_.table.SetBytes(i, line, line.empty());
    }
    return context_.table.EndRow(split);
  }

  FormatContext& context_;
  int64_t empty_ = 0;
};

bool Claims(std::string_view path) { return IsLanguage(DataExtension(path)); }

Result<bool> Accepts(FormatContext& context) {
  std::set<std::string> languages;
  for (const auto& file : context.files) {
    languages.insert(DataExtension(file.path));
  }
  return languages.size() >= 2;
}

Status Read(FormatContext& context) { return ParallelImport(context).Run(); }

}  // namespace

const Format kParallelFormat{.name = "parallel", .passes = 1, .claims = Claims, .read = Read, .accepts = Accepts};

}  // namespace atelier::data
