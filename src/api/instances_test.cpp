#include "api/instances.h"

#include <gtest/gtest.h>

#include "api/json_text.h"
#include "api/kserve/tensors.h"

namespace atelier::api {
namespace {

TEST(DecodeBase64, FollowsTheStandard) {
  // RFC 4648, section 10
  EXPECT_EQ(*DecodeBase64("Zg==", "x"), "f");
  EXPECT_EQ(*DecodeBase64("Zm8=", "x"), "fo");
  EXPECT_EQ(*DecodeBase64("Zm9v", "x"), "foo");
  EXPECT_EQ(*DecodeBase64("Zm9vYmFy", "x"), "foobar");
  EXPECT_EQ(*DecodeBase64("data:image/png;base64,Zm9v", "x"), "foo");
  for (const char* bad : {"", "Z", "Zg=", "Zg", "====", "Z===", "Zm9v\n", "Zm-v", "Zg==Zg==", "data:image/png,Zm9v"}) {
    EXPECT_FALSE(DecodeBase64(bad, "x").ok()) << bad;
  }
}

Result<serving::Instance> Parse(const char* text) { return ParseInstance(ParseJson(text).value(), "input"); }

TEST(ParseInstance, ReadsTensors) {
  const auto instance = Parse("[[1,2.5,-3],[4,5,6]]");
  ASSERT_TRUE(instance.ok());
  const auto& tensor = std::get<serving::Tensor>(*instance);
  EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(tensor.values, (std::vector<float>{1, 2.5F, -3, 4, 5, 6}));
  EXPECT_TRUE(std::get<serving::Tensor>(*Parse("7")).shape.empty());
}

TEST(ParseInstance, ReadsPicturesTextsAndRecords) {
  EXPECT_EQ(std::get<serving::Image>(*Parse(R"({"image":"Zm9v"})")).bytes, "foo");
  EXPECT_EQ(std::get<serving::Text>(*Parse(R"({"text":"hi"})")).text, "hi");
  EXPECT_EQ(std::get<serving::Text>(*Parse(R"("hi")")).text, "hi");
  const auto record = std::get<serving::Record>(*Parse(R"({"a":1,"b":"x","c":null,"image":2})"));
  EXPECT_EQ(std::get<double>(record.at("a")), 1);
  EXPECT_EQ(std::get<std::string>(record.at("b")), "x");
  EXPECT_FALSE(record.contains("c"));
}

TEST(ParseInstance, RefusesTheRest) {
  for (const char* bad : {"null", "true", "[[1,2],[3]]", "[1,[2]]", "[[1],2]", "[\"a\"]", "[null]", "[1e39]",
                          "[[[[[[[[[1]]]]]]]]]", R"({"a":[1]})", R"({"a":true})", R"({"image":"not base64!"})"}) {
    EXPECT_FALSE(Parse(bad).ok()) << bad;
  }
}

TEST(AppendJson, WritesWhatReadsBack) {
  std::string out;
  AppendJson("a\"b\\\n\x01 你", out);
  EXPECT_EQ(ParseJson(out)->as_string(), "a\"b\\\n\x01 你");
  for (const float number : {0.1F, 1.0F, -3.4e38F, 1e-45F, 123456.0F}) {
    std::string text;
    AppendJson(number, text);
    EXPECT_EQ(static_cast<float>(ParseJson(text)->to_number<double>()), number) << text;
  }
  out.clear();
  AppendJson(0.1F, out);
  EXPECT_EQ(out, "0.1");
}

class TensorsTest : public ::testing::Test {
 protected:
  TensorsTest() {
    tensors_.inputs = {{"x", "FP32", {-1, 2}}};
    tensors_.outputs = {{"y", "FP32", {-1, 2}}};
    tensors_.labels = {"no", "yes"};
    table_ = tensors_;
    table_.input_fields = {"age", "city"};
  }
  static Result<kserve::InferRequest> Parse(const std::string& text, const serving::Signature& signature) {
    return kserve::ParseInfer(ParseJson(text)->as_object(), signature);
  }

  serving::Signature tensors_;
  serving::Signature table_;
};

TEST_F(TensorsTest, SplitsABatch) {
  for (const char* data : {"[1,2,3,4]", "[[1,2],[3,4]]"}) {
    const auto request =
        Parse(std::string(R"({"id":"7","inputs":[{"name":"x","shape":[2,2],"datatype":"INT8","data":)") + data + "}]}",
              tensors_);
    ASSERT_TRUE(request.ok()) << request.error().message;
    ASSERT_EQ(request->instances.size(), 2U);
    EXPECT_EQ(std::get<serving::Tensor>(request->instances[1]).values, (std::vector<float>{3, 4}));
    EXPECT_EQ(std::get<serving::Tensor>(request->instances[1]).shape, std::vector<int64_t>{2});
  }
  const auto image = Parse(R"({"inputs":[{"name":"x","shape":[1],"datatype":"BYTES","data":["Zm9v"]}]})", tensors_);
  EXPECT_EQ(std::get<serving::Image>(image->instances[0]).bytes, "foo");
}

TEST_F(TensorsTest, JoinsTheFieldsOfATable) {
  const auto request = Parse(R"({"inputs":[{"name":"age","shape":[2,1],"datatype":"FP64","data":[30,40]},
                                {"name":"city","shape":[2],"datatype":"BYTES","data":["Bern","Rom"]}]})",
                             table_);
  ASSERT_TRUE(request.ok()) << request.error().message;
  const auto& record = std::get<serving::Record>(request->instances[1]);
  EXPECT_EQ(std::get<double>(record.at("age")), 40);
  EXPECT_EQ(std::get<std::string>(record.at("city")), "Rom");
  EXPECT_TRUE(Parse(R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})", table_).ok());
}

TEST_F(TensorsTest, ReadsATableOfTexts) {
  const auto request =
      Parse(R"({"inputs":[{"name":"x","shape":[2,2],"datatype":"BYTES","data":["30","Bern","40","Rom"]}]})", table_);
  ASSERT_TRUE(request.ok()) << request.error().message;
  EXPECT_EQ(std::get<std::string>(std::get<serving::Record>(request->instances[1]).at("age")), "40");
  EXPECT_FALSE(
      Parse(R"({"inputs":[{"name":"x","shape":[1,3],"datatype":"BYTES","data":["1","2","3"]}]})", table_).ok());
}

TEST_F(TensorsTest, RefusesWhatDoesNotFit) {
  const auto input = [](const std::string& rest) { return R"({"inputs":[{"name":"x",)" + rest + "}]}"; };
  for (
      const std::string& bad :
      {std::string("{}"), std::string(R"({"inputs":[]})"), std::string(R"({"inputs":[1]})"),
       input(R"("shape":[1,2],"datatype":"FP32","data":[1])"),
       input(R"("shape":[-1,2],"datatype":"FP32","data":[1,2])"), input(R"("shape":[0],"datatype":"FP32","data":[])"),
       input(R"("shape":[],"datatype":"FP32","data":[])"),
       input(R"("shape":[9223372036854775807,2],"datatype":"FP32","data":[1])"),
       input(R"("shape":[1,2],"datatype":"FP16","data":[1,2])"),
       input(R"("shape":[1,2],"datatype":"UINT8","data":[1,256])"),
       input(R"("shape":[1,2],"datatype":"INT8","data":[1,1.5])"),
       input(R"("shape":[1,2],"datatype":"FP32","data":["a","b"])"),
       input(R"("shape":[1,2],"datatype":"BOOL","data":[1,0])"),
       input(R"("shape":[1,2],"datatype":"BYTES","data":[1,0])"), input(R"("shape":[1,2],"datatype":"FP32")"),
       std::string(R"({"inputs":[{"name":"z","shape":[1,2],"datatype":"FP32","data":[1,2]}]})"),
       std::string(
           R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]},{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}]})"),
       std::string(
           R"({"inputs":[{"name":"x","shape":[1,2],"datatype":"FP32","data":[1,2]}],"outputs":[{"name":"z"}]})")}) {
    EXPECT_FALSE(Parse(bad, tensors_).ok()) << bad;
  }
}

TEST_F(TensorsTest, MakesOutputs) {
  serving::PredictAnswer answer;
  answer.signature = std::make_shared<serving::Signature>(tensors_);
  answer.answers = {{.values = {0.25F, 0.75F}}, {.values = {1, 0}}};
  const auto all = kserve::MakeOutputs(answer, {});
  EXPECT_EQ(json::serialize((*all)[0]),
            R"({"name":"y","datatype":"FP32","shape":[2,2],"data":[2.5E-1,7.5E-1,1E0,0E0]})");
  const auto top = kserve::MakeOutputs(answer, {{"y", 1}});
  EXPECT_EQ(json::serialize((*top)[0]),
            R"({"name":"y","datatype":"BYTES","shape":[2,1],"data":["0.75:1:yes","1:0:no"]})");
}

TEST_F(TensorsTest, TextsGoOutAsBytes) {
  serving::Signature signature;
  signature.task = "token-classification";
  signature.outputs = {{"tags", "BYTES", {-1, 1}}};
  serving::PredictAnswer answer;
  answer.signature = std::make_shared<serving::Signature>(signature);
  answer.answers = {{.values = {1, 1}, .texts = {"B-LOC", "O"}, .tokens = {"Madrid", "."}}};
  EXPECT_EQ(json::serialize((*kserve::MakeOutputs(answer, {}))[0]),
            R"({"name":"tags","datatype":"BYTES","shape":[1,1],"data":["B-LOC O"]})");
}

// "good" is base64, too, but a model that reads texts sees no picture in it.
TEST_F(TensorsTest, TextsComeInAsTheyAre) {
  serving::Signature signature;
  signature.inputs = {{"text", "BYTES", {-1, 1}}};
  const auto parsed =
      Parse(R"({"inputs":[{"name":"text","shape":[1,1],"datatype":"BYTES","data":["good"]}]})", signature);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(std::get<serving::Text>(parsed->instances[0]).text, "good");
}

}  // namespace
}  // namespace atelier::api
