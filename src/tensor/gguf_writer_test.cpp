#include "tensor/gguf_writer.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <limits>

#include "tensor/gguf_parse.h"
#include "tensor/testing/shared_data.h"

namespace atelier::tensor {
namespace {

using ::testing::HasSubstr;
using Tensors = std::map<std::string, GgufTensor, std::less<>>;

GgufSink Into(std::vector<std::byte>& out) {
  return [&out](std::span<const std::byte> bytes) -> Status {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return {};
  };
}

void ExpectSame(const GgufMetadata& metadata, const Tensors& tensors, const std::vector<std::byte>& written) {
  auto part = ParseGguf(written);
  ASSERT_TRUE(part.ok()) << part.error().message;
  EXPECT_EQ(part->metadata, metadata);
  ASSERT_EQ(part->tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const GgufTensor& read = part->tensors.at(name);
    EXPECT_EQ(read.type, tensor.type) << name;
    EXPECT_EQ(read.shape, tensor.shape) << name;
    EXPECT_TRUE(std::ranges::equal(read.bytes, tensor.bytes)) << name;
    EXPECT_EQ((read.bytes.data() - written.data()) % 32, 0) << name;
  }
}

TEST(GgufWriterTest, GivesEveryGoldenModelBack) {
  const auto models = testing::GoldenModels();
  if (models.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  for (const auto& model : models) {
    auto file = GgufFile::Open(model);
    ASSERT_TRUE(file.ok()) << model;
    std::vector<std::byte> written;
    ASSERT_TRUE(WriteGguf((*file)->metadata(), (*file)->tensors(), Into(written)).ok()) << model;
    ExpectSame((*file)->metadata(), (*file)->tensors(), written);
    EXPECT_EQ(written.size() % 32, 0U);
    EXPECT_EQ(written.size(), std::filesystem::file_size(model)) << model;
  }
}

TEST(GgufWriterTest, ChoosesTypesThatReadersExpect) {
  const std::vector<std::byte> bytes(4);
  const Tensors tensors{{"t", {GgmlType::kF32, {1}, bytes}}};
  const GgufMetadata metadata{{"a", {uint64_t{7}}},
                              {"b", {uint64_t{1} << 40}},
                              {"c", {int64_t{-7}}},
                              {"d", {int64_t{-1} << 40}},
                              {"e", {0.1}},
                              {"f", {1e300}},
                              {"g", {true}},
                              {"h", {std::string("text")}},
                              {"i", {std::vector<std::string>{"x", ""}}},
                              {"j", {std::vector<double>{0.5, 1e300}}},
                              {"k", {std::vector<int64_t>{1, -2}}},
                              {"l", {std::vector<bool>{true, false}}},
                              {"m", {std::vector<int64_t>{1, 1LL << 40}}},
                              {"n", {uint64_t{7}, GgufType::kU16}},
                              {"o", {std::vector<int64_t>{1, 255}, GgufType::kU8}},
                              {"p", {std::vector<double>{}}}};
  std::vector<std::byte> written;
  ASSERT_TRUE(WriteGguf(metadata, tensors, Into(written)).ok());
  auto part = ParseGguf(written);
  ASSERT_TRUE(part.ok()) << part.error().message;
  const std::map<std::string, GgufType> expected{
      {"a", GgufType::kU32},    {"b", GgufType::kU64}, {"c", GgufType::kI32},  {"d", GgufType::kI64},
      {"e", GgufType::kF32},    {"f", GgufType::kF64}, {"g", GgufType::kBool}, {"h", GgufType::kString},
      {"i", GgufType::kString}, {"j", GgufType::kF64}, {"k", GgufType::kI32},  {"l", GgufType::kBool},
      {"m", GgufType::kI64},    {"n", GgufType::kU16}, {"o", GgufType::kU8},   {"p", GgufType::kF32}};
  for (const auto& [key, value] : metadata) {
    EXPECT_EQ(part->metadata.at(key).stored, expected.at(key)) << key;
    if (key != "e") {
      EXPECT_EQ(part->metadata.at(key).value, value.value) << key;
    }
  }
  EXPECT_EQ(std::get<double>(part->metadata.at("e").value), static_cast<double>(0.1F));
}

TEST(GgufWriterTest, KeepsALargerAlignment) {
  const std::vector<std::byte> bytes(36);
  const Tensors tensors{{"t", {GgmlType::kQ4_0, {2, 32}, bytes}}, {"u", {GgmlType::kQ4_0, {1, 2, 32}, bytes}}};
  const GgufMetadata metadata{{"general.alignment", {uint64_t{256}, GgufType::kU32}}};
  std::vector<std::byte> written;
  ASSERT_TRUE(WriteGguf(metadata, tensors, Into(written)).ok());
  EXPECT_EQ(written.size() % 256, 0U);
  ExpectSame(metadata, tensors, written);
}

TEST(GgufWriterTest, StreamsWhatComesInPieces) {
  const std::vector<GgufPlan> plans{{"z", GgmlType::kF32, {3, 5}}, {"a", GgmlType::kF16, {7}}};
  const auto produce = [](size_t index, const GgufSink& sink) -> Status {
    const std::vector<std::byte> piece(2, std::byte{static_cast<uint8_t>(index + 1)});
    for (size_t i = 0; i < (index == 0 ? 30 : 7); ++i) {
      ATELIER_TRY(sink(piece));
    }
    return {};
  };
  std::vector<std::byte> written;
  ASSERT_TRUE(WriteGguf({{"k", {true}}}, plans, produce, Into(written)).ok());
  auto part = ParseGguf(written);
  ASSERT_TRUE(part.ok()) << part.error().message;
  EXPECT_LT(part->tensors.at("z").bytes.data(), part->tensors.at("a").bytes.data());
  EXPECT_EQ(part->tensors.at("a").bytes.back(), std::byte{2});
}

TEST(GgufWriterTest, NamesWhatItCannotWrite) {
  const std::vector<std::byte> bytes(36);
  const GgufTensor good{GgmlType::kQ4_0, {2, 32}, bytes};
  const GgufMetadata key{{"k", {true}}};
  const auto refused = [](const GgufMetadata& metadata, const Tensors& tensors) -> std::string {
    std::vector<std::byte> written;
    const auto status = WriteGguf(metadata, tensors, Into(written));
    return status.ok() ? "" : status.error().message;
  };
  EXPECT_EQ(refused(key, {{"t", good}}), "");
  EXPECT_THAT(refused({}, {{"t", good}}), HasSubstr("at least one key"));
  EXPECT_THAT(refused(key, {}), HasSubstr("at least one key and one tensor"));
  EXPECT_THAT(refused({{"", {true}}}, {{"t", good}}), HasSubstr("key ''"));
  EXPECT_THAT(refused({{"\xff", {true}}}, {{"t", good}}), HasSubstr("key '?'"));
  EXPECT_THAT(refused(key, {{"", good}}), HasSubstr("tensor ''"));
  EXPECT_THAT(refused(key, {{std::string(256, 't'), good}}), HasSubstr("tensor 'ttt"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {64, 1}, bytes}}}), HasSubstr("shape of tensor 't'"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {}, bytes}}}), HasSubstr("shape of tensor 't'"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {-1, 32}, bytes}}}), HasSubstr("shape of tensor 't'"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {1, 1, 1, 2, 32}, bytes}}}), HasSubstr("shape of tensor 't'"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {3, 32}, bytes}}}), HasSubstr("bytes of tensor 't' are not 54"));
  EXPECT_THAT(refused(key, {{"t", {GgmlType::kQ4_0, {1, 32}, bytes}}}), HasSubstr("bytes of tensor 't' are not 18"));
  for (const uint64_t alignment : {uint64_t{0}, uint64_t{4}, uint64_t{33}, uint64_t{1} << 20}) {
    EXPECT_THAT(refused({{"general.alignment", {alignment}}}, {{"t", good}}), HasSubstr("key 'general.alignment'"));
  }
  EXPECT_THAT(refused({{"general.alignment", {uint64_t{32}, GgufType::kU64}}}, {{"t", good}}),
              HasSubstr("key 'general.alignment'"));
  for (const GgufValue& value :
       {GgufValue{uint64_t{256}, GgufType::kU8}, GgufValue{int64_t{-1}, GgufType::kU64},
        GgufValue{uint64_t{1}, GgufType::kF32}, GgufValue{1.0, GgufType::kI32}, GgufValue{1e300, GgufType::kF32},
        GgufValue{true, GgufType::kU8}, GgufValue{std::string("x"), GgufType::kBool},
        GgufValue{std::vector<int64_t>{1, 128}, GgufType::kI8}, GgufValue{uint64_t{1}, GgufType::kArray},
        GgufValue{uint64_t{1}, GgufType::kString}, GgufValue{std::vector<double>{}, GgufType::kI8}}) {
    EXPECT_THAT(refused({{"k", value}}, {{"t", good}}), HasSubstr("key 'k'"));
  }
  const std::vector<GgufPlan> twice{{"t", GgmlType::kF32, {1}}, {"t", GgmlType::kF32, {1}}};
  std::vector<std::byte> written;
  const auto status = WriteGguf(
      key, twice, [](size_t, const GgufSink&) { return Status(); }, Into(written));
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, HasSubstr("tensor 't' is there twice"));
}

TEST(GgufWriterTest, StopsAtTheSinksError) {
  const std::vector<std::byte> bytes(4);
  const Tensors tensors{{"t", {GgmlType::kF32, {1}, bytes}}};
  int calls = 0;
  const auto status = WriteGguf({{"k", {true}}}, tensors, [&](std::span<const std::byte>) -> Status {
    return ++calls == 2 ? Status(DataLoss("full")) : Status();
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kDataLoss);
  EXPECT_EQ(calls, 2);
}

}  // namespace
}  // namespace atelier::tensor
