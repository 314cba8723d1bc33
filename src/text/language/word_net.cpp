#include "text/language/word_net.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <span>

#include "text/language/characters.h"

namespace atelier::text::language {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 4> kSuffixes = {"noun", "verb", "adj", "adv"};
constexpr size_t kMaxFileBytes = 256U << 20U;
constexpr size_t kMaxLineBytes = 64U << 10U;
constexpr size_t kMaxSenses = 200;

struct Ending {
  std::string_view from;
  std::string_view to;
};
// morphy(7WN), "Rules of Detachment".
constexpr Ending kNounEndings[] = {{"s", ""},      {"ses", "s"},   {"ves", "f"},   {"xes", "x"}, {"zes", "z"},
                                   {"ches", "ch"}, {"shes", "sh"}, {"men", "man"}, {"ies", "y"}};
constexpr Ending kVerbEndings[] = {{"s", ""},   {"ies", "y"}, {"es", "e"},  {"es", ""},
                                   {"ed", "e"}, {"ed", ""},   {"ing", "e"}, {"ing", ""}};
constexpr Ending kAdjectiveEndings[] = {{"er", ""}, {"est", ""}, {"er", "e"}, {"est", "e"}};

std::span<const Ending> EndingsOf(PartOfSpeech part) {
  switch (part) {
    case PartOfSpeech::kNoun:
      return kNounEndings;
    case PartOfSpeech::kVerb:
      return kVerbEndings;
    case PartOfSpeech::kAdjective:
      return kAdjectiveEndings;
    default:
      return {};
  }
}

Error Damaged(const fs::path& path) { return DataLoss(path.string() + " is not a file of WordNet's database"); }

Error Missing(const fs::path& path) {
  return FailedPrecondition(
      path.string() + " is not there: install WordNet's files (Debian's package wordnet-base) on the server",
      "wordnet_not_found");
}

Result<std::string> ReadFile(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  std::ifstream file(path, std::ios::binary);
  if (error || !file) {
    return Missing(path);
  }
  if (size > kMaxFileBytes) {
    return Damaged(path);
  }
  return std::string{std::istreambuf_iterator<char>(file), {}};
}

std::string_view LineAt(std::string_view text, size_t at) {
  return text.substr(at, std::min(text.find('\n', at), text.size()) - at);
}
std::string_view FirstWord(std::string_view line) { return line.substr(0, line.find(' ')); }

template <class T>
std::optional<T> Number(std::string_view text, int base = 10) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(value) : std::nullopt;
}

class Descriptor {
 public:
  explicit Descriptor(const fs::path& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  bool ok() const { return fd_ >= 0; }

  // The line that begins at `offset`; empty where it cannot be read.
  std::string Line(uint64_t offset) const {
    std::string line;
    std::array<char, 512> block{};
    while (line.size() < kMaxLineBytes) {
      const ssize_t got = ::pread(fd_, block.data(), block.size(), static_cast<off_t>(offset + line.size()));
      if (got <= 0) {
        break;
      }
      const std::string_view read(block.data(), static_cast<size_t>(got));
      const size_t end = read.find('\n');
      line.append(read.substr(0, end));
      if (end != std::string_view::npos) {
        break;
      }
    }
    return line;
  }

 private:
  int fd_;
};

}  // namespace

// The files of one part of speech.
struct WordNet::Part {
  explicit Part(const fs::path& data_path) : data(data_path) {}

  std::string index;            // the file
  std::vector<uint32_t> lines;  // where its entries begin, in the order of their words
  std::map<std::string, std::vector<std::string>, std::less<>> exceptions;
  Descriptor data;

  static Result<std::unique_ptr<Part>> Open(const fs::path& folder, const char* suffix) {
    const fs::path index_path = folder / (std::string("index.") + suffix);
    const fs::path data_path = folder / (std::string("data.") + suffix);
    auto part = std::make_unique<Part>(data_path);
    if (!part->data.ok()) {
      return Missing(data_path);
    }
    ATELIER_ASSIGN(index, ReadFile(index_path));
    part->index = std::move(index);
    if (!part->FindLines()) {
      return Damaged(index_path);
    }
    ATELIER_ASSIGN(exceptions, ReadFile(folder / (std::string(suffix) + ".exc")));
    for (size_t at = 0; at < exceptions.size(); at += LineAt(exceptions, at).size() + 1) {
      const auto words = SplitSpace(LineAt(exceptions, at));
      if (words.size() > 1) {
        part->exceptions[std::string(words[0])].assign(words.begin() + 1, words.end());
      }
    }
    return part;
  }

  // Lines of the licence begin with a space.
  bool FindLines() {
    const std::string_view text = index;
    for (size_t at = 0; at < text.size(); at += LineAt(text, at).size() + 1) {
      if (text[at] != ' ' && text[at] != '\n') {
        lines.push_back(static_cast<uint32_t>(at));
      }
    }
    const auto word = [&](uint32_t at) { return WordAt(at); };
    if (!std::ranges::is_sorted(lines, {}, word)) {
      std::ranges::sort(lines, {}, word);
    }
    return !lines.empty();
  }

  std::string_view WordAt(uint32_t at) const { return FirstWord(LineAt(index, at)); }

  // The entry of a word; empty: it has none.
  std::string_view Entry(std::string_view word) const {
    const auto found = std::ranges::lower_bound(lines, word, {}, [&](uint32_t at) { return WordAt(at); });
    return found == lines.end() || WordAt(*found) != word ? std::string_view() : LineAt(index, *found);
  }

  // lemma pos synset_cnt p_cnt [ptr_symbol...] sense_cnt tagsense_cnt synset_offset...
  std::vector<uint64_t> Synsets(std::string_view word) const {
    const auto fields = SplitSpace(Entry(word));
    std::vector<uint64_t> offsets;
    if (fields.size() < 6) {
      return offsets;
    }
    const auto pointers = Number<size_t>(fields[3]);
    if (!pointers || *pointers > fields.size()) {
      return offsets;
    }
    for (size_t i = *pointers + 6; i < fields.size() && offsets.size() < kMaxSenses; ++i) {
      if (const auto offset = Number<uint32_t>(fields[i])) {
        offsets.push_back(*offset);
      }
    }
    return offsets;
  }

  // synset_offset lex_filenum ss_type w_cnt word lex_id [word lex_id...] ...; w_cnt is hexadecimal.
  std::vector<std::string> WordsOf(uint64_t offset) const {
    const std::string line = data.Line(offset);
    const auto fields = SplitSpace(line);
    std::vector<std::string> words;
    const auto count = fields.size() > 4 ? Number<uint32_t>(fields[3], 16) : std::nullopt;
    if (!count || Number<uint64_t>(fields[0]) != offset) {
      return words;
    }
    for (size_t i = 0; i < *count && 4 + 2 * i < fields.size(); ++i) {
      std::string word(fields[4 + 2 * i].substr(0, fields[4 + 2 * i].find('(')));  // adjectives: "galore(ip)"
      std::ranges::replace(word, '_', ' ');
      words.push_back(std::move(word));
    }
    return words;
  }
};

WordNet::WordNet() = default;
WordNet::~WordNet() = default;

Result<std::unique_ptr<WordNet>> WordNet::Open(const fs::path& folder) {
  std::unique_ptr<WordNet> net(new WordNet());
  for (size_t i = 0; i < kSuffixes.size(); ++i) {
    ATELIER_ASSIGN(part, Part::Open(folder, kSuffixes[i]));
    net->parts_[i] = std::move(part);
  }
  return net;
}

std::vector<std::string> WordNet::Morphy(std::string_view form, PartOfSpeech part) const {
  const Part& files = PartOf(part);
  std::vector<std::string> forms{std::string(form)};
  if (const auto exception = files.exceptions.find(form); exception != files.exceptions.end()) {
    forms.insert(forms.end(), exception->second.begin(), exception->second.end());
  } else {
    for (const auto& ending : EndingsOf(part)) {
      if (form.ends_with(ending.from)) {
        forms.push_back(std::string(form.substr(0, form.size() - ending.from.size())) + std::string(ending.to));
      }
    }
  }
  std::vector<std::string> known;
  for (auto& candidate : forms) {
    if (std::ranges::find(known, candidate) == known.end() && !files.Entry(candidate).empty()) {
      known.push_back(std::move(candidate));
    }
  }
  return known;
}

std::string WordNet::Lemma(std::string_view form, PartOfSpeech part) const {
  const auto forms = Morphy(form, part);
  const auto shortest =
      std::ranges::min_element(forms, {}, [](const std::string& word) { return CountCharacters(word); });
  return shortest == forms.end() ? std::string(form) : *shortest;
}

std::string WordNet::AnyLemma(std::string_view form) const {
  for (const auto part : kPartsOfSpeech) {
    if (const auto forms = Morphy(form, part); !forms.empty()) {
      return forms.front();
    }
  }
  return std::string(form);
}

std::vector<std::string> WordNet::Synonyms(std::string_view lemma, size_t limit) const {
  std::vector<std::string> found;
  std::string key(lemma);
  std::ranges::replace(key, ' ', '_');
  for (const auto part : kPartsOfSpeech) {
    for (const uint64_t offset : PartOf(part).Synsets(key)) {
      for (auto& word : PartOf(part).WordsOf(offset)) {
        if (found.size() < limit && Lower(word) != lemma && std::ranges::find(found, word) == found.end()) {
          found.push_back(std::move(word));
        }
      }
    }
  }
  return found;
}

std::optional<PartOfSpeech> PartOfSpeechFromLetter(std::string_view letter) {
  constexpr std::string_view kLetters = "nvar";
  if (letter == "s") {
    return PartOfSpeech::kAdjective;
  }
  const size_t at = letter.size() == 1 ? kLetters.find(letter[0]) : std::string_view::npos;
  return at == std::string_view::npos ? std::nullopt : std::optional(kPartsOfSpeech[at]);
}

PartOfSpeech PartOfSpeechOfTag(std::string_view penn_tag) {
  if (penn_tag.starts_with("VB") || penn_tag == "MD") {
    return PartOfSpeech::kVerb;
  }
  if (penn_tag.starts_with("JJ")) {
    return PartOfSpeech::kAdjective;
  }
  if (penn_tag.starts_with("RB") || penn_tag == "WRB") {
    return PartOfSpeech::kAdverb;
  }
  return PartOfSpeech::kNoun;
}

}  // namespace atelier::text::language
