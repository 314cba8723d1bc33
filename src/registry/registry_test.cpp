#include "registry/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/hash.h"
#include "storage/test_folder.h"

namespace atelier::registry {
namespace {

namespace json = boost::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

std::map<std::string, storage::BlobRef> SomeFiles(const std::string& weights) {
  return {{"config.json", {Sha256Hex("{}"), 2}}, {"model.safetensors", {Sha256Hex(weights), weights.size()}}};
}

class RegistryTest : public testing::Test {
 protected:
  void SetUp() override {
    catalogue_ = storage::OpenSqliteCatalogue(folder_ / "c.db", Migrations()).value();
    registry_ = std::make_unique<Registry>(*catalogue_, clock_, rng_);
  }
  Result<ModelVersion> Add(const std::string& name, const std::string& weights = "weights") {
    clock_.AdvanceMs(10);
    Result<ModelVersion> added = Internal("not run");
    const Status status = catalogue_->Write([&](soci::session& session) -> Status {
      added = registry_->AddVersion(session, name, SomeFiles(weights), {{"family", "mlp"}, {"loss", 0.25}}, "job_1");
      return added.ok() ? Status() : Status(added.error());
    });
    return status.ok() ? std::move(added) : Result<ModelVersion>(status.error());
  }
  Result<Evaluation> Evaluate(const std::string& model, int64_t version, double accuracy = 0.5) {
    clock_.AdvanceMs(10);
    Result<Evaluation> added = Internal("not run");
    const Status status = catalogue_->Write([&](soci::session& session) -> Status {
      added = registry_->AddEvaluation(
          session, Evaluation{"", model, version, "digits", 2, "test", {{"accuracy", accuracy}}, 0, "job_2"});
      return added.ok() ? Status() : Status(added.error());
    });
    return status.ok() ? std::move(added) : Result<Evaluation>(status.error());
  }
  std::vector<std::string> Names(const Page& page, bool& more) {
    std::vector<std::string> names;
    const auto models = registry_->ListModels(page, more);
    EXPECT_TRUE(models.ok());
    for (const auto& model : *models) {
      names.push_back(model.name);
    }
    return names;
  }
  std::string Reason(const Error& error) { return error.reason; }

  storage::TestFolder folder_;
  ManualClock clock_;
  SystemRng rng_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  std::unique_ptr<Registry> registry_;
};

TEST_F(RegistryTest, VersionsCountUpAndKeepWhatTheyWereGiven) {
  const auto first = Add("digits", "one");
  const auto second = Add("digits", "two");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->version, 1);
  EXPECT_EQ(second->version, 2);
  EXPECT_EQ(first->model_id, second->model_id);
  const auto back = registry_->Resolve("digits@1");
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->files, SomeFiles("one"));
  EXPECT_EQ(back->metadata, (json::object{{"family", "mlp"}, {"loss", 0.25}}));
  EXPECT_EQ(back->job_id, "job_1");
  EXPECT_EQ(back->created_ms, first->created_ms);
  EXPECT_EQ(registry_->GetModel("digits")->latest_version, 2);
  EXPECT_THAT(*registry_->Versions("digits"), SizeIs(2));
}

TEST_F(RegistryTest, AVersionOfAFailedCommitIsNowhere) {
  ASSERT_TRUE(Add("digits").ok());
  const Status status = catalogue_->Write([&](soci::session& session) -> Status {
    EXPECT_TRUE(registry_->AddVersion(session, "digits", SomeFiles("x"), {}, "job").ok());
    EXPECT_TRUE(registry_->AddVersion(session, "other", SomeFiles("x"), {}, "job").ok());
    return Internal("the job failed after all");
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(registry_->GetModel("digits")->latest_version, 1);
  EXPECT_EQ(registry_->GetModel("other").error().reason, "model_not_found");
}

TEST_F(RegistryTest, AddVersionRefusesBadInput) {
  EXPECT_EQ(Add("../x").error().code, Code::kInvalidArgument);
  EXPECT_EQ(Add("").error().code, Code::kInvalidArgument);
  const auto add = [&](std::map<std::string, storage::BlobRef> files) {
    return catalogue_->Write([&](soci::session& session) -> Status {
      const auto added = registry_->AddVersion(session, "m", files, {}, "job");
      return added.ok() ? Status() : Status(added.error());
    });
  };
  const storage::BlobRef blob{Sha256Hex("x"), 1};
  EXPECT_EQ(add({}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(add({{"a", {"no hash", 1}}}).error().code, Code::kInvalidArgument);
  for (const char* name : {"", "../a", "a/b", ".hidden", "a b", "..", "a\nb"}) {
    EXPECT_EQ(add({{name, blob}}).error().code, Code::kInvalidArgument) << name;
  }
  EXPECT_TRUE(add({{"model-00001-of-00002.safetensors", blob}}).ok());
}

TEST_F(RegistryTest, AModelMayNotTakeAnotherOnesId) {
  const auto first = Add("digits");
  EXPECT_EQ(Add(first->model_id).error().code, Code::kInvalidArgument);
}

TEST_F(RegistryTest, References) {
  const auto one = Add("digits");
  ASSERT_TRUE(one.ok() && Add("digits").ok() && Add("digits").ok());
  ASSERT_TRUE(registry_->SetAlias("digits", "prod", 2).ok());
  EXPECT_EQ(registry_->Resolve("digits")->version, 3);
  EXPECT_EQ(registry_->Resolve("digits@latest")->version, 3);
  EXPECT_EQ(registry_->Resolve("digits@2")->version, 2);
  EXPECT_EQ(registry_->Resolve("digits@prod")->version, 2);
  EXPECT_EQ(registry_->Resolve(one->model_id)->version, 3);
  EXPECT_EQ(registry_->Resolve(one->model_id + "@1")->version, 1);
  EXPECT_EQ(registry_->Resolve("none").error().reason, "model_not_found");
  EXPECT_EQ(registry_->Resolve("").error().reason, "model_not_found");
  for (const char* reference : {"digits@4", "digits@0", "digits@02", "digits@99999999999999999999"}) {
    EXPECT_EQ(registry_->Resolve(reference).error().reason, "model_version_not_found") << reference;
  }
  for (const char* reference : {"digits@none", "digits@-1", "digits@1@1", "digits@' OR 1=1"}) {
    EXPECT_EQ(registry_->Resolve(reference).error().reason, "alias_not_found") << reference;
  }
  EXPECT_EQ(registry_->Resolve("digits@").error().code, Code::kInvalidArgument);
}

TEST_F(RegistryTest, Aliases) {
  ASSERT_TRUE(Add("digits").ok() && Add("digits").ok() && Add("other").ok());
  ASSERT_TRUE(registry_->SetAlias("digits", "prod", 1).ok());
  ASSERT_TRUE(registry_->SetAlias("digits", "生产", 2).ok());
  ASSERT_TRUE(registry_->SetAlias("other", "prod", 1).ok());
  ASSERT_TRUE(registry_->SetAlias("digits", "prod", 2).ok());
  EXPECT_THAT(*registry_->Aliases("digits"), ElementsAre(Pair("prod", 2), Pair("生产", 2)));
  EXPECT_EQ(registry_->Resolve("digits@生产")->version, 2);
  for (const char* alias : {"", "3", "007", "latest", "a b", "a@b", "a/b"}) {
    EXPECT_EQ(registry_->SetAlias("digits", alias, 1).error().code, Code::kInvalidArgument) << alias;
  }
  EXPECT_EQ(registry_->SetAlias("digits", "prod", 3).error().reason, "model_version_not_found");
  EXPECT_EQ(registry_->SetAlias("none", "prod", 1).error().reason, "model_not_found");
  ASSERT_TRUE(registry_->DeleteAlias("digits", "prod").ok());
  EXPECT_EQ(registry_->DeleteAlias("digits", "prod").error().reason, "alias_not_found");
  EXPECT_EQ(registry_->Resolve("other@prod")->version, 1);
}

TEST_F(RegistryTest, ModelsByPage) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    ASSERT_TRUE(Add(name).ok());
  }
  bool more = false;
  EXPECT_THAT(Names({"", 2, true}, more), ElementsAre("e", "d"));
  EXPECT_TRUE(more);
  EXPECT_THAT(Names({registry_->GetModel("d")->id, 2, true}, more), ElementsAre("c", "b"));
  EXPECT_TRUE(more);
  EXPECT_THAT(Names({registry_->GetModel("b")->id, 2, true}, more), ElementsAre("a"));
  EXPECT_FALSE(more);
  EXPECT_THAT(Names({"", 5, false}, more), ElementsAre("a", "b", "c", "d", "e"));
  EXPECT_FALSE(more);
  EXPECT_THAT(Names({registry_->GetModel("b")->id, 100, false}, more), ElementsAre("c", "d", "e"));
  EXPECT_EQ(registry_->ListModels({"model_none", 2, true}, more).error().param, "after");
}

TEST_F(RegistryTest, PagesAreWholeWhenTimesAreEqual) {
  const Status status = catalogue_->Write([&](soci::session& session) -> Status {
    for (int i = 0; i < 7; ++i) {
      ATELIER_TRY(registry_->AddVersion(session, "m" + std::to_string(i), SomeFiles("x"), {}, "job"));
    }
    return {};
  });
  ASSERT_TRUE(status.ok());
  std::set<std::string> seen;
  Page page{"", 3, true};
  bool more = true;
  while (more) {
    const auto models = registry_->ListModels(page, more);
    ASSERT_TRUE(models.ok());
    for (const auto& model : *models) {
      EXPECT_TRUE(seen.insert(model.name).second);
    }
    page.after = models->back().id;
  }
  EXPECT_THAT(seen, SizeIs(7));
}

TEST_F(RegistryTest, AnEvaluationKeepsItsPredictions) {
  ASSERT_TRUE(Add("digits").ok());
  const storage::BlobRef blob{Sha256Hex("rows"), 4};
  std::string id;
  const Status written = catalogue_->Write([&](soci::session& session) -> Status {
    Evaluation evaluation{"", "digits", 1, "digits", 2, "test", {}, 0, "job_2"};
    evaluation.predictions = blob;
    ATELIER_ASSIGN(added, registry_->AddEvaluation(session, evaluation));
    id = added.id;
    return {};
  });
  ASSERT_TRUE(written.ok()) << written.error().message;
  EXPECT_EQ(registry_->GetEvaluation(id)->predictions, blob);
  EXPECT_EQ(registry_->GetEvaluation(Evaluate("digits", 1)->id)->predictions, std::nullopt);
}

TEST_F(RegistryTest, AGateKeepsVersionsOut) {
  registry_ = std::make_unique<Registry>(
      *catalogue_, clock_, rng_,
      [](const json::object& gate, const std::string& version, std::span<const Evaluation> evaluations) -> Status {
        const double least = gate.at("at_least").as_double();
        const bool passes =
            !evaluations.empty() && evaluations[0].metrics.at("accuracy").as_double() >= least;  // the newest
        return passes ? Status() : Status(FailedPrecondition(version + " is not good enough", "gate_failed"));
      });
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(Add("digits").ok());
  }
  const json::object gate{{"at_least", 0.9}};
  EXPECT_EQ(Reason(registry_->PutDeployment("d", {"digits", {{1, 100}}, {}, gate}).error()), "gate_failed");
  EXPECT_EQ(Reason(registry_->GetDeployment("d").error()), "deployment_not_found");
  ASSERT_TRUE(Evaluate("digits", 1, 0.95).ok());
  ASSERT_TRUE(Evaluate("digits", 2, 0.99).ok());
  ASSERT_TRUE(Evaluate("digits", 2, 0.5).ok());
  ASSERT_TRUE(registry_->PutDeployment("d", {"digits", {{1, 100}}, {}, gate}).ok());
  EXPECT_EQ(registry_->GetDeployment("d")->gate, gate);
  // It stays; a version without traffic need not pass.
  const auto refused = registry_->PutDeployment("d", {"digits", {{1, 90}, {2, 10}}});
  EXPECT_EQ(refused.error().message, "digits@2 is not good enough");
  EXPECT_TRUE(registry_->PutDeployment("d", {"digits", {{1, 100}, {2, 0}}}).ok());
  ASSERT_TRUE(registry_->PutDeployment("d", {"digits", {{3, 100}}, {}, json::object()}).ok());
  EXPECT_TRUE(registry_->GetDeployment("d")->gate.empty());
  // A rollback is no way round it.
  ASSERT_TRUE(Evaluate("digits", 3, 0.99).ok());
  ASSERT_TRUE(Evaluate("digits", 1, 0.1).ok());
  ASSERT_TRUE(registry_->PutDeployment("d", {"digits", {{3, 100}}, {}, gate}).ok());
  EXPECT_EQ(Reason(registry_->Rollback("d").error()), "gate_failed");
  EXPECT_EQ(registry_->GetDeployment("d")->versions[0].version, 3);
}

TEST_F(RegistryTest, Evaluations) {
  ASSERT_TRUE(Add("digits").ok() && Add("digits").ok() && Add("other").ok());
  const auto first = Evaluate("digits", 1, 0.9);
  ASSERT_TRUE(first.ok() && Evaluate("digits", 2).ok() && Evaluate("other", 1).ok());
  const auto back = registry_->GetEvaluation(first->id);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->model_name, "digits");
  EXPECT_EQ(back->model_version, 1);
  EXPECT_EQ(back->dataset_name, "digits");
  EXPECT_EQ(back->dataset_version, 2);
  EXPECT_EQ(back->split, "test");
  EXPECT_EQ(back->metrics.at("accuracy").as_double(), 0.9);
  EXPECT_EQ(back->job_id, "job_2");
  bool more = false;
  EXPECT_THAT(*registry_->ListEvaluations("", {}, more), SizeIs(3));
  EXPECT_THAT(*registry_->ListEvaluations("digits", {}, more), SizeIs(2));
  EXPECT_THAT(*registry_->ListEvaluations("digits@1", {}, more), SizeIs(1));
  EXPECT_THAT(*registry_->ListEvaluations("digits", {"", 1, false}, more), SizeIs(1));
  EXPECT_TRUE(more);
  EXPECT_THAT(*registry_->ListEvaluations("digits", {first->id, 1, false}, more), SizeIs(1));
  EXPECT_FALSE(more);
  EXPECT_EQ(registry_->ListEvaluations("none", {}, more).error().reason, "model_not_found");
  EXPECT_EQ(registry_->GetEvaluation("eval_none").error().reason, "evaluation_not_found");
  EXPECT_EQ(Evaluate("digits", 9).error().reason, "model_version_not_found");
  EXPECT_EQ(Evaluate("none", 1).error().reason, "model_not_found");
}

TEST_F(RegistryTest, DeploymentIsCreatedChangedAndRolledBack) {
  ASSERT_TRUE(Add("digits").ok() && Add("digits").ok());
  const auto created = registry_->PutDeployment("live", "digits", {{1, 100}}, {{"max_batch", 8}});
  ASSERT_TRUE(created.ok());
  EXPECT_THAT(created->previous, IsEmpty());
  EXPECT_EQ(registry_->Rollback("live").error().code, Code::kFailedPrecondition);
  clock_.AdvanceMs(500);
  const auto changed = registry_->PutDeployment("live", created->model_name, {{2, 90}, {1, 10}}, {});
  ASSERT_TRUE(changed.ok());
  EXPECT_EQ(changed->id, created->id);
  EXPECT_EQ(changed->created_ms, created->created_ms);
  EXPECT_EQ(changed->updated_ms, created->updated_ms + 500);
  const auto back = registry_->GetDeployment(created->id);
  ASSERT_TRUE(back.ok());
  EXPECT_EQ(back->name, "live");
  EXPECT_EQ(back->model_name, "digits");
  ASSERT_THAT(back->versions, SizeIs(2));
  EXPECT_EQ(back->versions[0].version, 2);
  EXPECT_EQ(back->versions[0].weight, 90);
  ASSERT_THAT(back->previous, SizeIs(1));
  // Putting the same again keeps what can be rolled back to.
  EXPECT_THAT(registry_->PutDeployment("live", "digits", {{2, 90}, {1, 10}}, {})->previous, SizeIs(1));
  const auto rolled = registry_->Rollback("live");
  ASSERT_TRUE(rolled.ok());
  ASSERT_THAT(rolled->versions, SizeIs(1));
  EXPECT_EQ(rolled->versions[0].version, 1);
  EXPECT_THAT(rolled->previous, SizeIs(2));
  EXPECT_THAT(registry_->Rollback("live")->versions, SizeIs(2));
}

TEST_F(RegistryTest, ADeploymentOfAnotherModelForgetsTheOldVersions) {
  ASSERT_TRUE(Add("a").ok() && Add("b").ok());
  ASSERT_TRUE(registry_->PutDeployment("live", "a", {{1, 100}}, {}).ok());
  const auto moved = registry_->PutDeployment("live", "b", {{1, 100}}, {});
  ASSERT_TRUE(moved.ok());
  EXPECT_EQ(moved->model_name, "b");
  EXPECT_THAT(moved->previous, IsEmpty());
  EXPECT_TRUE(registry_->DeleteModel("a").ok());
  EXPECT_THAT(*registry_->ListDeployments(), SizeIs(1));
}

TEST_F(RegistryTest, DeploymentRefusesBadInput) {
  ASSERT_TRUE(Add("digits").ok() && Add("digits").ok());
  const auto put = [&](std::vector<DeployedVersion> versions) {
    return registry_->PutDeployment("live", "digits", std::move(versions), {}).error();
  };
  EXPECT_EQ(put({}).param, "versions");
  EXPECT_EQ(put({{1, 99}}).param, "versions");
  EXPECT_EQ(put({{1, 60}, {2, 50}}).param, "versions");
  EXPECT_EQ(put({{1, -10}, {2, 110}}).param, "versions[0].weight");
  EXPECT_EQ(put({{1, 50}, {1, 50}}).param, "versions[1].version");
  EXPECT_EQ(put({{1, 50}, {7, 50}}).reason, "model_version_not_found");
  EXPECT_EQ(registry_->PutDeployment("live", "none", {{1, 100}}, {}).error().reason, "model_not_found");
  EXPECT_EQ(registry_->PutDeployment("a/b", "digits", {{1, 100}}, {}).error().param, "name");
  EXPECT_EQ(registry_->GetDeployment("live").error().reason, "deployment_not_found");
  EXPECT_EQ(registry_->DeleteDeployment("live").error().reason, "deployment_not_found");
  EXPECT_EQ(registry_->Rollback("live").error().reason, "deployment_not_found");
}

TEST_F(RegistryTest, WhatIsDeployedIsNotDeleted) {
  ASSERT_TRUE(Add("digits").ok() && Add("digits").ok());
  ASSERT_TRUE(registry_->SetAlias("digits", "prod", 1).ok());
  const auto evaluation = Evaluate("digits", 1);
  ASSERT_TRUE(registry_->PutDeployment("live", "digits", {{1, 100}}, {}).ok());
  const Status refused = registry_->DeleteModel("digits");
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(refused.error().reason, "in_use");
  EXPECT_THAT(*registry_->Versions("digits"), SizeIs(2));
  ASSERT_TRUE(registry_->DeleteDeployment("live").ok());
  ASSERT_TRUE(registry_->DeleteModel("digits").ok());
  EXPECT_EQ(registry_->Versions("digits").error().reason, "model_not_found");
  EXPECT_EQ(registry_->GetEvaluation(evaluation->id).error().reason, "evaluation_not_found");
  EXPECT_EQ(registry_->DeleteModel("digits").error().reason, "model_not_found");
  EXPECT_EQ(Add("digits")->version, 1);
  EXPECT_THAT(*registry_->Aliases("digits"), IsEmpty());
}

TEST_F(RegistryTest, AdaptersBelongToTheirDeployment) {
  ASSERT_TRUE(Add("base").ok() && Add("lora").ok() && Add("other").ok());
  ASSERT_TRUE(registry_->PutDeployment("prod", "base", {{1, 100}}, {}).ok());
  const auto add = [&](const std::string& name, const std::string& model, int64_t version = 1, size_t most = 2) {
    const auto added = registry_->AddAdapter("prod", {name, model, version}, most);
    return added.ok() ? "" : added.error().reason;
  };
  EXPECT_EQ(add("kind", "lora"), "");
  EXPECT_EQ(add("kind", "lora"), "");  // it is there
  EXPECT_EQ(add("kind", "other"), "adapter_exists");
  EXPECT_EQ(add("prod", "lora"), "name_taken");
  EXPECT_EQ(add("a:b", "lora"), "invalid_name");
  EXPECT_EQ(add("x", "lora", 2), "model_version_not_found");
  EXPECT_EQ(add("x", "none"), "model_not_found");
  EXPECT_EQ(add("brief", "other"), "");
  EXPECT_EQ(add("third", "other"), "too_many_adapters");
  EXPECT_EQ(registry_->AddAdapter("none", {"x", "lora", 1}, 2).error().reason, "deployment_not_found");

  ASSERT_TRUE(registry_->PutDeployment("prod", "base", {{1, 100}}, {{"max_queue", 3}}).ok());
  const auto adapters = registry_->ListDeployments()->front().adapters;
  ASSERT_THAT(adapters, SizeIs(2));
  EXPECT_EQ(adapters[0].name, "brief");
  EXPECT_EQ(adapters[1].model_name, "lora");
  EXPECT_EQ(adapters[1].version, 1);
  EXPECT_EQ(registry_->DeleteModel("lora").error().reason, "in_use");
  EXPECT_TRUE(registry_->DeleteAdapter("prod", "kind").ok());
  EXPECT_EQ(registry_->DeleteAdapter("prod", "kind").error().reason, "adapter_not_found");
  EXPECT_TRUE(registry_->DeleteModel("lora").ok());
  EXPECT_THAT(registry_->PutDeployment("prod", "other", {{1, 100}}, {})->adapters, IsEmpty());
  EXPECT_THAT(registry_->GetDeployment("prod")->adapters, IsEmpty());
  EXPECT_EQ(add("kind", "base"), "");
  EXPECT_TRUE(registry_->DeleteDeployment("prod").ok());
  EXPECT_TRUE(registry_->DeleteModel("base").ok());
}

}  // namespace
}  // namespace atelier::registry
