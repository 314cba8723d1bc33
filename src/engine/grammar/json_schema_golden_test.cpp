// Schemas of the JSON Schema Test Suite and of JSONSchemaBench with instances that are known to be valid or not.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <fstream>

#include "base/testing/shared_data.h"
#include "engine/grammar/json_schema.h"
#include "engine/grammar/testing/grammar_testing.h"

namespace atelier::engine::grammar {
namespace {

using testing::Accepts;
using testing::Serialized;
using testing::Spacing;

// The instance with its keys in a given order of preference is not needed: PropertyOrder::kAny takes them as they come,
// but for objects of more than 64 declared properties, which the data has none of with other orders.
class GoldenSchemas : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto root = SharedData();
    std::ifstream file(root / "golden" / "json_schema.jsonl");
    if (root.empty() || !file) {
      GTEST_SKIP() << "no shared data";
    }
    for (std::string line; std::getline(file, line);) {
      rows_.push_back(json::parse(line));
    }
  }
  std::vector<json::value> rows_;
};

TEST_F(GoldenSchemas, AcceptExactlyTheValidInstances) {
  size_t compiled = 0;
  std::vector<double> times_ms;
  for (size_t i = 0; i < rows_.size(); ++i) {
    const auto& row = rows_[i].get_object();
    Budget budget{GrammarLimits()};
    const auto begin = std::chrono::steady_clock::now();
    const auto grammar = CompileJsonSchema(row.at("schema"), {.order = PropertyOrder::kAny}, budget);
    times_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
    if (!grammar.ok()) {
      EXPECT_TRUE(grammar.error().reason == "unsupported_schema_keyword" ||
                  grammar.error().reason == "schema_too_complex" || grammar.error().reason == "unsatisfiable_schema")
          << i << grammar.error().message;
      continue;
    }
    ++compiled;
    for (const auto spacing : {Spacing::kCompact, Spacing::kSpaced, Spacing::kIndented}) {
      for (const auto& instance : row.at("valid").as_array()) {
        EXPECT_TRUE(Accepts(**grammar, Serialized(instance, spacing))) << i << Serialized(instance, spacing);
      }
      for (const auto& instance : row.at("invalid").as_array()) {
        EXPECT_FALSE(Accepts(**grammar, Serialized(instance, spacing))) << i << Serialized(instance, spacing);
      }
    }
  }
  EXPECT_GE(compiled, rows_.size() * 97 / 100);
  std::sort(times_ms.begin(), times_ms.end());
  RecordProperty("compile_ms_p99", std::to_string(times_ms[times_ms.size() * 99 / 100]));
  RecordProperty("compiled", static_cast<int>(compiled));
}

TEST_F(GoldenSchemas, GenerateOnlyJson) {
  const auto vocabulary = testing::SmallVocabulary();
  SeededRng rng(7);
  size_t ended = 0;
  for (size_t i = 0; i < rows_.size(); i += 2) {
    Budget budget{GrammarLimits()};
    const auto grammar = CompileJsonSchema(rows_[i].at("schema"), {}, budget);
    if (!grammar.ok()) {
      continue;
    }
    const Matcher matcher(std::make_shared<MaskCache>(*grammar, vocabulary));
    const auto text = testing::Generate(matcher, rng, 40, 400);
    EXPECT_FALSE(text.dead_end) << i << text.text;
    if (text.ended) {
      ++ended;
      boost::system::error_code error;
      json::parse(text.text, error, {}, {.max_depth = 500});
      EXPECT_FALSE(error) << i << text.text;
      EXPECT_TRUE(Accepts(**grammar, text.text));
    }
  }
  EXPECT_GT(ended, rows_.size() / 4);
}

}  // namespace
}  // namespace atelier::engine::grammar
