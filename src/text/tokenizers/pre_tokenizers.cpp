#include "text/tokenizers/pre_tokenizers.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace atelier::text {
namespace {

// The English clitics, in any case.
#define CLITICS "'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]"
// A word of letters with one character before it that is no letter, digit or line break.
#define WORD R"([^\r\n\p{L}\p{N}]?\p{L}+)"
// Signs with the space before and the line breaks behind them.
#define SIGNS R"( ?[^\s\p{L}\p{N}]+[\r\n]*)"
// White space: up to a line break; all but the last before a word; the rest.
#define SPACES R"(\s*[\r\n]+|\s+(?!\S)|\s+)"
// Upper-case letters, then lower-case ones, as GPT-4o's and Tekken's words have them.
#define UPPER R"([\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}])"
#define LOWER R"([\p{Ll}\p{Lm}\p{Lo}\p{M}])"
#define CASED(suffix) \
  R"([^\r\n\p{L}\p{N}]?)" UPPER "*" LOWER "+" suffix R"(|[^\r\n\p{L}\p{N}]?)" UPPER "+" LOWER "*" suffix

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kLlama3 = "(?:" CLITICS ")|" WORD R"(|\p{N}{1,3}|)" SIGNS "|" SPACES;
constexpr std::string_view kQwen2 = "(?:" CLITICS ")|" WORD R"(|\p{N}|)" SIGNS "|" SPACES;
constexpr std::string_view kQwen35 = "(?:" CLITICS
                                     ")|"
                                     R"([^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N})"
                                     R"(| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|)" SPACES;
constexpr std::string_view kGpt4o = CASED("(?:" CLITICS ")?") R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kTekken = CASED("") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kYoutu = CASED("(?:" CLITICS ")?") R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|)" SPACES;
constexpr std::string_view kYoutuScripts =
    "[가-힣ㄱ-ㆎ]+|[！…“”‘’—：；，、-〿︰-﹏]+|[ㄅ-ㄯ]+|[一-龥぀-ゟ゠-ヿ]+";
constexpr std::string_view kBailing =
    "'(?:[sSdDmMtT]|[lL][lL]|[vV][eE]|[rR][eE])|" WORD R"(|\p{N}|)" SIGNS R"(|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kSeedCoder = "(?:" CLITICS ")|" WORD R"(|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|)" SPACES;
constexpr std::string_view kExaoneMoe = "(?:" CLITICS
                                        ")|"
                                        R"([^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*+(?: \p{L}\p{M}*+)*+)++|\p{N})"
                                        R"(| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kJais2 = "(?:" CLITICS ")|" WORD R"(|\p{N}{1,3}|)" SIGNS
                                    R"(|\s*[\r\n]+|\s{512}(?!\S)|\s{256}(?!\S)|\s{128}(?!\S)|\s{64}(?!\S))"
                                    R"(|\s{32}(?!\S)|\s{16}(?!\S)|\s{8}(?!\S)|\s{4}(?!\S)|\s{1,2}(?!\S)|\s{1})";
// As GPT-4o's, but runs of Chinese characters are words of their own.
#define NO_HAN(set) R"((?:(?!\p{Han}))" set ")"
constexpr std::string_view kKimi2 =
    R"(\p{Han}+|[^\r\n\p{L}\p{N}]?)" NO_HAN(UPPER) "*" NO_HAN(LOWER) "+(?:" CLITICS R"()?|[^\r\n\p{L}\p{N}]?)" NO_HAN(
        UPPER) "+" NO_HAN(LOWER) "*(?:" CLITICS R"()?|\p{N}{1,3}|)" SIGNS "|" SPACES;
// Threes of digits, counted from the end.
constexpr std::string_view kThreesFromTheEnd = R"(\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N})))";
constexpr std::string_view kAsianScripts =
    R"([一-鿿㐀-䶿豈-\x{FAFF}぀-ゟ゠-ヿ･-ﾟ⼀-⿟\x{E40}-\x{E7F}\x{E80}-\x{EFF}\x{1780}-\x{17FF})"
    R"(\x{1000}-\x{109F}\x{AA60}-\x{AA7F}\x{A9E0}-\x{A9FF}가-\x{D7AF}\x{1100}-\x{11FF}]+)";
constexpr std::string_view kBloom = R"( ?[^(\s|.,!?…。，、।۔،)]+)";
constexpr std::string_view kNumber = R"(\p{N})";
constexpr std::string_view kNumbers = R"(\p{N}+)";
constexpr std::string_view kUpToThreeNumbers = R"(\p{N}{1,3})";
constexpr std::string_view kThreeDigits = "[0-9][0-9][0-9]";
constexpr std::string_view kLineBreak = R"([\r\n])";
// Letters with case, as that model's tokenizer.json lists them.
constexpr std::string_view kDeepSeekLetters =
    R"(\s?[)"
    R"(A-Za-z\x{B5}\x{C0}-\x{D6}\x{D8}-\x{F6}\x{F8}-\x{1BA}\x{1BC}-\x{1BF}\x{1C4}-\x{293}\x{295}-\x{2AF})"
    R"(\x{370}-\x{373}\x{376}\x{377}\x{37B}-\x{37D}\x{37F}\x{386}\x{388}-\x{38A}\x{38C}\x{38E}-\x{3A1})"
    R"(\x{3A3}-\x{3F5}\x{3F7}-\x{481}\x{48A}-\x{52F}\x{531}-\x{556}\x{10A0}-\x{10C5}\x{13A0}-\x{13F5})"
    R"(\x{13F8}-\x{13FD}\x{1C90}-\x{1CBA}\x{1CBD}-\x{1CBF}\x{1D00}-\x{1D2B}\x{1D6B}-\x{1D77}\x{1D79}-\x{1D9A})"
    R"(\x{1E00}-\x{1F15}\x{1F18}-\x{1F1D}\x{1F20}-\x{1F45}\x{1F48}-\x{1F4D}\x{1F50}-\x{1F57}\x{1F59}\x{1F5B})"
    R"(\x{1F5D}\x{1F5F}-\x{1F7D}\x{1F80}-\x{1FB4}\x{1FB6}-\x{1FBC}\x{1FBE}\x{1FC2}-\x{1FC4}\x{1FC6}-\x{1FCC})"
    R"(\x{1FD0}-\x{1FD3}\x{1FD6}-\x{1FDB}\x{1FE0}-\x{1FEC}\x{1FF2}-\x{1FF4}\x{1FF6}-\x{1FFC}\x{2102}\x{2107})"
    R"(\x{210A}-\x{2113}\x{2115}\x{2119}-\x{211D}\x{2124}\x{2126}\x{2128}\x{212A}-\x{212D}\x{212F}-\x{2134})"
    R"(\x{2139}\x{213C}-\x{213F}\x{2145}-\x{2149}\x{214E}\x{2183}\x{2184}\x{2C00}-\x{2C7B}\x{2C7E}-\x{2CE4})"
    R"(\x{2CEB}-\x{2CEE}\x{2CF2}\x{2CF3}\x{A640}-\x{A66D}\x{A680}-\x{A69B}\x{A722}-\x{A76F}\x{A771}-\x{A787})"
    R"(\x{A78B}-\x{A78E}\x{AB70}-\x{ABBF}\x{FB00}-\x{FB06}\x{FB13}-\x{FB17}\x{FF21}-\x{FF3A}\x{FF41}-\x{FF5A})"
    R"(\x{10400}-\x{1044F}\x{104B0}-\x{104D3}\x{104D8}-\x{104FB}\x{10C80}-\x{10CB2}\x{10CC0}-\x{10CF2})"
    R"(\x{118A0}-\x{118DF}\x{1E900}-\x{1E943})"
    R"(]+)";
constexpr std::string_view kDeepSeekSigns = R"(\s?[!-/:-~！-／：-～‘-‟　-。]+)";
constexpr std::string_view kDeepSeekChinese = "[一-龥ࠀ-一가-퟿]+";
constexpr std::string_view kDeepSeek3Chinese = "[一-龥぀-ゟ゠-ヿ]+";
constexpr std::string_view kDeepSeek3 = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)"
                                        R"(|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|)" SPACES;
constexpr std::string_view kSpark = R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+)"
                                    R"(|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+|[\r\n]|\s+(?!\S)|\s+)";
constexpr std::string_view kFalconSigns = R"([\p{P}\$\+<=>\^~\|`]+)";
constexpr std::string_view kDefaultSigns = R"([\p{P}\$\+<=>\^~\|]+)";

using Regexes = std::vector<std::string_view>;

struct Row {
  std::vector<std::string_view> names;
  Regexes regexes;
  bool ignore_merges = false;
  bool add_bos = false;
};

std::vector<Row> Rows() {
  return {
      {{"default"}, {kDefaultSigns, kGpt2, kNumbers, kThreeDigits}},
      {{"llama3", "llama-v3", "llama-bpe", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2", "jina-v5-nano"},
       {kLlama3},
       true,
       true},
      {{"dbrx", "smaug-bpe", "chatglm-bpe", "glm4"}, {kLlama3}},
      {{"minicpm5"}, {kUpToThreeNumbers, kLlama3}, true},
      {{"jais-2"}, {kJais2}},
      {{"deepseek-llm"}, {kLineBreak, kDeepSeekLetters, kDeepSeekSigns, R"(\s+$)", kDeepSeekChinese, kNumbers}},
      {{"deepseek-coder"}, {kLineBreak, R"(\s?\p{L}+)", R"(\s?\p{P}+)", kDeepSeekChinese, kNumber}},
      {{"deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"}, {kUpToThreeNumbers, kDeepSeek3Chinese, kDeepSeek3}},
      {{"spark2_5"}, {kUpToThreeNumbers, kDeepSeek3Chinese, kSpark, kNumber}},
      {{"youtu"}, {kYoutuScripts, kYoutu}, true},
      {{"falcon"}, {kFalconSigns, kGpt2, kThreeDigits}},
      {{"starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b", "mellum2"},
       {kNumber, kGpt2}},
      {{"gpt-2", "phi-2", "jina-es", "jina-de", "gigachat", "jina-v2-es", "jina-v2-de", "a.x-4.0", "mellum",
        "modern-bert", "jina-v1-en", "jina-v2-code", "roberta-bpe", "mpt", "olmo", "jais", "trillion",
        "granite-docling", "exaone4"},
       {kGpt2}},
      {{"qwen2", "deepseek-r1-qwen", "kormo", "f2llmv2", "megrez", "stablelm2", "hunyuan", "solar-open", "grok-2"},
       {kQwen2}},
      {{"qwen35"}, {kQwen35}},
      {{"ufakzeka"}, {WORD R"(|\p{N}|)" SIGNS "|" SPACES}},
      {{"laguna"}, {R"([^\n]+|[\n]+)", kQwen2}},
      {{"poro-chat", "bloom", "gpt3-finnish"}, {kBloom}},
      {{"viking"}, {kBloom, kNumber}},
      {{"tekken"}, {kTekken}, true, true},
      {{"chameleon"},
       {"<sentinel:[0-9]+>", "(?:IMGIMG)(?:(?:A|B|C|D|E|F|G|H|I){1,4})Z", R"((?:[\t\n]|    |  ))", kNumber,
        R"([\p{P}!-/:-@\[-`{-~])", kGpt2},
       false,
       true},
      {{"gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"}, {kGpt4o}},
      {{"granite-embed-multi-97m"}, {kGpt4o}, true},
      {{"bailingmoe", "bailingmoe2", "llada-moe"}, {kBailing}},
      {{"seed-coder"}, {kSeedCoder}},
      {{"kimi-k2"}, {kKimi2}},
      {{"superbpe"}, {kNumbers, kThreesFromTheEnd}},
      {{"tiny_aya"}, {kThreesFromTheEnd, kGpt4o}},
      {{"afmoe"}, {kThreesFromTheEnd, kAsianScripts, kDeepSeek3}},
      {{"exaone-moe"}, {kExaoneMoe}},
  };
}

std::vector<PreTokenizer> MakeTable() {
  std::vector<PreTokenizer> table;
  for (const Row& row : Rows()) {
    std::vector<SplitStep> steps;
    for (const std::string_view regex : row.regexes) {
      steps.push_back({.regex = std::string(regex)});
    }
    for (const std::string_view name : row.names) {
      table.push_back({name, steps, row.ignore_merges, row.add_bos});
    }
  }
  return table;
}

const std::vector<PreTokenizer>& Table() {
  static const std::vector<PreTokenizer> table = MakeTable();
  return table;
}

// A step as the table would have it: published files spell clitics with (?i:...), and old ones isolate matches by
// removing what does not match, which is nothing.
SplitStep Canonical(SplitStep step) {
  constexpr std::string_view kSpelled = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  for (size_t at = step.regex.find(kSpelled); at != std::string::npos; at = step.regex.find(kSpelled, at + 1)) {
    step.regex.replace(at, kSpelled.size(), "(?:" CLITICS ")");
  }
  if (step.behaviour == SplitStep::Behaviour::kRemoved && step.invert) {
    step = {.regex = std::move(step.regex)};
  }
  return step;
}

bool Same(const SplitStep& a, const SplitStep& b) {
  return a.regex == b.regex && a.behaviour == b.behaviour && a.invert == b.invert;
}

}  // namespace

std::string_view NameOfSplits(const TokenizerSpec& spec) {
  std::vector<SplitStep> steps;
  std::ranges::transform(spec.splits.value_or(std::vector<SplitStep>()), std::back_inserter(steps), Canonical);
  const auto found = std::ranges::find_if(Table(), [&](const PreTokenizer& row) {
    return row.ignore_merges == spec.ignore_merges.value_or(false) && std::ranges::equal(row.steps, steps, Same);
  });
  return found == Table().end() ? "default" : found->name;
}

const PreTokenizer* FindPreTokenizer(std::string_view name) {
  const auto found = std::ranges::find(Table(), name, &PreTokenizer::name);
  return found == Table().end() ? nullptr : &*found;
}

std::string_view Gpt2Regex() { return kGpt2; }

}  // namespace atelier::text
