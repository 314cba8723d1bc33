#include "text/spec_json.h"

#include <gmock/gmock.h>

#include "base/ids.h"
#include "base/testing/shared_data.h"
#include "text/testing/test_files.h"

namespace atelier::text {
namespace {

using testing::IdsOf;
using testing::TestData;
using testing::TextOf;

Result<std::unique_ptr<Tokenizer>> Load(const TokenizerFiles& files) {
  ATELIER_ASSIGN(spec, ReadTokenizerJson(files));
  return Tokenizer::Make(std::move(spec));
}

// What huggingface/tokenizers 0.23 says of tokenisers of each kind, trained on a few lines.
TEST(SpecJsonTest, AgreesWithTheReferenceOnEveryKind) {
  int cases = 0;
  for (const auto* name : {"bytelevel_llama3", "bytelevel_digits", "bytelevel_roberta", "marked_llama2", "marked_first",
                           "marked_gemma", "unigram_t5", "unigram_nfkc", "wordpiece_lower", "wordpiece_cased"}) {
    const json::value data = TestData(std::string(name) + ".json");
    ASSERT_TRUE(data.is_object()) << name;
    auto tokenizer = Load({.tokenizer_json = json::serialize(data.at("tokenizer"))});
    ASSERT_TRUE(tokenizer.ok()) << name << ": " << tokenizer.error().message;
    for (const auto& row : data.at("cases").as_array()) {
      const std::string text = TextOf(row.at("text"));
      const auto ids = (*tokenizer)->Encode(text, {.add_special = false});
      EXPECT_EQ(ids, IdsOf(row.at("ids"))) << name << ": '" << text << "'";
      EXPECT_EQ((*tokenizer)->Encode(text, {}), IdsOf(row.at("special"))) << name << ": '" << text << "'";
      if (std::string_view(name).starts_with("bytelevel") || std::string_view(name).starts_with("marked")) {
        EXPECT_EQ((*tokenizer)->Decode(IdsOf(row.at("ids"))), TextOf(row.at("decoded")))
            << name << ": '" << text << "'";
      }
      ++cases;
    }
  }
  EXPECT_GT(cases, 300);
}

TEST(SpecJsonTest, ReadsBert) {
  const auto root = SharedData() / "tokenizers";
  if (!std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  const auto folder = root / "bert_uncased_hf";
  const std::string file = testing::Slurp(folder / "tokenizer.json");
  const std::string config = testing::Slurp(folder / "tokenizer_config.json");
  const std::string map = testing::Slurp(folder / "special_tokens_map.json");
  auto tokenizer = Load({file, config, map});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  const TokenizerSpec& spec = (*tokenizer)->spec();
  EXPECT_EQ(spec.classification, 101);
  EXPECT_EQ(spec.separator, 102);
  EXPECT_EQ(spec.padding, 0);
  EXPECT_EQ(spec.mask, 103);
  EXPECT_EQ(spec.unknown, 100);
  int cases = 0;
  std::ifstream lines(root / "llama_cpp" / "bert-bge.jsonl");  // the same vocabulary
  for (std::string line; std::getline(lines, line); ++cases) {
    const json::value row = ParseJson(line).value();
    const std::string text = TextOf(row.at("text"));
    EXPECT_EQ((*tokenizer)->Encode(text, {.add_special = false}), IdsOf(row.at("ids"))) << text;
  }
  EXPECT_EQ(cases, 38);
  EXPECT_EQ((*tokenizer)->Encode("Hello [MASK]!", {}), (std::vector<int32_t>{101, 7592, 103, 999, 102}));
  EXPECT_EQ((*tokenizer)->Decode({101, 7592, 1010, 2088, 999, 102}), "hello, world!");
}

constexpr std::string_view kModel = R"({"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"<s>":3,"</s>":4},"merges":["a b"]})";
constexpr std::string_view kByteLevel = R"({"type":"ByteLevel","add_prefix_space":false,"use_regex":true})";

std::string File(const std::string& more, std::string_view model = kModel, std::string_view pre = kByteLevel) {
  return "{\"model\":" + std::string(model) + ",\"pre_tokenizer\":" + std::string(pre) + more + "}";
}

TEST(SpecJsonTest, TakesNamesAndFlagsFromTheOtherFiles) {
  const std::string file = File("");
  auto spec = ReadTokenizerJson({file, R"({"bos_token":{"content":"<s>"},"eos_token":"</s>","pad_token":"none"})", ""});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->bos, 3);
  EXPECT_EQ(spec->eos, 4);
  EXPECT_EQ(spec->padding, std::nullopt);
  EXPECT_FALSE(spec->add_bos);
  spec = ReadTokenizerJson({file, R"({"add_bos_token":true})", R"({"bos_token":"<s>"})"});
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_TRUE(spec->add_bos);
  const std::string templated =
      File(R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},)"
           R"({"SpecialToken":{"id":"x"}},{"Sequence":{"id":"A"}}],)"
           R"("special_tokens":{"<s>":{"ids":[3]},"x":{"ids":[4,0]}}})");
  auto tokenizer = Load({.tokenizer_json = templated});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Encode("ab", {}), (std::vector<int32_t>{3, 4, 0, 2}));
}

TEST(SpecJsonTest, FillsGapsWithUnusedTokens) {
  auto tokenizer = Load({.tokenizer_json = File(R"(,"added_tokens":[{"id":9,"content":"<x>","special":true}])")});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->size(), 10);
  EXPECT_EQ((*tokenizer)->Encode("a<x>", {}), (std::vector<int32_t>{0, 9}));
  EXPECT_EQ((*tokenizer)->Encode("a<x>", {.parse_special = false}), (std::vector<int32_t>{0}));
}

struct Row {
  std::string file;
  std::string named;  // in the message or as the param
};

void ExpectRefused(const std::vector<Row>& rows) {
  for (const auto& row : rows) {
    auto tokenizer = Load({.tokenizer_json = row.file});
    ASSERT_FALSE(tokenizer.ok()) << row.file;
    const Error& error = tokenizer.error();
    EXPECT_THAT(error.message + " " + error.param, ::testing::HasSubstr(row.named)) << row.file;
    EXPECT_THAT(error.code, ::testing::AnyOf(Code::kInvalidArgument, Code::kUnimplemented)) << row.file;
    EXPECT_TRUE(IsUtf8(error.message)) << row.file;
  }
}

TEST(SpecJsonTest, RefusesBadModelsByName) {
  ExpectRefused({
      {"", "model"},
      {"[]", "no object"},
      {"{", "tokenizer.json"},
      {R"({"a":1,"a":2})", "tokenizer.json"},
      {std::string(40, '[') + std::string(40, ']'), "tokenizer.json"},
      {R"({"model":3})", "model"},
      {File("", R"({"type":"WordLevel","vocab":{}})"), "WordLevel"},
      {File("", R"({"type":"BPE","vocab":[],"merges":[]})"), "model.vocab"},
      {File("", R"({"type":"BPE","vocab":{"a":"0"},"merges":[]})"), "model.vocab"},
      {File("", R"({"type":"BPE","vocab":{"a":-1},"merges":[]})"), "model.vocab"},
      {File("", R"({"type":"BPE","vocab":{"a":9000000},"merges":[]})"), "model.vocab"},
      {File("", R"({"type":"BPE","vocab":{"a":0,"b":0},"merges":["a b"]})"), "'a' and 'b'"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":[["a"]]})"), "model.merges[0]"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":["a"]})"), "merge 0"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":["a b"]})"), "merge 0"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":[["a b","c"]]})"), "a merge with a space"},
      {File("", R"({"type":"BPE","dropout":0.1,"vocab":{"a":0},"merges":["a a"]})"), "dropout"},
      {File("", R"({"type":"BPE","end_of_word_suffix":"</w>","vocab":{},"merges":[]})"), "end_of_word_suffix"},
      {File("", R"({"type":"BPE","unk_token":"?","vocab":{"a":0,"aa":1},"merges":["a a"]})"), "model.unk_token"},
      {File("", R"({"type":"Unigram","vocab":[["a",-1]]})"), "unk_id"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a"]]})"), "model.vocab[0]"},
      {File("", R"({"type":"Unigram","unk_id":7,"vocab":[["a",-1]]})", R"({"type":"Metaspace"})"), "unknown"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a",-1]]})"), "ByteLevel of another model"},
      {File("", R"({"type":"WordPiece","vocab":{"a":0}})", "null"), "model.unk_token"},
      {File("", R"({"type":"BPE","vocab":{"a":2000000},"merges":["a a"]})"), "model.vocab"},
      {File("", R"({"type":"BPE","vocab":{"a":1.5},"merges":["a a"]})"), "'a' is no integer"},
      {File("", R"({"type":"BPE","vocab":{"\u0000\u001b":null},"merges":["a a"]})"),
       "'?"
       "?' is no integer"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":{"a":"a"}})"), "model.merges"},
      {File("", R"({"type":"BPE","vocab":{"a":0},"merges":[["a",0]]})"), "model.merges[0]"},
      {File("", R"({"type":"BPE","vocab":{"a":0,"b":1},"merges":["a b"]})"), "merge 0, 'a b'"},
      {File("", R"({"type":"BPE","dropout":"no","vocab":{},"merges":[]})"), "model.dropout"},
      {File("", R"({"type":"BPE","byte_fallback":1,"vocab":{},"merges":[]})"), "model.byte_fallback"},
      {File("", R"({"type":3,"vocab":{}})"), "model.type"},
      {File("", R"({"type":"Unigram","unk_id":-1,"vocab":[["a",-1]]})"), "model.unk_id"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[]})", R"({"type":"Metaspace"})"), "tokens"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a","1"]]})"), "model.vocab[0]"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a",1e999]]})"), "tokenizer.json"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a",1e300]]})", R"({"type":"Metaspace"})"), "scores"},
      {File("", R"({"type":"Unigram","unk_id":0,"vocab":[["a",-1],["a",-2]]})", R"({"type":"Metaspace"})"),
       "both token 0 and 1"},
      {File("", R"({"type":"WordPiece","unk_token":"a","max_input_chars_per_word":0,"vocab":{"a":0}})", "null"),
       "max_input_chars_per_word"},
  });
}

TEST(SpecJsonTest, RefusesBadPreTokenizersByName) {
  ExpectRefused({
      {File("", kModel, "null"), "without ByteLevel"},
      {File("", kModel, R"({"type":"UnicodeScripts"})"), "UnicodeScripts"},
      {File("", kModel, R"({"type":"Sequence"})"), "pre_tokenizer.pretokenizers"},
      {File("", kModel, R"({"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated"})"), "without ByteLevel"},
      {File("", kModel,
            R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"("},)"
            R"("behavior":"Isolated"},{"type":"ByteLevel","add_prefix_space":false}]})"),
       "the regex '('"},
      {File("", kModel, R"({"type":"Split","pattern":{"Glob":"*"},"behavior":"Isolated"})"), "pattern"},
      {File("", kModel, R"({"type":"Split","pattern":{"String":"x"},"behavior":"Sometimes"})"), "Sometimes"},
      {File("", kModel, "[]"), "pre_tokenizer"},
      {File("", kModel, R"({"type":"Sequence","pretokenizers":[3]})"), "pre_tokenizer.pretokenizers[0]"},
      {File("", kModel, R"({"type":"ByteLevel","add_prefix_space":"yes"})"), "pre_tokenizer.add_prefix_space"},
      {File("", kModel, R"({"type":"Split","pattern":{"Regex":"x"}})"), "the behaviour ''"},
      {File("", kModel, R"({"type":"Split","pattern":{"Regex":""},"behavior":"Isolated"})"), "pre_tokenizer.pattern"},
      {File("", kModel, R"({"type":"Metaspace","replacement":"__"})"), "'__'"},
      {File("", kModel, R"({"type":"Metaspace","prepend_scheme":"often"})"), "'often'"},
  });
}

TEST(SpecJsonTest, RefusesBadPartsByName) {
  ExpectRefused({
      {File(R"(,"normalizer":{"type":"Nmt"})"), "Nmt"},
      {File(R"(,"normalizer":{"type":"Precompiled","precompiled_charsmap":"!"})"), "base64"},
      {File(R"(,"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAA"})"), "charsmap"},
      {File(R"(,"normalizer":{"type":"BertNormalizer"})"), "BertNormalizer"},
      {File(R"(,"post_processor":{"type":"Magic"})"), "Magic"},
      {File(R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}]})"), "'x'"},
      {File(R"(,"post_processor":{"type":"TemplateProcessing","single":[]})"), "no Sequence"},
      {File(R"(,"post_processor":{"type":"BertProcessing","cls":["a",0]})"), "sep"},
      {File(R"(,"post_processor":{"type":"BertProcessing","cls":["a",0],"sep":["b",99]})"), "99"},
      {File(R"(,"decoder":{"type":"CTC"})"), "CTC"},
      {File(R"(,"added_tokens":[{"id":0,"content":"zz"}])"), "added_tokens[0]"},
      {File(R"(,"added_tokens":[{"id":9,"content":"ab"}])"), "'ab'"},
      {File(R"(,"added_tokens":[{"id":5,"content":"x","single_word":true}])"), "single_word"},
      {File(R"(,"added_tokens":[{"content":"x"}])"), "added_tokens[0].id"},
      {File(R"(,"added_tokens":{"id":5})"), "added_tokens"},
      {File(R"(,"added_tokens":[3])"), "added_tokens[0]"},
      {File(R"(,"added_tokens":[{"id":5}])"), "added_tokens[0].content"},
      {File(R"(,"added_tokens":[{"id":-1,"content":"x"}])"), "added_tokens[0].id"},
      {File(R"(,"added_tokens":[{"id":2000000,"content":"x"}])"), "added_tokens[0].id"},
      {File(R"(,"added_tokens":[{"id":1.5,"content":"x"}])"), "added_tokens[0].id"},
      {File(R"(,"added_tokens":[{"id":5,"content":"x","special":1}])"), "added_tokens[0].special"},
      {File(R"(,"normalizer":{"type":"Sequence","normalizers":3})"), "normalizer.normalizers"},
      {File(R"(,"normalizer":{"type":"Replace","pattern":{"String":""},"content":""})"), "normalizer.pattern"},
      {File(R"(,"normalizer":{"type":"Replace","pattern":{"Regex":"(?<=\\Ka)b"},"content":""})"), "the regex"},
      {File(R"(,"normalizer":{"type":"Prepend","prepend":")" + std::string(65, 'x') + R"("})"), "65 bytes"},
      {File(R"(,"normalizer":{"type":"Strip","strip_left":0})"), "normalizer.strip_left"},
      {File(R"(,"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{}},{"Sequence":{}}]})"),
       "post_processor.single[1]"},
      {File(R"(,"post_processor":{"type":"BertProcessing","cls":["a",-1],"sep":["b",0]})"), "post_processor.cls"},
      {File(R"(,"decoder":{"type":"Sequence","decoders":[{"type":"Magic"}]})"), "decoder.decoders[0]"},
  });
}

TEST(SpecJsonTest, CutsTokensThatItTellsOfBetweenCharacters) {
  std::string token = "a";
  for (int i = 0; i < 60; ++i) {
    token += "词";
  }
  auto spec =
      Load({.tokenizer_json = File("", R"({"type":"BPE","vocab":{")" + token + R"(":null},"merges":["a b"]})")});
  ASSERT_FALSE(spec.ok());
  EXPECT_TRUE(IsUtf8(spec.error().message)) << spec.error().message;
}

// 32 steps that each double a text would make one character of it 4 GB.
TEST(SpecJsonTest, BoundsHowMuchLongerANormaliserMakesAText) {
  std::string steps;
  for (int i = 0; i < 31; ++i) {
    steps += std::string(i == 0 ? "" : ",") + R"({"type":"Replace","pattern":{"String":"a"},"content":"aa"})";
  }
  auto tokenizer = Load({.tokenizer_json = File(R"(,"normalizer":{"type":"Sequence","normalizers":[)" + steps + "]}")});
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Encode("aa", {.add_special = false}).size(), 64U + 2 * 64);
}

}  // namespace
}  // namespace atelier::text
