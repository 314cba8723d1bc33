#include "tensor/safetensors.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>

#include "base/ids.h"

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

std::string Length(uint64_t length) { return {reinterpret_cast<const char*>(&length), sizeof(length)}; }

// A file of eight bytes of data whose one tensor is described by `entry`.
std::string One(const std::string& entry) {
  const std::string header = R"({"layer.0":)" + entry + "}";
  return Length(header.size()) + header + std::string(8, '\0');
}

// Of two tensors "a" and "b" of U8 in eight bytes of data.
std::string Two(const std::array<int, 4>& offsets) {
  std::string header = "{";
  for (size_t i = 0; i < 4; i += 2) {
    header += std::string(i == 0 ? R"("a")" : R"(,"b")") + R"(:{"dtype":"U8","shape":[)" +
              std::to_string(offsets.at(i + 1) - offsets.at(i)) + R"(],"data_offsets":[)" +
              std::to_string(offsets.at(i)) + "," + std::to_string(offsets.at(i + 1)) + "]}";
  }
  header += "}";
  return Length(header.size()) + header + std::string(8, '\0');
}

struct Damage {
  std::string what;
  std::string bytes;
  std::string named;  // what the message must hold
};

void ExpectRefused(const std::vector<Damage>& rows) {
  for (const auto& row : rows) {
    auto file = SafetensorsFile::Parse(std::as_bytes(std::span(row.bytes)));
    ASSERT_FALSE(file.ok()) << row.what;
    EXPECT_EQ(file.error().reason, "invalid_model_file") << row.what;
    EXPECT_THAT(file.error().message, testing::HasSubstr(row.named)) << row.what;
    EXPECT_LT(file.error().message.size(), 400U) << row.what;
    EXPECT_TRUE(IsUtf8(file.error().message)) << row.what;
  }
}

TEST_F(SafetensorsTest, RefusesDamagedHeaders) {
  const std::string header = R"({"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})";
  const std::string many(std::size_t{10} << 20U, 'x');
  ExpectRefused({
      {"empty", "", "0 bytes"},
      {"seven bytes", "1234567", "7 bytes"},
      {"a length beyond the file", Length(255) + "{}", "255"},
      {"a length of 2^63", Length(1ULL << 63U) + "{}", "9223372036854775808"},
      {"a length of 2^64 - 1", Length(~0ULL) + "{}", "18446744073709551615"},
      {"a length above 100 MB", Length(100'000'001) + "{}", "100 MB"},
      {"a length of 0", Length(0) + "{}", "'{'"},
      {"a length one short", Length(header.size() - 1) + header, "its header"},
      {"no object", Bytes("[]", ""), "'{'"},
      {"space first", Bytes(" {}", ""), "'{'"},
      {"malformed", Bytes(R"({"a":)", ""), "its header"},
      {"no UTF-8", Bytes("{\"\xff\":{}}", ""), "its header"},
      {"a lone surrogate", Bytes(R"({"\ud800":{}})", ""), "its header"},
      {"deep", Bytes(R"({"a":)" + std::string(100000, '['), ""), "its header"},
      {"NaN", Bytes(R"({"a":NaN})", ""), "its header"},
      {"a tensor twice", Bytes(header.substr(0, header.size() - 1) + "," + header.substr(1), ""), "its header"},
      {"a zip archive", "PK\3\4" + std::string(100, '\0'), "beyond the file"},
      {"a zip archive behind it", Bytes(header, "PK\5\6"), "4 bytes behind"},
      {"bytes without tensors", Bytes("{}", "x"), "1 bytes behind"},
      {"metadata of numbers", Bytes(R"({"__metadata__":{"a":1}})", ""), "__metadata__"},
      {"metadata that is a list", Bytes(R"({"__metadata__":["a"]})", ""), "__metadata__"},
      {"metadata that is null", Bytes(R"({"__metadata__":null})", ""), "__metadata__"},
      {"10 MB of metadata behind no tensor", Bytes(R"({"__metadata__":{"a":")" + many + R"("}})", "x"), "behind"},
      {"a name of 10 MB", Bytes("{\"" + many + R"(":3})", ""), "key too large"},
      {"a name with controls", Bytes(R"({"\u0000\u001b[31m":3})", ""), "'??[31m'"},
  });
}

TEST_F(SafetensorsTest, RefusesDamagedTensorsByName) {
  const std::string name = "'layer.0'";
  ExpectRefused({
      {"no object", One("3"), name},
      {"nothing", One("{}"), name},
      {"no dtype", One(R"({"shape":[2],"data_offsets":[0,8]})"), name + " has no known dtype"},
      {"an unknown dtype", One(R"({"dtype":"F7","shape":[2],"data_offsets":[0,8]})"), name + " has no known dtype"},
      {"a dtype of 8-bit floats", One(R"({"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]})"), name},
      {"a dtype in small letters", One(R"({"dtype":"f32","shape":[2],"data_offsets":[0,8]})"), name},
      {"a dtype that is a number", One(R"({"dtype":32,"shape":[2],"data_offsets":[0,8]})"), name},
      {"no shape", One(R"({"dtype":"F32","data_offsets":[0,8]})"), name + " has no shape"},
      {"a shape that is a number", One(R"({"dtype":"F32","shape":2,"data_offsets":[0,8]})"), name},
      {"17 dimensions", One(R"({"dtype":"F64","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data_offsets":[0,8]})"),
       name},
      {"a shape too small", One(R"({"dtype":"F32","shape":[1],"data_offsets":[0,8]})"), name},
      {"a shape too large", One(R"({"dtype":"F32","shape":[3],"data_offsets":[0,8]})"), name},
      {"a product that overflows", One(R"({"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]})"),
       name},
      {"bytes that overflow", One(R"({"dtype":"F64","shape":[2305843009213693953],"data_offsets":[0,8]})"), name},
      {"a product that overflows to 0", One(R"({"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]})"),
       name},
      {"a negative dimension", One(R"({"dtype":"F32","shape":[-2],"data_offsets":[0,8]})"), "shape of tensor " + name},
      {"two negative ones", One(R"({"dtype":"F32","shape":[-1,-2],"data_offsets":[0,8]})"), "shape of tensor " + name},
      {"a dimension beyond 64 bits", One(R"({"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]})"),
       name},
      {"a dimension of 2.0", One(R"({"dtype":"F32","shape":[2.0],"data_offsets":[0,8]})"), "shape of tensor " + name},
      {"a dimension as text", One(R"({"dtype":"F32","shape":["2"],"data_offsets":[0,8]})"), "shape of tensor " + name},
      {"no offsets", One(R"({"dtype":"F32","shape":[2]})"), name + " has no pair"},
      {"one offset", One(R"({"dtype":"F32","shape":[2],"data_offsets":[0]})"), name + " has no pair"},
      {"three offsets", One(R"({"dtype":"F32","shape":[2],"data_offsets":[0,8,8]})"), name + " has no pair"},
      {"swapped", One(R"({"dtype":"F32","shape":[2],"data_offsets":[8,0]})"), name + " are swapped"},
      {"a negative offset", One(R"({"dtype":"F32","shape":[2],"data_offsets":[-8,0]})"), name + " has no pair"},
      {"beyond the end", One(R"({"dtype":"F32","shape":[4],"data_offsets":[0,16]})"), name},
      {"2^63 - 1", One(R"({"dtype":"U8","shape":[8],"data_offsets":[9223372036854775799,9223372036854775807]})"), name},
      {"before the end", One(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})"), "4 bytes behind"},
      {"a hole at the start", One(R"({"dtype":"F32","shape":[1],"data_offsets":[4,8]})"),
       name + " has bytes of no tensor"},
      {"a hole", Two({0, 2, 6, 8}), "'b' has bytes of no tensor before"},
      {"an overlap", Two({0, 5, 4, 8}), "'b' shares bytes"},
      {"the same place twice", Two({0, 8, 0, 8}), "shares bytes"},
      {"one within the other", Two({0, 8, 2, 4}), "'b' shares bytes"},
  });
}

TEST_F(SafetensorsTest, OpensNoFileThatIsNone) {
  EXPECT_EQ(OpenBytes("").error().reason, "invalid_model_file");
  EXPECT_EQ(SafetensorsFile::Open("/").error().reason, "invalid_model_file");
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
