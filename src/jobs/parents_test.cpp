// Jobs that consist of others.
#include <algorithm>
#include <array>

#include "jobs/test_world.h"

namespace atelier::jobs {
namespace {

using ParentsTest = World;

TEST_F(ParentsTest, ChildrenRunAndTheirSumIsCommittedOnce) {
  Program("event result '{\"value\":5}'");
  options_.limits.running = 1;  // the parent takes no place
  Start();
  const std::string id = Create({{"count", 3}, {"parallel", 2}}, "many");
  const Job job = Final(id);
  ASSERT_EQ(job.state, State::kSucceeded) << (job.error ? job.error->message : "");
  EXPECT_EQ(GetInt(job.result, "value"), 15);
  EXPECT_EQ(GetInt(job.progress, "done"), 3);
  EXPECT_EQ(States(id), "queued running succeeded");
  EXPECT_EQ(Published(), 4);
  const auto children = Children(id);
  ASSERT_EQ(children.size(), 3U);
  for (size_t i = 0; i < children.size(); ++i) {
    EXPECT_EQ(children[i].parent, id);
    EXPECT_EQ(GetInt(children[i].spec, "number"), static_cast<int64_t>(i));
    EXPECT_EQ(children[i].state, State::kSucceeded);
  }
}

TEST_F(ParentsTest, AFailureEndsTheOthersAndAResumeTakesThemUp) {
  Program(
      "case $(cat \"$4/spec.json\") in *'\"number\":0'*) [ -e \"$4/../second\" ] || "
      "{ event error '{\"message\":\"no luck\"}'; exit 1; };; esac\n"
      "[ -e \"$4/../second\" ] || sleep 300\n"
      "event result '{\"value\":1}'");
  options_.limits.running = 2;
  Start();
  const std::string id = Create({{"count", 3}, {"parallel", 3}}, "many");
  const Job job = Final(id);
  EXPECT_EQ(job.state, State::kFailed);
  ASSERT_TRUE(job.error.has_value());
  EXPECT_EQ(job.error->message, "no luck");
  for (const Job& child : Children(id)) {
    EXPECT_EQ(child.state, GetInt(child.spec, "number") == 0 ? State::kFailed : State::kCancelled);
  }
  EXPECT_EQ(Published(), 0);
  std::ofstream(folder_ / "jobs" / "second") << "now";
  ASSERT_TRUE(service_->Resume(id).ok());
  EXPECT_EQ(Final(id).state, State::kSucceeded);
  EXPECT_EQ(Children(id).size(), 3U);
  EXPECT_EQ(Published(), 4);
}

TEST_F(ParentsTest, ACancellationReachesTheChildren) {
  Program("sleep 300");
  Start();
  const std::string id = Create({{"count", 3}, {"parallel", 2}}, "many");
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::any_of(Children(id), [](const Job& child) { return child.state == State::kRunning; });
  }));
  ASSERT_TRUE(service_->Cancel(id).ok());
  EXPECT_EQ(Final(id).state, State::kCancelled);
  const auto children = Children(id);
  ASSERT_EQ(children.size(), 2U);
  for (const Job& child : children) {
    EXPECT_EQ(child.state, State::kCancelled);
  }
}

TEST_F(ParentsTest, APauseIsACancellationThatIsRemembered) {
  Program("[ -e \"$4/../second\" ] || sleep 300\nevent result '{\"value\":1}'");
  Start();
  const std::string id = Create({{"count", 2}, {"parallel", 1}}, "many");
  ASSERT_TRUE(Eventually([&] {
    return std::ranges::any_of(Children(id), [](const Job& child) { return child.state == State::kRunning; });
  }));
  EXPECT_TRUE(service_->Pause(id)->paused);
  const Job paused = Final(id);
  EXPECT_TRUE(paused.state == State::kCancelled && paused.paused);
  EXPECT_FALSE(service_->Cancel(id)->paused);  // for good
  EXPECT_EQ(service_->Cancel(id).error().reason, "job_finished");
  std::ofstream(folder_ / "jobs" / "second") << "now";
  ASSERT_TRUE(service_->Resume(id).ok());
  const Job job = Final(id);
  EXPECT_TRUE(job.state == State::kSucceeded && !job.paused);
  EXPECT_EQ(service_->Pause(id).error().reason, "job_finished");
  EXPECT_EQ(Published(), 3);
}

TEST_F(ParentsTest, AChildThatIsCancelledAloneIsNoSuccess) {
  Program("sleep 300");
  Start();
  const std::string id = Create({{"count", 1}}, "many");
  ASSERT_TRUE(Eventually([&] { return !Children(id).empty(); }));
  ASSERT_TRUE(service_->Cancel(Children(id)[0].id).ok());
  EXPECT_EQ(Final(id).state, State::kFailed);  // nothing to do, and no result
}

TEST_F(ParentsTest, ARestartGoesOnWithTheChildrenThatAreThere) {
  Program("[ -e \"$4/../go\" ] || { touch \"$4/../begun\"; sleep 300; }; event result '{\"value\":2}'");
  Start();
  const std::string id = Create({{"count", 4}, {"parallel", 2}}, "many");
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / "jobs" / "begun"); }));
  service_.reset();
  std::ofstream(folder_ / "jobs" / "go") << "now";
  Start();
  const Job job = Final(id);
  EXPECT_EQ(job.state, State::kSucceeded);
  EXPECT_EQ(GetInt(job.result, "value"), 8);
  EXPECT_EQ(Children(id).size(), 4U);
  EXPECT_EQ(States(id), "queued running queued running succeeded");
}

}  // namespace
}  // namespace atelier::jobs
