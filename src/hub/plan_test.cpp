#include "hub/plan.h"

#include <gtest/gtest.h>

namespace atelier::hub {
namespace {

const std::string kSha(64, 'a');
const std::string kSha1(40, 'b');

Reference Ref(const std::string& text) { return ParseReference(text).value(); }

TEST(Plan, ReadsHuggingFace) {
  const auto reference = Ref("hf:org/name@dev");
  EXPECT_EQ(ListingUrl(reference, "https://h"), "https://h/api/models/org/name/revision/dev?blobs=true");
  const std::string answer = R"({"sha":"c0ffee","cardData":{"license":"mit"},"siblings":[
      {"rfilename":"config.json","size":5,"blobId":")" +
                             kSha1 + R"("},
      {"rfilename":"model.safetensors","size":130,"blobId":"x","lfs":{"sha256":")" +
                             kSha + R"(","size":9}}]})";
  const auto plan = PlanHuggingFace(reference, "https://h", answer).value();
  EXPECT_EQ(plan.revision, "c0ffee");
  EXPECT_EQ(plan.license, "mit");
  ASSERT_EQ(plan.files.size(), 2U);
  EXPECT_EQ(plan.files[0], (PlannedFile{"config.json", "https://h/org/name/resolve/c0ffee/config.json", 5, "", kSha1}));
  EXPECT_EQ(plan.files[1],
            (PlannedFile{"model.safetensors", "https://h/org/name/resolve/c0ffee/model.safetensors", 9, kSha, ""}));
  EXPECT_TRUE(CheckPlan(plan, 14).ok());
  EXPECT_EQ(CheckPlan(plan, 13).error().reason, "model_too_large");
  EXPECT_EQ(PlanFromJson(ToJson(plan)).value(), plan);
}

TEST(Plan, ReadsModelScope) {
  const auto reference = Ref("modelscope:org/name");
  const std::string answer = R"({"Code":200,"Data":{"Files":[{"Path":"q","Type":"tree"},
      {"Path":"q/m q4_0.gguf","Type":"blob","Size":7,"Sha256":")" +
                             kSha + R"("}]}})";
  const auto plan = PlanModelScope(reference, "https://m", answer).value();
  ASSERT_EQ(plan.files.size(), 1U);
  EXPECT_EQ(
      plan.files[0],
      (PlannedFile{"m q4_0.gguf", "https://m/api/v1/models/org/name/repo?Revision=master&FilePath=q%2Fm%20q4_0.gguf", 7,
                   kSha, ""}));
  EXPECT_EQ(PlanModelScope(reference, "https://m", R"({"Code":404,"Message":"no"})").error().code, Code::kNotFound);
}

TEST(Plan, ReadsOllama) {
  const auto reference = Ref("ollama:smollm:135m");
  EXPECT_EQ(ListingUrl(reference, "https://o"), "https://o/v2/library/smollm/manifests/135m");
  const auto layer = [](const std::string& kind, const std::string& digest) {
    return R"({"mediaType":"application/vnd.ollama.image.)" + kind + R"(","digest":")" + digest + R"(","size":7})";
  };
  const auto plan = [&](const std::string& layers) {
    return PlanOllama(reference, "https://o", R"({"layers":[)" + layers + "]}");
  };
  const std::string model = layer("model", "sha256:" + kSha);
  const auto good = plan(layer("params", "sha256:x") + "," + model).value();
  ASSERT_EQ(good.files.size(), 1U);
  EXPECT_EQ(good.files[0],
            (PlannedFile{"smollm-135m.gguf", "https://o/v2/library/smollm/blobs/sha256:" + kSha, 7, kSha, ""}));
  EXPECT_EQ(plan(model + "," + layer("adapter", "x")).error().code, Code::kUnimplemented);
  EXPECT_EQ(plan(model + "," + model).error().code, Code::kUnimplemented);
  EXPECT_EQ(plan("").error().code, Code::kUnimplemented);
  EXPECT_EQ(plan(layer("model", "sha256:../../x")).error().reason, "hub_listing_invalid");
}

TEST(Plan, KnowsThePartsOfUrls) {
  const auto plan = PlanUrl(Ref("https://h/d%20d/m-00001-of-00002.gguf?t=m-00001-of-00002.gguf")).value();
  ASSERT_EQ(plan.files.size(), 2U);
  EXPECT_EQ(plan.files[1].name, "m-00002-of-00002.gguf");
  EXPECT_EQ(plan.files[1].url.substr(0, 42), "https://h/d%20d/m-00002-of-00002.gguf?t=m-");
  EXPECT_EQ(PlanUrl(Ref("https://h/m.gguf?a=b#sha256=" + kSha)).value().files[0],
            (PlannedFile{"m.gguf", "https://h/m.gguf?a=b", std::nullopt, kSha, ""}));
}

TEST(Plan, RefusesHostileListings) {
  const auto reference = Ref("hf:org/name");
  for (const char* answer :
       {"", "[]", "{", R"({"siblings":1})", R"({"siblings":[1]})", R"({"siblings":[{"rfilename":"../m.gguf"}]})",
        R"({"siblings":[{"rfilename":"/m.gguf"}]})", R"({"siblings":[{"rfilename":"a\u0000.gguf"}]})"}) {
    const auto plan = PlanHuggingFace(reference, "https://h", answer);
    ASSERT_FALSE(plan.ok()) << answer;
    EXPECT_EQ(plan.error().code, Code::kInvalidArgument) << answer;
  }
  Plan plan{Hub::kUrl, "", "", "", {{"a", "https://h/a", 1, "", ""}}};
  EXPECT_TRUE(CheckPlan(plan, 1).ok());
  for (const PlannedFile& bad :
       {PlannedFile{"a", "https://h/a", 1, "", ""}, PlannedFile{"../a", "https://h/a", 1, "", ""},
        PlannedFile{"b", "file:///a", 1, "", ""}, PlannedFile{"b", "https://h/a", 1, "xyz", ""},
        PlannedFile{"b", "https://h/a", UINT64_MAX, "", ""}}) {
    plan.files.resize(1);
    plan.files.push_back(bad);
    EXPECT_FALSE(CheckPlan(plan, 100).ok()) << bad.name << bad.url;
  }
  plan.files.clear();
  EXPECT_FALSE(CheckPlan(plan, 1).ok());
}

}  // namespace
}  // namespace atelier::hub
