#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstring>
#include <fstream>

namespace atelier::tensor {
namespace {

class SafetensorsTest : public testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() / ("safetensors_test." + std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove(file_); }

  Result<std::unique_ptr<SafetensorsFile>> OpenBytes(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary) << bytes;
    return SafetensorsFile::Open(file_);
  }
  static std::string Bytes(const std::string& header, const std::string& data) {
    const uint64_t length = header.size();
    return std::string(reinterpret_cast<const char*>(&length), sizeof(length)) + header + data;
  }

  std::filesystem::path file_;
};

View Of(DataType type, std::vector<int64_t> shape, const std::string& bytes) {
  return {type, std::move(shape), std::as_bytes(std::span(bytes))};
}

std::string Written(const std::map<std::string, View>& tensors, const std::map<std::string, std::string>& metadata) {
  std::string out;
  const auto status = WriteSafetensors(tensors, metadata, [&](std::span<const std::byte> bytes) -> Status {
    out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  return status.ok() ? out : "error: " + status.error().message;
}

TEST_F(SafetensorsTest, ReadsBytesBuiltByHand) {
  auto file =
      OpenBytes(Bytes(R"({"__metadata__":{"format":"pt"},"b":{"dtype":"U8","shape":[2,1],"data_offsets":[8,10]},)"
                      R"("a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                      R"("e":{"dtype":"I64","shape":[0,3],"data_offsets":[8,8]}}  )",
                      std::string("\0\0\x80\x3f\0\0\0\xc0\x05\x06", 10)));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->metadata().at("format"), "pt");
  auto a = (*file)->Find("a");
  ASSERT_TRUE(a.ok());
  float values[2];
  std::memcpy(values, a->bytes.data(), 8);
  EXPECT_EQ(values[0], 1.0F);
  EXPECT_EQ(values[1], -2.0F);
  EXPECT_EQ((*file)->Find("b")->bytes[1], std::byte{6});
  EXPECT_EQ((*file)->Find("e")->shape, (std::vector<int64_t>{0, 3}));
  EXPECT_EQ((*file)->Find("c").error().code, Code::kNotFound);
}

TEST_F(SafetensorsTest, RefusesEveryDamage) {
  const std::string eight(8, '\0');
  const std::map<std::string, std::string> cases{
      {"empty file", ""},
      {"seven bytes", "1234567"},
      {"length beyond the file", std::string("\xff\0\0\0\0\0\0\0{}", 10)},
      {"length of 2^63", std::string("\0\0\0\0\0\0\0\x80{}", 10)},
      {"no object", Bytes("[]", "")},
      {"space first", Bytes(" {}", "")},
      {"malformed", Bytes(R"({"a":)", "")},
      {"entry no object", Bytes(R"({"a":3})", "")},
      {"duplicate", Bytes(R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
                          R"("a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})",
                          "")},
      {"unknown dtype", Bytes(R"({"a":{"dtype":"F7","shape":[2],"data_offsets":[0,8]}})", eight)},
      {"shape too small", Bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,8]}})", eight)},
      {"shape overflow",
       Bytes(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}})", eight)},
      {"negative shape", Bytes(R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", eight)},
      {"fractional shape", Bytes(R"({"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}})", eight)},
      {"swapped", Bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", eight)},
      {"negative offset", Bytes(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", eight)},
      {"beyond the end", Bytes(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", eight)},
      {"before the end", Bytes(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", eight)},
      {"hole", Bytes(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                     R"("b":{"dtype":"U8","shape":[2],"data_offsets":[6,8]}})",
                     eight)},
      {"overlap", Bytes(R"({"a":{"dtype":"U8","shape":[5],"data_offsets":[0,5]},)"
                        R"("b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})",
                        eight)},
      {"metadata no strings", Bytes(R"({"__metadata__":{"a":1}})", "")},
      {"bytes without tensors", Bytes("{}", "x")},
  };
  for (const auto& [name, bytes] : cases) {
    auto file = OpenBytes(bytes);
    ASSERT_FALSE(file.ok()) << name;
    EXPECT_EQ(file.error().reason, "invalid_model_file") << name << ": " << file.error().message;
  }
  std::filesystem::remove(file_);
  EXPECT_EQ(SafetensorsFile::Open(file_).error().code, Code::kNotFound);
}

TEST_F(SafetensorsTest, WritesWhatItReadsAligned) {
  const std::string three = "abc";
  const std::string longs(16, '\7');
  const std::map<std::string, View> tensors{{"a", Of(DataType::kU8, {3}, three)},
                                            {"b", Of(DataType::kI64, {2}, longs)},
                                            {"图", Of(DataType::kF32, {}, longs.substr(0, 0))}};
  EXPECT_THAT(Written(tensors, {}), testing::StartsWith("error: "));  // a scalar has four bytes
  const std::string four = "wxyz";
  auto good = tensors;
  good["图"] = Of(DataType::kF32, {}, four);
  const std::string bytes = Written(good, {{"k", "v"}});
  auto file = OpenBytes(bytes);
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ((*file)->tensors().size(), 3U);
  for (const auto& [name, view] : good) {
    auto found = (*file)->Find(name);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(found->shape, view.shape);
    EXPECT_EQ(found->type, view.type);
    EXPECT_TRUE(std::ranges::equal(found->bytes, view.bytes));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(found->bytes.data()) % ByteSize(found->type), 0U) << name;
  }
}

// Recorded with Python's safetensors (save(), metadata {"format": "np"}).
TEST_F(SafetensorsTest, AgreesWithTheReferenceByteForByte) {
  const std::string floats("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 12);
  const std::string longs("\xff\xff\xff\xff\xff\xff\xff\xff", 8);
  const std::string small("\x01\x02\x03", 3);
#include "tensor/testdata/reference.inc"
  EXPECT_EQ(Written({{"weight", Of(DataType::kF32, {1, 3}, floats)},
                     {"step", Of(DataType::kI64, {1}, longs)},
                     {"bias", Of(DataType::kF32, {3}, floats)},
                     {"mask", Of(DataType::kU8, {3}, small)}},
                    {{"format", "np"}}),
            reference);
}

}  // namespace
}  // namespace atelier::tensor
