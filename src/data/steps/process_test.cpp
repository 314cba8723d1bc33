// Lists of steps: what is refused before any row is read, how few passes there are, and going on after a kill.
#include "data/steps/process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/steps/minhash.h"
#include "data/steps/plan.h"
#include "data/steps/spill.h"
#include "data/testing/processing.h"

namespace atelier::data {
namespace {

using steps::Role;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Processed;

class ProcessTest : public ::testing::Test, protected testing::Processing {
 protected:
  static std::vector<Role> FirstPass(const Manifest& manifest, const std::string& request) {
    const auto checked = Check(manifest, request);
    EXPECT_TRUE(checked.ok()) << (checked.ok() ? "" : checked.error().message);
    const auto bound = steps::Bind(checked->steps, 1, steps::SchemaOf(manifest));
    return steps::PlanPass(*bound);
  }
  static int Passes(const Manifest& manifest, const std::string& request) {
    const auto checked = Check(manifest, request);
    auto bound = steps::Bind(checked->steps, 1, steps::SchemaOf(manifest));
    return steps::CountPasses(*bound);
  }
  Manifest Small() { return Csv("a,b,c\n1,2,x\n3,4,y\n"); }
};

TEST_F(ProcessTest, NamesWhatIsWrongWithAStep) {
  const Manifest table = Small();
  EXPECT_EQ(Refused(table, "{}"), "steps");
  EXPECT_EQ(Refused(table, R"({"steps":{}})"), "steps");
  EXPECT_EQ(Refused(table, R"({"steps":[],"seed":-1})"), "seed");
  EXPECT_EQ(Refused(table, R"({"steps":[],"colour":1})"), "colour");
  EXPECT_EQ(Refused(table, R"([7])"), "steps[0]");
  EXPECT_EQ(Refused(table, R"([{}])"), "steps[0].step");
  EXPECT_EQ(Refused(table, R"([{"step":"dance"}])"), "steps[0].step");
  EXPECT_EQ(Refused(table, R"([{"step":"drop"}])"), "steps[0].columns");
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":[]}])"), "steps[0].columns");
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":["a","z"]}])"), "steps[0].columns[1]");
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":["a","a"]}])"), "steps[0].columns[1]");
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":["a","b","c"]}])"), "steps[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":["a"],"hard":true}])"), "steps[0].hard");
  EXPECT_EQ(Refused(table, R"([{"step":"normalize","columns":["c"]}])"), "steps[0].columns[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"normalize","maximum":1e300}])"), "steps[0].maximum");
  EXPECT_EQ(Refused(table, R"([{"step":"normalize","maximum":-1}])"), "steps[0].maximum");
  EXPECT_EQ(Refused(table, R"([{"step":"outliers","method":"magic"}])"), "steps[0].method");
  EXPECT_EQ(Refused(table, R"([{"step":"sample","count":0.5}])"), "steps[0].count");
  EXPECT_EQ(Refused(table, R"([{"step":"sample","count":1,"seed":-1}])"), "steps[0].seed");
  EXPECT_EQ(Refused(table, R"([{"step":"rename","columns":{"a":"b"}}])"), "steps[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"rename","columns":{"a":""}}])"), "steps[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"rename","columns":{"a":1}}])"), "steps[0].columns.a");
  std::string many = "[";
  for (int i = 0; i < 201; ++i) {
    many += R"({"step":"shuffle"},)";
  }
  many.back() = ']';
  EXPECT_EQ(Refused(table, many), "steps");
}

TEST_F(ProcessTest, ChecksColumnsAsTheEarlierStepsLeaveThem) {
  const Manifest table = Small();
  EXPECT_EQ(Refused(table, R"([{"step":"drop","columns":["a"]},{"step":"normalize","columns":["a"]}])"),
            "steps[1].columns[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"rename","columns":{"a":"z"}},{"step":"normalize","columns":["z"]}])"), "ok");
  EXPECT_EQ(Refused(table, R"([{"step":"cast","columns":["c"],"to":"text"},{"step":"one_hot","columns":["c"]}])"),
            "steps[1].columns[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"one_hot"},{"step":"standardize","columns":["c_x","c_y"]}])"), "ok");
}

TEST_F(ProcessTest, RecordsEveryParameterWithItsValue) {
  const auto checked = Check(Small(), R"([{"step":"outliers","threshold":2}])");
  ASSERT_TRUE(checked.ok());
  EXPECT_EQ(
      json::serialize(checked->steps),
      R"([{"step":"outliers","columns":["a","b"],"method":"iqr","threshold":2,"action":"clip","fit_on":"train"}])");
  // What is recorded is itself a request for the same.
  const auto again = Check(Small(), json::serialize(checked->steps));
  EXPECT_EQ(again->steps, checked->steps);
}

TEST_F(ProcessTest, FitsInAsFewPassesAsCanBe) {
  const Manifest table = Csv("a,b,c\n1,2,x\n3,4,y\n", {.target = "c"});
  const std::string a = R"({"step":"standardize","columns":["a"]})";
  const std::string b = R"({"step":"normalize","columns":["b"]})";
  const std::string split = R"({"step":"split","fractions":[0.5,0,0.5]})";
  const std::string dedup = R"({"step":"deduplicate"})";
  EXPECT_EQ(Passes(table, "[]"), 1);
  EXPECT_EQ(Passes(table, "[" + a + "]"), 2);
  EXPECT_EQ(Passes(table, "[" + a + "," + b + "]"), 2);  // other columns: together
  EXPECT_EQ(Passes(table, "[" + a + "," + a + "]"), 3);
  EXPECT_EQ(Passes(table, "[" + a + "," + split + "]"), 2);
  EXPECT_EQ(Passes(table, "[" + split + "," + a + "]"), 3);  // its rows are those of the new training split
  EXPECT_EQ(Passes(table, "[" + dedup + "," + a + "," + split + "]"), 3);
  EXPECT_THAT(FirstPass(table, "[" + a + "," + b + "," + split + "]"),
              ElementsAre(Role::kObserve, Role::kObserve, Role::kObserve));
  EXPECT_THAT(FirstPass(table, "[" + dedup + "," + a + "]"), ElementsAre(Role::kObserve));
  EXPECT_THAT(FirstPass(table, "[" + a + R"(,{"step":"filter","where":"a > 0"},)" + b + "]"),
              ElementsAre(Role::kObserve));
  EXPECT_THAT(FirstPass(table, "[" + a + R"(,{"step":"filter","where":"b > 0"},)" + b + "]"),
              ElementsAre(Role::kObserve, Role::kApply, Role::kObserve));
}

TEST_F(ProcessTest, TheManifestTellsWhereTheRowsComeFrom) {
  const Manifest table = Csv("a\n1\n1\n2\n3\n");
  const Processed out = RunSteps(
      table, R"({"seed":5,"steps":[{"step":"deduplicate"},{"step":"filter","where":"a > 1"},{"step":"standardize"}]})");
  ASSERT_EQ(out.error, "");
  const auto manifest = LoadManifest(blobs(), out.report.version.manifest.sha256);
  ASSERT_TRUE(manifest.ok());
  const json::object& lineage = manifest->lineage;
  EXPECT_EQ(lineage.at("parent").at("dataset"), "a");
  EXPECT_EQ(lineage.at("seed"), 5);
  EXPECT_EQ(lineage.at("steps").at(1).at("where"), "a > 1");
  const auto& report = lineage.at("report").as_object();
  EXPECT_EQ(report.at("rows"), 4);
  EXPECT_EQ(json::serialize(report.at("steps")),
            R"([{"step":"deduplicate","rows_in":4,"rows_out":3},{"step":"filter","rows_in":3,"rows_out":2},)"
            R"({"step":"standardize","rows_in":2,"rows_out":2}])");
  EXPECT_EQ(report.at("before").at(0).at("maximum"), 3.0);
  EXPECT_EQ(out.report.report.at("after").at(0).at("maximum"), 1.0);
  // An imported one says nothing, and a manifest of old is read.
  EXPECT_TRUE(table.lineage.empty());
}

std::string Large(int rows) {
  std::string out = "n,g,t\n";
  for (int i = 0; i < rows; ++i) {
    out += std::to_string(i % 1000) + "." + std::to_string(i % 7) + ",k" + std::to_string(i % 5) + ",text " +
           std::to_string(i % 150011) + "\n";
  }
  return out;
}

constexpr const char* kAll =
    R"([{"step":"deduplicate","columns":["t"]},{"step":"filter","where":"n < 900"},)"
    R"({"step":"fill_missing","columns":["n"],"with":"median"},{"step":"shuffle"},)"
    R"({"step":"split","fractions":[0.8,0.1,0.1],"by":"stratified","column":"g"},{"step":"standardize"},)"
    R"({"step":"balance","column":"g","method":"over"},{"step":"one_hot","columns":["g"]}])";

TEST_F(ProcessTest, ARunThatWasStoppedAnywhereEndsWithTheSameVersion) {
  const Manifest table = Csv(Large(210'000));
  const Processed calm = RunSteps(table, kAll);
  ASSERT_EQ(calm.error, "");
  EXPECT_FALSE(std::filesystem::exists(folder() / "checkpoint"));
  EXPECT_GT(calm.content().shards.size(), 2U);
  // Each run is stopped after some batches, and so is the one that takes it up.
  int stops = 0;
  for (const int patience : {1, 11, 30, 47, 61}) {
    Processed out;
    do {
      RunHooks hooks;
      hooks.cancelled = [count = 0, patience]() mutable { return ++count > patience + 40; };
      out = RunSteps(table, kAll, hooks);
      stops += out.error.empty() ? 0 : 1;
      ASSERT_TRUE(out.error.empty() || out.error == "the job was cancelled") << out.error;
    } while (!out.error.empty());
    EXPECT_EQ(out.report.version.manifest, calm.report.version.manifest) << patience;
    EXPECT_EQ(out.report.report, calm.report.report);
  }
  EXPECT_GT(stops, 8);
}

TEST_F(ProcessTest, AnImportThatWasStoppedAnywhereEndsWithTheSameVersion) {
  const SourceFile source = blobs().Source("a.csv", Large(200'000));
  const ImportOptions options{.target = "g", .split = {0.8, 0.1, 0.1}};
  const auto calm = Import(blobs(), {source}, options, TabularFormats(), {});
  ASSERT_TRUE(calm.ok());
  int stops = 0;
  for (int patience = 3;; patience += 23) {  // checked every 4,096 rows: 49 times in each of two passes
    RunHooks hooks;
    hooks.checkpoint = folder() / "import";
    hooks.cancelled = [count = 0, patience]() mutable { return ++count > patience; };
    const auto out = Import(blobs(), {source}, options, TabularFormats(), hooks);
    if (out.ok()) {
      EXPECT_EQ(out->manifest, calm->manifest);
      break;
    }
    ASSERT_EQ(out.error().code, Code::kCancelled) << out.error().message;
    ++stops;
  }
  EXPECT_GT(stops, 2);
  EXPECT_LT(stops, 5);  // it would be more if every run began anew
  EXPECT_FALSE(std::filesystem::exists(folder() / "import"));
}

TEST_F(ProcessTest, ADamagedCheckpointMeansBeginningAnew) {
  const Manifest table = Csv(Large(100'000));
  const Processed calm = RunSteps(table, kAll);
  for (const char* name : {"passes.json", "table.json", "splits", "step0.marks"}) {
    RunHooks hooks;
    hooks.cancelled = [count = 0]() mutable { return ++count > 45; };
    ASSERT_EQ(RunSteps(table, kAll, hooks).error, "the job was cancelled");
    std::ofstream(folder() / "checkpoint" / name) << "{\"rows\":99,\"states\":[1,2]";
    EXPECT_EQ(RunSteps(table, kAll).report.version.manifest, calm.report.version.manifest) << name;
  }
}

TEST_F(ProcessTest, PreviewsTheFirstRows) {
  const Manifest table = Csv(Large(5000), {.target = "g"});
  const auto request = Check(table, R"([{"step":"filter","where":"n >= 2"},{"step":"standardize"}])");
  RunHooks hooks;
  hooks.checkpoint = folder() / "preview";
  const auto preview = steps::Preview(blobs(), {table, *request}, 10, hooks);
  ASSERT_TRUE(preview.ok()) << preview.error().message;
  const json::array& rows = preview->at("rows").as_array();
  ASSERT_EQ(rows.size(), 8U);
  double sum = 0;
  for (const auto& row : rows) {
    sum += row.at("n").to_number<double>();
  }
  EXPECT_NEAR(sum, 0, 1e-5);  // of these rows alone
  EXPECT_EQ(rows[0].at("t"), "text 2");
  EXPECT_EQ(rows[0].at("g"), "k2");
  EXPECT_EQ(preview->at("splits").at(0), "train");
  EXPECT_EQ(preview->at("report").at("steps").at(0).at("rows_in"), 10);
  EXPECT_FALSE(std::filesystem::exists(folder() / "preview"));
}

TEST_F(ProcessTest, SortsMoreThanMemoryHolds) {
  std::filesystem::create_directories(folder());
  steps::Spill<uint64_t> spill(folder() / "sort", 1);  // the least that it takes: runs of 4,096
  for (int64_t i = 0; i < 50'000; ++i) {
    ASSERT_TRUE(spill.Add(steps::RowHash(3, i)).ok());
  }
  uint64_t previous = 0;
  size_t count = 0;
  ASSERT_TRUE(spill
                  .ForEach([&](uint64_t value) -> Status {
                    EXPECT_LT(previous, value);
                    previous = value;
                    ++count;
                    return {};
                  })
                  .ok());
  EXPECT_EQ(count, 50'000U);
}

TEST(MinHashTest, EstimatesTheJaccardSimilarity) {
  // Exactly computed: 0.364 and 0.972. The deviation of an estimate by 512 permutations is at most 0.022.
  const steps::MinHash hash(512, 5);
  const auto a = hash.Signature("The quick brown fox jumps over the lazy dog while the cat sleeps in the sun.");
  const auto b = hash.Signature("The quick brown fox jumps over the lazy dog while the cat sleeps in the sun!");
  const auto c = hash.Signature("The quick brown fox jumped over a lazy dog; the cat slept somewhere in the shade.");
  EXPECT_NEAR(steps::Similarity(a, b), 0.971830985915493, 0.025);
  EXPECT_NEAR(steps::Similarity(a, c), 0.3644859813084112, 0.07);
  EXPECT_TRUE(hash.Signature(" \n").empty());
  // datasketch 1's choice for equal weights.
  EXPECT_EQ(steps::ChooseBands(0.8, 128).bands, 9U);
  EXPECT_EQ(steps::ChooseBands(0.8, 128).rows, 13U);
  EXPECT_EQ(steps::ChooseBands(0.5, 128).bands, 25U);
  EXPECT_EQ(steps::ChooseBands(0.5, 128).rows, 5U);
}

}  // namespace
}  // namespace atelier::data
