#include "serving/routing.h"

#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

std::shared_ptr<const Lease> LeaseOf(int64_t version) {
  auto lease = std::make_shared<Lease>();
  lease->endpoint = std::make_shared<Endpoint>("/nonexistent/socket");
  lease->version = version;
  return lease;
}

RoutedDeployment Deployment(std::string name, std::string model, Route entries) {
  RoutedDeployment out;
  out.name = std::move(name);
  out.model_name = std::move(model);
  out.entries = std::move(entries);
  return out;
}

TEST(Routing, PicksByWeight) {
  const Route route{{1, 90, LeaseOf(1)}, {2, 10, LeaseOf(2)}};
  int second = 0;
  for (int i = 0; i < 1000; ++i) {
    second += Pick(route, i / 1000.0)->version == 2 ? 1 : 0;
  }
  EXPECT_EQ(second, 100);
}

TEST(Routing, AVersionThatIsNotReadyLeavesItsShare) {
  Route route{{1, 90, nullptr}, {2, 10, LeaseOf(2)}, {3, 0, LeaseOf(3)}};
  for (const double uniform : {0.0, 0.5, 0.9999}) {
    EXPECT_EQ(Pick(route, uniform)->version, 2);
  }
  route[1].lease->endpoint->Suspect();
  EXPECT_EQ(Pick(route, 0.5), nullptr) << "a version without traffic does not step in";
}

TEST(Routing, KnowsAllNamesOfAModel) {
  RoutedDeployment digits = Deployment("prod", "digits", {{3, 100, LeaseOf(3)}, {4, 0, LeaseOf(4)}});
  digits.latest_version = 4;
  digits.aliases = {{"champion", 3}, {"absent", 9}};
  const RouteTable table({digits});
  const std::pair<std::string, int64_t> names[] = {{"prod", 3},     {"digits", 3},          {"digits@3", 3},
                                                   {"digits@4", 4}, {"digits@champion", 3}, {"digits@latest", 4},
                                                   {"prod@4", 4}};
  for (const auto& [name, version] : names) {
    const auto lease = table.Choose(name, 0.3);
    ASSERT_TRUE(lease.ok()) << name;
    EXPECT_EQ(lease->lease->version, version) << name;
    EXPECT_EQ(lease->adapter, "");
  }
  for (const std::string name : {"digits@9", "digits@absent", "other", "", "prod@champion"}) {
    const auto lease = table.Choose(name, 0.3);
    ASSERT_FALSE(lease.ok()) << name;
    EXPECT_EQ(lease.error().code, Code::kNotFound);
    EXPECT_EQ(lease.error().reason, "model_not_found");
  }
}

TEST(Routing, ADeploymentsNameWinsOverAModels) {
  const RouteTable table({Deployment("a", "b", {{1, 100, LeaseOf(1)}}), Deployment("b", "c", {{2, 100, LeaseOf(2)}})});
  EXPECT_EQ(table.Choose("b", 0)->lease->version, 2);
  EXPECT_EQ(table.Choose("a", 0)->lease->version, 1);
  EXPECT_EQ(table.Choose("b@1", 0)->lease->version, 1);
}

TEST(Routing, AnAdapterIsCalledByItsNameWhereNothingElseIs) {
  RoutedDeployment one = Deployment("one", "m", {{1, 100, LeaseOf(1)}});
  RoutedDeployment two = Deployment("two", "n", {{2, 100, LeaseOf(2)}});
  one.adapters = {"kind", "two"};
  two.adapters = {"kind", "m"};
  const RouteTable table({one, two});
  const auto is = [&](const std::string& name, int64_t version, const std::string& adapter) {
    const auto chosen = table.Choose(name, 0);
    return chosen.ok() && chosen->lease->version == version && chosen->adapter == adapter;
  };
  EXPECT_TRUE(is("kind", 1, "kind"));
  EXPECT_TRUE(is("one:kind", 1, "kind"));
  EXPECT_TRUE(is("two:kind", 2, "kind"));
  EXPECT_TRUE(is("two", 2, ""));
  EXPECT_TRUE(is("one:two", 1, "two"));
  EXPECT_TRUE(is("m", 1, ""));
  EXPECT_TRUE(is("two:m", 2, "m"));
  EXPECT_FALSE(table.Choose("one:m", 0).ok());
}

TEST(Routing, SaysWhenItIsLoading) {
  const RouteTable table({Deployment("a", "m", {{1, 100, nullptr}})});
  const auto lease = table.Choose("a", 0);
  ASSERT_FALSE(lease.ok());
  EXPECT_EQ(lease.error().code, Code::kUnavailable);
  EXPECT_EQ(lease.error().reason, "model_loading");
  EXPECT_EQ(lease.error().retry_after_s, 1);
}

}  // namespace
}  // namespace atelier::serving
