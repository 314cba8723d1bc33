#include "engine/formats/gguf_tokenizer.h"

#include <gmock/gmock.h>
#include <unistd.h>
#include <zlib.h>

#include <cstring>
#include <fstream>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "text/end_tokens.h"

namespace atelier::engine {
namespace {

using text::Tokenizer;

// A file that goes with the test.
class TempFile {
 public:
  explicit TempFile(const std::string& bytes)
      : path_(std::filesystem::temp_directory_path() / ("gguf_tokenizer_test." + std::to_string(::getpid()))) {
    std::ofstream(path_, std::ios::binary) << bytes;
  }
  TempFile(const TempFile&) = delete;
  TempFile& operator=(const TempFile&) = delete;
  ~TempFile() { std::filesystem::remove(path_); }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string Gunzip(const std::filesystem::path& path) {
  std::string out;
  gzFile file = gzopen(path.c_str(), "rb");
  char buffer[65536];
  for (int got = 0; file != nullptr && (got = gzread(file, buffer, sizeof(buffer))) > 0;) {
    out.append(buffer, static_cast<size_t>(got));
  }
  gzclose(file);
  return out;
}

template <class T>
void Append(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Gives a file of metadata only the one tensor that the reader wants.
std::string WithTensor(std::string bytes) {
  const uint64_t count = 1;
  std::memcpy(bytes.data() + 8, &count, sizeof(count));
  Append(bytes, uint64_t{1});
  bytes += 't';
  Append(bytes, uint32_t{1});  // dimensions
  Append(bytes, uint64_t{8});
  Append(bytes, uint32_t{0});  // F32
  Append(bytes, uint64_t{0});  // offset
  bytes.resize((bytes.size() + 31) / 32 * 32 + 32);
  return bytes;
}

Result<text::TokenizerSpec> SpecOf(const std::filesystem::path& path) {
  ATELIER_ASSIGN(file, tensor::GgufFile::Open(path));
  return TokenizerSpecFromGguf(*file);
}

Result<std::unique_ptr<Tokenizer>> Open(const std::filesystem::path& path) {
  ATELIER_ASSIGN(spec, SpecOf(path));
  return Tokenizer::Make(std::move(spec));
}

std::string Slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<int32_t> Ids(const json::value& value) {
  std::vector<int32_t> ids;
  for (const auto& id : value.as_array()) {
    ids.push_back(static_cast<int32_t>(id.as_int64()));
  }
  return ids;
}

std::string Text(const json::value& value) { return std::string(std::string_view(value.as_string())); }

// The golden rows in llama.cpp's own folder: vocabulary and {"text", "ids"} a line, without special tokens.
TEST(GgufTokenizerTest, AgreesWithEveryVectorOfTheVocabularies) {
  const auto root = SharedData() / "tokenizers" / "llama_cpp";
  if (!std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  int cases = 0;
  for (const auto* name :
       {"bert-bge", "deepseek-coder", "deepseek-llm", "falcon", "gpt-2", "llama-spm", "mpt", "phi-3", "starcoder"}) {
    const TempFile file(WithTensor(Gunzip(root / ("ggml-vocab-" + std::string(name) + ".gguf.gz"))));
    auto tokenizer = Open(file.path());
    ASSERT_TRUE(tokenizer.ok()) << name << ": " << tokenizer.error().message;
    std::ifstream lines(root / (std::string(name) + ".jsonl"));
    for (std::string line; std::getline(lines, line); ++cases) {
      const json::value row = ParseJson(line).value();
      const std::string input = Text(row.at("text"));
      EXPECT_EQ((*tokenizer)->Encode(input, {.add_special = false, .parse_special = false}), Ids(row.at("ids")))
          << name << ": " << input;
      const bool lossless = std::string(name) != "bert-bge";
      if (lossless) {
        EXPECT_EQ((*tokenizer)->Decode(Ids(row.at("ids"))), input) << name;
      }
    }
  }
  EXPECT_EQ(cases, 342);
}

TEST(GgufTokenizerTest, AgreesWithTheGoldenModels) {
  const auto root = SharedData() / "golden" / "llm";
  if (!std::filesystem::exists(root)) {
    GTEST_SKIP() << "no shared data";
  }
  const json::value index = ParseJson(Slurp(root / "index.json"), {.max_bytes = 16U << 20U}).value();
  int cases = 0;
  for (const auto& model : index.at("models").as_array()) {
    const std::string name = Text(model.at("model"));
    auto tokenizer = Open(root / name);
    ASSERT_TRUE(tokenizer.ok()) << name << ": " << tokenizer.error().message;
    for (const auto& row : model.at("tokenization").as_array()) {
      const std::string input = Text(row.at("text"));
      EXPECT_EQ((*tokenizer)->Encode(input, {.add_special = false}), Ids(row.at("ids"))) << name << ": " << input;
      EXPECT_EQ((*tokenizer)->Encode(input, {}), Ids(row.at("ids_with_special"))) << name << ": " << input;
      ++cases;
    }
  }
  EXPECT_EQ(cases, 230);
}

// Writes a GGUF file of metadata only.
class Gguf {
 public:
  Gguf& Text(const std::string& key, const std::string& value) {
    Head(key, 8);
    AddText(value);
    return *this;
  }
  Gguf& Integer(const std::string& key, uint32_t value) {
    Head(key, 4);
    Add(value);
    return *this;
  }
  Gguf& Flag(const std::string& key, bool value) {
    Head(key, 7);
    Add(static_cast<uint8_t>(value));
    return *this;
  }
  Gguf& Texts(const std::string& key, const std::vector<std::string>& values) {
    Array(key, 8, values.size());
    for (const auto& value : values) {
      AddText(value);
    }
    return *this;
  }
  Gguf& Integers(const std::string& key, const std::vector<int32_t>& values) {
    Array(key, 5, values.size());
    for (const int32_t value : values) {
      Add(value);
    }
    return *this;
  }
  Gguf& Floats(const std::string& key, const std::vector<float>& values) {
    Array(key, 6, values.size());
    for (const float value : values) {
      Add(value);
    }
    return *this;
  }
  std::string Bytes() const {
    Gguf file;
    file.bytes_ = "GGUF";
    file.Add(uint32_t{3});
    file.Add(uint64_t{0});
    file.Add(keys_);
    return WithTensor(file.bytes_ + bytes_);
  }

 private:
  template <class T>
  void Add(T value) {
    Append(bytes_, value);
  }
  void AddText(const std::string& text) {
    Add(static_cast<uint64_t>(text.size()));
    bytes_ += text;
  }
  void Head(const std::string& key, uint32_t type) {
    ++keys_;
    AddText("tokenizer.ggml." + key);
    Add(type);
  }
  void Array(const std::string& key, uint32_t type, size_t count) {
    Head(key, 9);
    Add(type);
    Add(static_cast<uint64_t>(count));
  }
  std::string bytes_;
  uint64_t keys_ = 0;
};

Gguf Bpe() {
  return Gguf().Text("model", "gpt2").Text("pre", "gpt-2").Texts("tokens", {"a", "b", "ab"}).Texts("merges", {"a b"});
}

Gguf Spm() {
  return Gguf()
      .Text("model", "llama")
      .Texts("tokens", {"<unk>", "<s>", "</s>", "a",
                        "\xE2\x96\x81"
                        "a"})
      .Floats("scores", {0, 0, 0, -1, -2});
}

TEST(GgufTokenizerTest, FillsInWhatAFileLeavesOut) {
  const TempFile file(Spm().Bytes());
  auto tokenizer = Open(file.path());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.error().message;
  EXPECT_EQ((*tokenizer)->Encode("a</s>", {}), (std::vector<int32_t>{1, 4, 2}));
  EXPECT_EQ((*tokenizer)->spec().eos, 2);
  EXPECT_EQ(text::EndTokens((*tokenizer)->spec()), (std::vector<int32_t>{2}));
}

TEST(GgufTokenizerTest, RefusesBadKeysByName) {
  struct Row {
    std::string what;
    Gguf file;
    std::string named;  // in the message or as the param
  };
  const std::vector<Row> rows{
      {"no model", Gguf().Texts("tokens", {"a"}), "tokenizer.ggml.model"},
      {"model is a number", Gguf().Integer("model", 1), "tokenizer.ggml.model"},
      {"unknown model", Gguf().Text("model", "rwkv").Texts("tokens", {"a"}), "rwkv"},
      {"unknown pre", Gguf().Text("model", "gpt2").Text("pre", "gpt-9").Texts("tokens", {"a"}).Texts("merges", {}),
       "gpt-9"},
      {"no tokens", Gguf().Text("model", "gpt2").Text("pre", "gpt-2"), "tokenizer.ggml.tokens"},
      {"tokens are numbers", Gguf().Text("model", "gpt2").Integers("tokens", {1}), "tokenizer.ggml.tokens"},
      {"empty vocabulary", Gguf().Text("model", "gpt2").Texts("tokens", {}).Texts("merges", {}), "tokens"},
      {"no merges", Gguf().Text("model", "gpt2").Texts("tokens", {"a"}), "tokenizer.ggml.merges"},
      {"merges outside", Gguf().Text("model", "gpt2").Texts("tokens", {"a"}).Texts("merges", {"a b"}), "merge 0"},
      {"types too few", Bpe().Integers("token_type", {1}), "tokenizer.ggml.token_type"},
      {"type 9", Bpe().Integers("token_type", {1, 9, 1}), "tokenizer.ggml.token_type"},
      {"type negative", Bpe().Integers("token_type", {1, -1, 1}), "tokenizer.ggml.token_type"},
      {"types are text", Bpe().Texts("token_type", {"1", "1", "1"}), "tokenizer.ggml.token_type"},
      {"byte token", Bpe().Integers("token_type", {1, 6, 1}), "no byte token"},
      {"scores are text", Bpe().Texts("scores", {"1"}), "tokenizer.ggml.scores"},
      {"scores too few", Bpe().Floats("scores", {1}), "scores"},
      {"no scores", Gguf().Text("model", "llama").Texts("tokens", {"a"}), "scores"},
      {"bos outside", Bpe().Integer("bos_token_id", 3), "tokenizer.ggml.bos_token_id"},
      {"eos huge", Bpe().Integer("eos_token_id", 4000000000), "tokenizer.ggml.eos_token_id"},
      {"bos is text", Bpe().Text("bos_token_id", "3"), "tokenizer.ggml.bos_token_id"},
      {"flag is text", Bpe().Text("add_bos_token", "yes"), "tokenizer.ggml.add_bos_token"},
      {"adds no bos", Bpe().Flag("add_bos_token", true), "add_bos"},
      {"charsmap",
       Gguf()
           .Text("model", "t5")
           .Texts("tokens", {"a", "b", "c"})
           .Floats("scores", {0, 0, 0})
           .Integers("precompiled_charsmap", {1, 2, 3, 4, 5}),
       "charsmap"},
      {"no unknown", Gguf().Text("model", "bert").Texts("tokens", {"a"}), "unknown"},
  };
  for (const auto& row : rows) {
    const TempFile file(row.file.Bytes());
    auto tokenizer = Open(file.path());
    ASSERT_FALSE(tokenizer.ok()) << row.what;
    EXPECT_THAT(tokenizer.error().message + " " + tokenizer.error().param, testing::HasSubstr(row.named)) << row.what;
    EXPECT_THAT(tokenizer.error().code, testing::AnyOf(Code::kInvalidArgument, Code::kUnimplemented))
        << row.what << ": " << tokenizer.error().message;
  }
}

TEST(GgufTokenizerTest, TakesNoIdForNone) {
  const TempFile file(Bpe().Integer("padding_token_id", 0xFFFFFFFF).Bytes());
  auto spec = SpecOf(file.path());
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->padding, std::nullopt);
}

}  // namespace
}  // namespace atelier::engine
