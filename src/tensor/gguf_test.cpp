#include "tensor/gguf.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <numeric>
#include <random>

#include "tensor/gguf_parse.h"
#include "tensor/testing/gguf_bytes.h"

namespace atelier::tensor {
namespace {

using testing::ArrayOf;
using testing::GgufBytes;
using ::testing::HasSubstr;
using testing::Info;
using testing::Key;
using testing::Raw;
using testing::Str;

// In memory of exactly its size, so that a sanitizer sees a step beyond it.
Result<GgufPart> Parse(const std::string& text) {
  const std::vector<std::byte> bytes(reinterpret_cast<const std::byte*>(text.data()),
                                     reinterpret_cast<const std::byte*>(text.data()) + text.size());
  auto part = ParseGguf(bytes);
  if (part.ok()) {
    for (const auto& [name, tensor] : part->tensors) {
      EXPECT_GE(tensor.bytes.data(), bytes.data());
      EXPECT_LE(tensor.bytes.data() + tensor.bytes.size(), bytes.data() + bytes.size());
      const auto sum = [](unsigned total, std::byte byte) { return total + static_cast<unsigned>(byte); };
      EXPECT_GE(std::accumulate(tensor.bytes.begin(), tensor.bytes.end(), 0U, sum), 0U);
    }
  }
  return part;
}

class GgufTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = std::filesystem::temp_directory_path() / ("gguf_test." + std::to_string(::getpid()));
  }
  void TearDown() override { std::filesystem::remove_all(file_); }

  Result<std::unique_ptr<GgufFile>> OpenBytes(const std::string& bytes) {
    std::ofstream(file_, std::ios::binary) << bytes;
    return GgufFile::Open(file_);
  }

  std::filesystem::path file_;
};

TEST_F(GgufTest, ReadsBytesBuiltByHand) {
  for (const uint32_t version : {2U, 3U}) {
    GgufBytes bytes;
    bytes.version = version;
    auto opened = OpenBytes(bytes.All());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    const GgufFile& file = **opened;
    EXPECT_EQ(*file.Text("general.architecture"), "tiny");
    EXPECT_EQ(*file.Integer("tiny.block_count"), 2);
    EXPECT_EQ(*file.Number("tiny.block_count"), 2.0);
    EXPECT_EQ(*file.Number("tiny.epsilon"), 0.5);
    EXPECT_TRUE(*file.Boolean("tiny.causal"));
    EXPECT_THAT(*file.Texts("tokens"), ::testing::ElementsAre("x", "yz"));
    EXPECT_THAT(*file.Numbers("scores"), ::testing::ElementsAre(-1.0, 2.0));
    ASSERT_NE(file.Find("a"), nullptr);
    EXPECT_EQ(file.Find("a")->shape, (std::vector<int64_t>{2, 4}));
    EXPECT_EQ(file.Find("b")->type, GgmlType::kQ4_0);
    EXPECT_EQ(file.Find("b")->bytes.size(), 36U);
    EXPECT_EQ(file.Find("b")->bytes[0], std::byte{2});
    EXPECT_EQ(reinterpret_cast<uintptr_t>(file.Find("b")->bytes.data()) % 32, 0U);
    EXPECT_EQ(file.Find("c"), nullptr);
  }
}

TEST_F(GgufTest, WidensEveryTypeAndNamesTheKeyOfAWrongOne) {
  GgufBytes bytes;
  bytes.AddKey(Key("u8", 0, Raw<uint8_t>(200)))
      .AddKey(Key("i8", 1, Raw<int8_t>(-3)))
      .AddKey(Key("u16", 2, Raw<uint16_t>(60000)))
      .AddKey(Key("i16", 3, Raw<int16_t>(-30000)))
      .AddKey(Key("i32", 5, Raw<int32_t>(-7)))
      .AddKey(Key("u64", 10, Raw<uint64_t>(1) + ""))
      .AddKey(Key("most", 10, Raw<uint64_t>(UINT64_MAX)))
      .AddKey(Key("i64", 11, Raw<int64_t>(INT64_MIN)))
      .AddKey(Key("f64", 12, Raw(0.1)))
      .AddKey(Key("ids", 9, ArrayOf(3, 2, Raw<int16_t>(-1) + Raw<int16_t>(5))))
      .AddKey(Key("flags", 9, ArrayOf(7, 2, Raw<uint8_t>(1) + Raw<uint8_t>(0))))
      .AddKey(Key("none", 9, ArrayOf(8, 0, "")));
  auto opened = OpenBytes(bytes.All());
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  const GgufFile& file = **opened;
  EXPECT_EQ(*file.Integer("u8"), 200);
  EXPECT_EQ(*file.Integer("i8"), -3);
  EXPECT_EQ(*file.Integer("u16"), 60000);
  EXPECT_EQ(*file.Integer("i16"), -30000);
  EXPECT_EQ(*file.Number("i32"), -7.0);
  EXPECT_EQ(*file.Integer("i64"), INT64_MIN);
  EXPECT_EQ(*file.Number("f64"), 0.1);
  EXPECT_THAT(*file.Integers("ids"), ::testing::ElementsAre(-1, 5));
  EXPECT_EQ(std::get<std::vector<bool>>(file.metadata().find("flags")->second.value), (std::vector<bool>{true, false}));
  EXPECT_EQ(file.metadata().find("u16")->second.stored, GgufType::kU16);
  EXPECT_EQ(file.metadata().find("ids")->second.stored, GgufType::kI16);
  EXPECT_TRUE(file.Texts("none")->empty());
  for (const auto& error : {file.Integer("most").error(), file.Integer("f64").error(), file.Number("tokens").error(),
                            file.Boolean("u8").error(), file.Text("ids").error(), file.Texts("ids").error(),
                            file.Numbers("ids").error(), file.Integers("scores").error()}) {
    EXPECT_EQ(error.code, Code::kInvalidArgument);
    EXPECT_THAT(error.message, ::testing::ContainsRegex("key '(most|f64|tokens|u8|ids|scores)'"));
  }
  EXPECT_EQ(file.Text("absent").error().code, Code::kNotFound);
  EXPECT_THAT(file.Text("absent").error().message, HasSubstr("'absent'"));
}

struct Case {
  std::string name;
  std::function<void(GgufBytes&)> damage;
  std::string message;  // part of it
  Code code = Code::kInvalidArgument;
};

void ExpectRefused(const std::vector<Case>& cases) {
  for (const auto& [name, damage, message, code] : cases) {
    GgufBytes bytes;
    damage(bytes);
    auto part = Parse(bytes.All());
    ASSERT_FALSE(part.ok()) << name;
    EXPECT_EQ(part.error().code, code) << name;
    if (code == Code::kInvalidArgument) {
      EXPECT_EQ(part.error().reason, "invalid_model_file") << name;
    }
    EXPECT_THAT(part.error().message, HasSubstr(message)) << name;
  }
}

TEST_F(GgufTest, RefusesABrokenHead) {
  ExpectRefused({
      {"wrong magic", [](auto& b) { b.magic = "GGML"; }, "begin with GGUF"},
      {"version 0", [](auto& b) { b.version = 0; }, "version is 0"},
      {"version 1", [](auto& b) { b.version = 1; }, "version is 1"},
      {"version 99", [](auto& b) { b.version = 99; }, "version is 99"},
      {"swapped version", [](auto& b) { b.version = 0x03000000; }, "big-endian"},
      {"no keys", [](auto& b) { b.key_count = 0; }, "0 keys"},
      {"2^31 keys", [](auto& b) { b.key_count = 1U << 31; }, "2147483648 keys"},
      {"2^63 keys", [](auto& b) { b.key_count = 1ULL << 63; }, "9223372036854775808 keys"},
      {"-1 keys", [](auto& b) { b.key_count = ~0ULL; }, "18446744073709551615 keys"},
      {"2^31 tensors", [](auto& b) { b.tensor_count = 1U << 31; }, "2147483648 tensors"},
      {"2^63 tensors", [](auto& b) { b.tensor_count = 1ULL << 63; }, "9223372036854775808 tensors"},
      {"-1 tensors", [](auto& b) { b.tensor_count = ~0ULL; }, "18446744073709551615 tensors"},
      {"a key too many", [](auto& b) { ++b.key_count; }, "name of tensor 0"},
      {"a key too few", [](auto& b) { --b.key_count; }, "tensor 'scores'"},
      {"a tensor too many", [](auto& b) { ++b.tensor_count; }, "tensor 2"},
      {"a tensor too few", [](auto& b) { --b.tensor_count; }, "bytes behind tensor 'a'"},
  });
  for (const std::string text : {"", "G", "GGU", "GGUF", "GGUF\3\0\0\0"}) {
    EXPECT_FALSE(Parse(text).ok()) << text;
  }
}

TEST_F(GgufTest, RefusesBrokenKeys) {
  const auto key = [](const std::string& text) { return [text](GgufBytes& b) { b.AddKey(text); }; };
  ExpectRefused({
      {"name beyond the end", key(Raw<uint64_t>(1 << 30) + "name"), "name of key 7"},
      {"name of 2^63", key(Raw<uint64_t>(1ULL << 63) + "name"), "name of key 7"},
      {"name of -1", key(Raw<uint64_t>(~0ULL) + "name"), "name of key 7"},
      {"no name", key(Key("", 4, Raw(1))), "name of key 7 has 0 bytes"},
      {"long name", key(Key(std::string(65536, 'k'), 4, Raw(1))), "name of key 7 has 65536 bytes"},
      {"name no UTF-8", key(Key("k\xff", 4, Raw(1))), "name of key 7 is no text: 'k?'"},
      {"name with zero", key(Key(std::string("k\0k", 3), 4, Raw(1))), "name of key 7 is no text"},
      {"twice", key(Key("tokens", 4, Raw(1))), "key 'tokens' is there twice"},
      {"type 13", key(Key("k", 13, Raw(1))), "key 'k' has the type 13"},
      {"type -1", key(Key("k", ~0U, Raw(1))), "key 'k' has the type 4294967295"},
      {"string of 1 GiB", key(Key("k", 8, Raw<uint64_t>(1 << 30) + "text")), "key 'k'"},
      {"string of -1", key(Key("k", 8, Raw<uint64_t>(~0ULL) + "text")), "key 'k'"},
      {"Boolean 2", key(Key("k", 7, Raw<uint8_t>(2))), "key 'k' has a Boolean of 2"},
      {"array of arrays", key(Key("k", 9, ArrayOf(9, 1, ArrayOf(4, 1, Raw(1))))), "key 'k' is an array of arrays"},
      {"array of type 99", key(Key("k", 9, ArrayOf(99, 1, Raw(1)))), "key 'k' has the type 99"},
      {"array of 2^62", key(Key("k", 9, ArrayOf(4, 1ULL << 62, Raw(1)))), "key 'k' has an array"},
      {"array of -1", key(Key("k", 9, ArrayOf(12, ~0ULL, Raw(1)))), "key 'k' has an array"},
      {"strings of 2^61", key(Key("k", 9, ArrayOf(8, 1ULL << 61, Str("x")))), "key 'k' has an array"},
      {"Booleans of 2^63", key(Key("k", 9, ArrayOf(7, 1ULL << 63, "\1"))), "key 'k' has an array"},
      {"Boolean 2 within", key(Key("k", 9, ArrayOf(7, 2, "\1\2"))), "key 'k' has a Boolean"},
      {"string within", key(Key("k", 9, ArrayOf(8, 2, Str("x") + Raw<uint64_t>(1ULL << 40)))), "key 'k'"},
      {"element of 2^64 - 1", key(Key("k", 9, ArrayOf(10, 1, Raw<uint64_t>(~0ULL)))), "key 'k' has an integer"},
  });
}

TEST_F(GgufTest, RefusesABrokenAlignment) {
  const auto set = [](uint32_t type, const std::string& value) {
    return [type, value](GgufBytes& b) {
      b.key_count = 1;
      b.keys = Key("general.alignment", type, value);
    };
  };
  for (const uint32_t value : {0U, 1U, 3U, 4U, 12U, 33U, 1U << 17, 1U << 30, ~0U}) {
    ExpectRefused({{"alignment " + std::to_string(value), set(4, Raw(value)), "key 'general.alignment'"}});
  }
  ExpectRefused({
      {"signed", set(5, Raw<int32_t>(32)), "key 'general.alignment'"},
      {"64 bits", set(10, Raw<uint64_t>(32)), "key 'general.alignment'"},
      {"string", set(8, Str("32")), "key 'general.alignment'"},
      {"larger than the offsets", set(4, Raw<uint32_t>(64)), "offset of tensor 'b' is no multiple of 64"},
  });
}

TEST_F(GgufTest, RefusesBrokenTensors) {
  const auto second = [](const std::string& text) {
    return [text](GgufBytes& b) { b.infos = Info("a", {4, 2}, 0, 0) + text; };
  };
  const auto dimensions = [&](uint32_t count) {
    return second(Str("b") + Raw(count) + std::string(8UL * std::min(count, 8U), '\1') + Raw(2U) + Raw<uint64_t>(32));
  };
  ExpectRefused({
      {"name beyond the end", second(Raw<uint64_t>(1ULL << 62) + "b"), "name of tensor 1"},
      {"no name", second(Info("", {32, 2}, 2, 32)), "name of tensor 1 has 0 bytes"},
      {"long name", second(Info(std::string(256, 'b'), {32, 2}, 2, 32)), "name of tensor 1 has 256 bytes"},
      {"name no UTF-8", second(Info("\xc3(", {32, 2}, 2, 32)), "name of tensor 1 is no text"},
      {"twice", second(Info("a", {32, 2}, 2, 32)), "tensor 'a' is there twice"},
      {"0 dimensions", dimensions(0), "tensor 'b' has 0 dimensions"},
      {"5 dimensions", dimensions(5), "tensor 'b' has 5 dimensions"},
      {"255 dimensions", dimensions(255), "tensor 'b' has 255 dimensions"},
      {"2^32 - 1 dimensions", dimensions(~0U), "tensor 'b' has 4294967295 dimensions"},
      {"dimension 0", second(Info("b", {0, 2}, 2, 32)), "tensor 'b' has a dimension of 0"},
      {"outer dimension 0", second(Info("b", {32, 0}, 2, 32)), "tensor 'b' has a dimension of 0"},
      {"dimension -1", second(Info("b", {32, ~0ULL}, 2, 32)), "tensor 'b' has a dimension of 18446744073709551615"},
      {"dimension 2^63", second(Info("b", {1ULL << 63, 2}, 2, 32)), "tensor 'b' has a dimension"},
      {"product of 2^64", second(Info("b", {1ULL << 32, 1ULL << 32}, 2, 32)), "shape of tensor 'b'"},
      {"product wraps to 32", second(Info("b", {32, (1ULL << 59) + 1}, 2, 32)), "shape of tensor 'b'"},
      {"bytes of 2^63", second(Info("b", {1ULL << 61, 1}, 0, 32)), "shape of tensor 'b'"},
      {"no whole block", second(Info("b", {33, 2}, 2, 32)), "shape of tensor 'b' does not fit its type Q4_0"},
      {"rows no whole blocks", second(Info("b", {16, 4}, 2, 32)), "shape of tensor 'b' does not fit its type Q4_0"},
      {"type 99", second(Info("b", {32, 2}, 99, 32)), "tensor 'b' has the type 99"},
      {"type Q4_2, gone", second(Info("b", {32, 2}, 4, 32)), "tensor 'b' has the type 4"},
      {"type Q4_0_4_4, gone", second(Info("b", {32, 2}, 31, 32)), "tensor 'b' has the type 31"},
      {"type -1", second(Info("b", {32, 2}, ~0U, 32)), "tensor 'b' has the type 4294967295"},
      {"type IQ2_XXS", second(Info("b", {256}, 16, 32)), "'b' has the type IQ2_XXS", Code::kUnimplemented},
      {"type I32", second(Info("b", {4}, 26, 32)), "'b' has the type I32", Code::kUnimplemented},
      {"type MXFP4", second(Info("b", {32}, 39, 32)), "'b' has the type MXFP4", Code::kUnimplemented},
      {"unaligned", second(Info("b", {32, 2}, 2, 33)), "offset of tensor 'b'"},
      {"the same place", second(Info("b", {32, 2}, 2, 0)), "tensor 'b' lies within tensor 'a'"},
      {"overlap", second(Info("b", {16}, 0, 0)), "tensor 'b' lies within tensor 'a'"},
      {"beyond the end", second(Info("b", {32, 2}, 2, 96)), "tensor 'b' reaches beyond"},
      {"far beyond the end", second(Info("b", {32, 2}, 2, 1ULL << 40)), "tensor 'b' reaches beyond"},
      {"wraps", second(Info("b", {32, 2}, 2, 0ULL - 32)), "tensor 'b' reaches beyond"},
      {"too large", second(Info("b", {32, 4}, 2, 32)), "tensor 'b' reaches beyond"},
      {"huge", second(Info("b", {1ULL << 40, 1 << 10}, 2, 32)), "tensor 'b' reaches beyond"},
      {"no data", [](auto& b) { b.data = b.padding = ""; }, "tensor 'a' reaches beyond"},
      {"one byte less", [](auto& b) { b.data.pop_back(), b.padding = ""; }, "tensor 'b' reaches beyond"},
      {"another file behind", [](auto& b) { b.padding += std::string(32, 'P'); }, "bytes behind tensor 'b'"},
      {"no tensors but data", [](auto& b) { b.SetInfos("", 0); }, "bytes behind its header"},
  });
}

TEST_F(GgufTest, AcceptsHolesAndAnyOrder) {
  GgufBytes bytes;
  bytes.infos = Info("a", {32, 2}, 2, 64) + Info("b", {4, 2}, 0, 0);
  bytes.data = std::string(100, '\3');
  bytes.padding = "";
  const std::string all = bytes.All();
  auto part = ParseGguf(std::as_bytes(std::span(all)));
  ASSERT_TRUE(part.ok()) << part.error().message;
  EXPECT_EQ(part->tensors.at("a").bytes.data() - part->tensors.at("b").bytes.data(), 64);
}

TEST_F(GgufTest, RefusesFilesThatAreNone) {
  EXPECT_EQ(GgufFile::Open(file_).error().code, Code::kNotFound);
  EXPECT_EQ(OpenBytes("").error().reason, "invalid_model_file");
  GgufBytes none;
  none.SetInfos("", 0);
  none.data = none.padding = "";
  EXPECT_THAT(OpenBytes(none.All()).error().message, HasSubstr("no tensors"));
  std::filesystem::remove(file_);
  std::filesystem::create_directory(file_);
  EXPECT_THAT(GgufFile::Open(file_).error().message, HasSubstr("no regular file"));
}

TEST_F(GgufTest, RefusesEveryTruncation) {
  const GgufBytes bytes;
  const std::string all = bytes.All();
  for (size_t length = 0; length < all.size() - bytes.padding.size(); ++length) {
    auto part = Parse(all.substr(0, length));
    ASSERT_FALSE(part.ok()) << length;
    ASSERT_EQ(part.error().reason, "invalid_model_file") << length;
  }
  EXPECT_TRUE(Parse(all.substr(0, all.size() - bytes.padding.size())).ok());
}

TEST_F(GgufTest, SurvivesTenThousandRandomFlips) {
  const std::string all = GgufBytes().All();
  std::mt19937 random(7);  // the same damage every time
  size_t accepted = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string damaged = all;
    for (uint32_t flips = 1 + random() % 8; flips > 0; --flips) {
      damaged[random() % damaged.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    if (random() % 8 == 0) {
      damaged.resize(random() % damaged.size());
    }
    accepted += Parse(damaged).ok() ? 1 : 0;
  }
  EXPECT_GT(accepted, 0U);  // a flip in a weight or in the text of a name is none to us
}

}  // namespace
}  // namespace atelier::tensor
