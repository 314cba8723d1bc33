#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>

#include "api/routes.h"

namespace atelier::api {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  Router::Match Find(Method method, const std::string& target) {
    return router_.Find(method, http::ParseTarget(target).value());
  }

  Router router_{Routes()};
};

TEST_F(RouterTest, FindsRoutesAndTheirParameters) {
  auto match = Find(Method::kGet, "/v1/registry/models/m%2Fx/versions/3/files/config.json");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.route->name, "get_model_file");
  EXPECT_EQ(match.params, (http::Pairs{{"name", "m/x"}, {"version", "3"}, {"file", "config.json"}}));
  match = Find(Method::kGet, "/v1/models/a/b%2Fc");
  ASSERT_NE(match.route, nullptr);
  EXPECT_EQ(match.params, (http::Pairs{{"id", "a/b/c"}}));
  EXPECT_EQ(Find(Method::kGet, "/v1/models").route->name, "list_models");
  EXPECT_EQ(Find(Method::kHead, "/v1/models").route->name, "list_models");
}

TEST_F(RouterTest, SaysWhatElseAPathAllows) {
  const auto match = Find(Method::kPut, "/v1/files/file-1");
  EXPECT_EQ(match.route, nullptr);
  EXPECT_EQ(match.allow, "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(Find(Method::kGet, "/v1/nothing").allow, "");
  EXPECT_EQ(Find(Method::kGet, "/").allow, "");
  EXPECT_EQ(Find(Method::kGet, "/v1/files/../files").allow, "");
}

TEST(Routes, HaveOneHandlerEach) {
  std::set<std::string> seen;
  for (const auto& route : Routes()) {
    EXPECT_NE(route.handler == nullptr, route.quick == nullptr) << route.pattern;
    EXPECT_TRUE(seen.insert(std::string(Name(route.method)) + std::string(route.pattern)).second) << route.pattern;
  }
}

std::string Lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

TEST(Openapi, DescribesExactlyTheRoutesServed) {
  std::set<std::string> served;
  for (const auto& route : Routes()) {
    std::string pattern(route.pattern);
    if (const auto rest = pattern.find("...}"); rest != std::string::npos) {
      pattern.erase(rest, 3);
    }
    served.insert(Lowered(Name(route.method)) + " " + pattern);
  }
  std::set<std::string> described;
  const auto spec =
      YAML::LoadFile((std::filesystem::path(__FILE__).parent_path() / "../../spec/openapi.yaml").string());
  for (const auto& path : spec["paths"]) {
    for (const auto& operation : path.second) {
      const auto method = operation.first.as<std::string>();
      if (method == "parameters") {
        continue;
      }
      described.insert(method + " " + path.first.as<std::string>());
      EXPECT_TRUE(operation.second["responses"]) << path.first;
      EXPECT_TRUE(operation.second["operationId"]) << path.first;
    }
  }
  EXPECT_EQ(served, described);
}

void CollectReferences(const YAML::Node& node, std::set<std::string>& references) {
  if (node.IsMap()) {
    for (const auto& member : node) {
      if (member.first.as<std::string>() == "$ref") {
        references.insert(member.second.as<std::string>());
      } else {
        CollectReferences(member.second, references);
      }
    }
  } else if (node.IsSequence()) {
    for (const auto& item : node) {
      CollectReferences(item, references);
    }
  }
}

bool Has(const YAML::Node& node, const std::string& path) {
  const auto slash = path.find('/');
  const YAML::Node child = node[path.substr(0, slash)];
  return child.IsDefined() && (slash == std::string::npos || Has(child, path.substr(slash + 1)));
}

TEST(Openapi, HasWhatItRefersTo) {
  const auto spec =
      YAML::LoadFile((std::filesystem::path(__FILE__).parent_path() / "../../spec/openapi.yaml").string());
  std::set<std::string> references;
  CollectReferences(spec, references);
  for (const auto& reference : references) {
    ASSERT_TRUE(reference.starts_with("#/")) << reference;
    EXPECT_TRUE(Has(spec, reference.substr(2))) << reference;
  }
}

}  // namespace
}  // namespace atelier::api
