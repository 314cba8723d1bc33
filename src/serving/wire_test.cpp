#include "serving/wire.h"

#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

Result<Instance> RoundTrip(Instance instance) {
  pb::Instance wire;
  ToWire(std::move(instance), wire);
  pb::Instance read;
  EXPECT_TRUE(read.ParseFromString(wire.SerializeAsString()));
  return FromWire(read);
}

TEST(Wire, CarriesInstances) {
  const auto tensor = RoundTrip(Tensor{{2, 2}, {1, -2.5F, 3e-8F, 4}});
  ASSERT_TRUE(tensor.ok());
  EXPECT_EQ(std::get<Tensor>(*tensor).shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(std::get<Tensor>(*tensor).values, (std::vector<float>{1, -2.5F, 3e-8F, 4}));

  const std::string bytes("\x89PNG\0\xff", 6);
  const auto image = RoundTrip(Image{bytes});
  ASSERT_TRUE(image.ok());
  EXPECT_EQ(std::get<Image>(*image).bytes, bytes);

  const Record fields{{"length", 5.25}, {"种类", std::string("鸢尾")}};
  const auto record = RoundTrip(fields);
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(std::get<Record>(*record), fields);

  const auto text = RoundTrip(Text{"你好"});
  ASSERT_TRUE(text.ok());
  EXPECT_EQ(std::get<Text>(*text).text, "你好");
}

TEST(Wire, RefusesTensorsThatDoNotFitTheirShape) {
  const struct {
    std::vector<int64_t> shape;
    size_t bytes;
  } cases[] = {
      {{2}, 4},
      {{2}, 9},
      {{-1}, 4},
      {{-2, -2}, 16},
      {{int64_t{1} << 62, 4}, 16},
      {{int64_t{1} << 32, int64_t{1} << 32}, 0},
      {std::vector<int64_t>(9, 1), 4},
  };
  for (const auto& one : cases) {
    pb::Instance wire;
    wire.mutable_tensor()->mutable_shape()->Assign(one.shape.begin(), one.shape.end());
    wire.mutable_tensor()->set_fp32(std::string(one.bytes, 'x'));
    const auto instance = FromWire(wire);
    ASSERT_FALSE(instance.ok());
    EXPECT_EQ(instance.error().code, Code::kInvalidArgument);
  }
  pb::Instance empty;
  EXPECT_FALSE(FromWire(empty).ok());
  pb::Instance record;
  (*record.mutable_record()->mutable_fields())["x"];
  EXPECT_FALSE(FromWire(record).ok());
}

TEST(Wire, CarriesErrors) {
  Error error = InvalidArgument("宽 must be 4", "inputs[2]", "wrong_shape");
  error.retry_after_s = 3;
  const Error read = FromGrpc(ToGrpc(error));
  EXPECT_EQ(read.code, error.code);
  EXPECT_EQ(read.message, error.message);
  EXPECT_EQ(read.param, error.param);
  EXPECT_EQ(read.reason, error.reason);
  EXPECT_EQ(read.retry_after_s, 3);
}

TEST(Wire, CutsLongMessagesAtACharacter) {
  std::string text = "x";
  for (int i = 0; i < 1000; ++i) {
    text += "界";
  }
  const std::string sent = ToGrpc(Internal(text)).error_message();
  EXPECT_LE(sent.size(), 1000U);
  EXPECT_EQ((sent.size() - 1) % 3, 0U);
}

TEST(Wire, ReadsTheTransportsOwnErrors) {
  EXPECT_EQ(FromGrpc({grpc::StatusCode::UNAVAILABLE, "Socket closed"}).reason, "worker_crashed");
  EXPECT_EQ(FromGrpc({grpc::StatusCode::UNKNOWN, "Stream removed"}).code, Code::kUnavailable);
  EXPECT_EQ(FromGrpc({grpc::StatusCode::DEADLINE_EXCEEDED, ""}).code, Code::kDeadlineExceeded);
  EXPECT_EQ(FromGrpc({grpc::StatusCode::RESOURCE_EXHAUSTED, "larger than max"}).reason, "request_too_large");
}

TEST(Wire, CarriesSignatures) {
  Signature signature;
  signature.family = "mlp";
  signature.task = "classification";
  signature.inputs = {{"input", "FP32", {-1, 1, 28, 28}}};
  signature.outputs = {{"probabilities", "FP32", {-1, 2}}};
  signature.labels = {"cat", "狗"};
  signature.input_fields = {"a", "b"};
  signature.output_fields = {"y"};
  const Signature read = FromWire(ToWire(signature));
  EXPECT_EQ(read.family, signature.family);
  EXPECT_EQ(read.task, signature.task);
  EXPECT_EQ(read.inputs[0].shape, signature.inputs[0].shape);
  EXPECT_EQ(read.outputs[0].name, "probabilities");
  EXPECT_EQ(read.labels, signature.labels);
  EXPECT_EQ(read.input_fields, signature.input_fields);
  EXPECT_EQ(read.output_fields, signature.output_fields);
}

}  // namespace
}  // namespace atelier::serving
