// Models of several files.
#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>

#include "tensor/gguf.h"
#include "tensor/testing/gguf_bytes.h"

namespace atelier::tensor {
namespace {

using testing::GgufBytes;
using ::testing::HasSubstr;
using testing::Info;
using testing::Key;
using testing::Raw;
using testing::Str;

class GgufSplitTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("gguf_split_test." + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  // The keys that gguf-split writes.
  static std::string SplitKeys(uint16_t number, uint16_t count, int32_t tensors) {
    return Key("split.no", 2, Raw(number)) + Key("split.count", 2, Raw(count)) +
           Key("split.tensors.count", 5, Raw(tensors));
  }
  static GgufBytes Part(uint16_t number, const std::string& tensor) {
    GgufBytes part;
    part.keys = SplitKeys(number, 3, 3);
    part.key_count = 3;
    part.SetInfos(Info(tensor, {4, 2}, 0, 0), 1);
    part.data = std::string(32, static_cast<char>('0' + number));
    part.padding = "";
    return part;
  }
  // Three files: the first with all of the model's keys and no tensors, then one with two and one with one.
  void WriteModel() {
    GgufBytes first;
    first.AddKey(SplitKeys(0, 3, 3));
    first.key_count += 2;
    first.SetInfos("", 0);
    first.data = first.padding = "";
    Write(1, first);
    GgufBytes second = Part(1, "a");
    second.SetInfos(Info("a", {4, 2}, 0, 0) + Info("b", {4, 2}, 0, 32), 2);
    second.data += second.data;
    Write(2, second);
    Write(3, Part(2, "c"));
  }
  std::filesystem::path File(int number) const {
    return folder_ / ("model-0000" + std::to_string(number) + "-of-00003.gguf");
  }
  void Write(int number, const GgufBytes& bytes) { std::ofstream(File(number), std::ios::binary) << bytes.All(); }
  void ExpectRefused(const std::string& message, Code code = Code::kInvalidArgument) {
    auto model = GgufFile::Open(File(1));
    ASSERT_FALSE(model.ok()) << message;
    EXPECT_THAT(model.error().message, HasSubstr(message));
    EXPECT_EQ(model.error().code, code) << model.error().message;
  }

  std::filesystem::path folder_;
};

TEST_F(GgufSplitTest, ReadsAllFilesAsOneModel) {
  WriteModel();
  auto model = GgufFile::Open(File(1));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->tensors().size(), 3U);
  EXPECT_EQ((*model)->Find("b")->bytes[0], std::byte{'1'});
  EXPECT_EQ((*model)->Find("c")->bytes[31], std::byte{'2'});
  EXPECT_EQ(*(*model)->Text("general.architecture"), "tiny");
  EXPECT_FALSE((*model)->Has("split.count"));
}

TEST_F(GgufSplitTest, NamesWhatIsWrong) {
  WriteModel();
  std::filesystem::remove(File(3));
  ExpectRefused("model-00003-of-00003.gguf", Code::kNotFound);
  Write(3, Part(1, "c"));
  ExpectRefused("'model-00003-of-00003.gguf': not a valid GGUF file: key 'split.no' is not 2");
  GgufBytes other = Part(2, "c");
  other.keys = SplitKeys(2, 4, 3);
  Write(3, other);
  ExpectRefused("key 'split.count' is not 3");
  other.keys = Key("x", 4, Raw(1));
  other.key_count = 1;
  Write(3, other);
  ExpectRefused("key 'split.no' is not 2");
  Write(3, Part(2, "a"));
  ExpectRefused("tensor 'a' is there twice");
  GgufBytes empty = Part(2, "c");
  empty.SetInfos("", 0);
  empty.data = "";
  Write(3, empty);
  ExpectRefused("key 'split.tensors.count' is not 2");
  GgufBytes cut = Part(2, "c");
  cut.data.resize(31);
  Write(3, cut);
  ExpectRefused("tensor 'c' reaches beyond");
}

TEST_F(GgufSplitTest, OpensTheFirstFileOnly) {
  WriteModel();
  auto second = GgufFile::Open(File(2));
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, HasSubstr("key 'split.no' is not 0"));
  std::filesystem::rename(File(1), folder_ / "model.gguf");
  auto renamed = GgufFile::Open(folder_ / "model.gguf");
  ASSERT_FALSE(renamed.ok());
  EXPECT_THAT(renamed.error().message, HasSubstr("does not end with -00001-of-00003.gguf"));
}

TEST_F(GgufSplitTest, RefusesCountsThatAreNone) {
  for (const auto& count : {Key("split.count", 8, Str("3")), Key("split.count", 5, Raw(-1)),
                            Key("split.count", 10, Raw(~0ULL)), Key("split.count", 4, Raw(65536U))}) {
    GgufBytes first;
    first.AddKey(count);
    Write(1, first);
    ExpectRefused("key 'split.count'");
  }
  GgufBytes alone;  // of one part: no others are looked for
  alone.AddKey(Key("split.count", 2, Raw<uint16_t>(1)));
  Write(1, alone);
  EXPECT_TRUE(GgufFile::Open(File(1)).ok());
}

}  // namespace
}  // namespace atelier::tensor
