// For the tests: a catalogue and programs in a temporary folder, and a service over them.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/json.h"
#include "jobs/service.h"
#include "storage/catalogue.h"

namespace atelier::jobs {

inline constexpr storage::Migration kPublished{
    "published", 1, "CREATE TABLE published (job_id TEXT NOT NULL, value INTEGER NOT NULL);"};

class World : public testing::Test {
 protected:
  World() {
    static int count = 0;
    folder_ = std::filesystem::path(testing::TempDir()) /
              ("jobs." + std::to_string(::getpid()) + "." + std::to_string(++count));
    std::filesystem::create_directories(folder_);
    options_.data_dir = folder_;
    options_.program_dir = folder_;
  }
  ~World() override {
    service_.reset();
    catalogue_.reset();
    std::filesystem::remove_all(folder_);
  }

  // A shell script in place of the job program; `event TYPE DATA` writes an event. $2 is the job's id, $4 its folder.
  void Program(const std::string& body, const std::string& name = "worker") {
    const auto file = folder_ / name;
    std::ofstream(file) << "#!/bin/sh\nevent() { printf '{\"type\":\"%s\",\"data\":%s}\\n' \"$1\" \"$2\" >&3; }\n"
                        << body;
    std::filesystem::permissions(file, std::filesystem::perms::owner_all);
  }

  // One row a success in `published`, so that a commit done twice or not at all shows.
  static std::vector<Kind> Kinds() {
    const auto program = [](const boost::json::object& spec) { return GetString(spec, "program", "worker"); };
    const auto commit = [](soci::session& session, const Job& job, boost::json::object& result) -> Status {
      const auto value = static_cast<int>(GetInt(result, "value"));
      session << "INSERT INTO published (job_id, value) VALUES (:id, :value)", soci::use(job.id, "id"),
          soci::use(value, "value");
      if (value < 0) {
        return InvalidArgument("negative values are not published", "value");
      }
      if (value == 77) {
        session << "INSERT INTO nowhere (x) VALUES (1)";
      }
      result["version"] = 1;
      return {};
    };
    return {{"train", program, commit}, {.name = "many", .program = {}, .commit = commit, .advance = AdvanceMany}};
  }

  // spec["count"] jobs of the kind "train", spec["parallel"] at once; the result's value is the sum of theirs.
  static Result<Step> AdvanceMany(const Job& job, std::span<const Job> children) {
    Step step;
    int64_t alive = 0;
    int64_t done = 0;
    int64_t sum = 0;
    for (const Job& child : children) {
      if (child.state == State::kFailed) {
        return child.error.value_or(Error());
      }
      alive += IsFinal(child.state) ? 0 : 1;
      done += child.state == State::kSucceeded ? 1 : 0;
      sum += GetInt(child.result, "value");
    }
    step.progress = {{"done", done}};
    auto number = static_cast<int64_t>(children.size());
    for (; number < GetInt(job.spec, "count") && alive < GetInt(job.spec, "parallel", 1); ++number, ++alive) {
      step.create.push_back({"train", {{"program", GetString(job.spec, "program", "worker")}, {"number", number}}});
    }
    if (done == GetInt(job.spec, "count")) {
      step.result = json::object{{"value", sum}};
    }
    return step;
  }

  Status OpenCatalogue() {
    std::vector<storage::Migration> migrations(Migrations().begin(), Migrations().end());
    migrations.push_back(kPublished);
    ATELIER_ASSIGN(catalogue, storage::OpenSqliteCatalogue(folder_ / "catalogue.db", migrations));
    catalogue_ = std::move(catalogue);
    return {};
  }

  void Start() {
    if (!catalogue_) {
      const Status opened = OpenCatalogue();
      ASSERT_TRUE(opened.ok()) << opened.error().message;
    }
    auto service = Service::Start(*catalogue_, clock_, rng_, Kinds(), options_);
    ASSERT_TRUE(service.ok()) << service.error().message;
    service_ = std::move(*service);
  }

  std::string Create(boost::json::object spec = {}, const std::string& kind = "train") {
    const auto job = service_->Create(kind, std::move(spec));
    EXPECT_TRUE(job.ok()) << (job.ok() ? "" : job.error().message);
    return job.ok() ? job->id : "";
  }

  template <class Condition>
  static bool Eventually(Condition condition, int timeout_ms = 20'000) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
    while (std::chrono::steady_clock::now() < end) {
      if (condition()) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return condition();
  }

  Job Get(const std::string& id) {
    auto job = service_->Get(id);
    EXPECT_TRUE(job.ok());
    return job.ok() ? std::move(*job) : Job{};
  }
  Job Final(const std::string& id) {
    EXPECT_TRUE(Eventually([&] { return IsFinal(Get(id).state); })) << "still " << Name(Get(id).state);
    return Get(id);
  }
  std::vector<Job> Children(const std::string& id) {
    bool has_more = false;
    auto children = service_->List({.parent = id, .limit = 100, .descending = false}, has_more);
    EXPECT_TRUE(children.ok());
    return children.ok() ? std::move(*children) : std::vector<Job>();
  }
  bool Becomes(const std::string& id, State state) {
    return Eventually([&] { return Get(id).state == state; });
  }
  std::vector<Event> AllEvents(const std::string& id) {
    std::vector<Event> all;
    while (true) {
      auto page = service_->Events(id, all.empty() ? 0 : all.back().sequence, 100);
      EXPECT_TRUE(page.ok());
      if (!page.ok() || page->empty()) {
        return all;
      }
      all.insert(all.end(), page->begin(), page->end());
    }
  }
  std::string States(const std::string& id) {
    std::string states;
    for (const Event& event : AllEvents(id)) {
      if (event.type == "state") {
        states += (states.empty() ? "" : " ") + GetString(event.data, "state");
      }
    }
    return states;
  }
  int Published() {
    int count = -1;
    EXPECT_TRUE(catalogue_
                    ->Read([&](soci::session& session) -> Status {
                      session << "SELECT COUNT(*) FROM published", soci::into(count);
                      return {};
                    })
                    .ok());
    return count;
  }
  std::string ReadFile(const std::filesystem::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  }
  // Whether a process is there and not merely waiting to be reaped.
  static bool Alive(const std::string& pid) {
    std::ifstream stat("/proc/" + pid + "/stat");
    std::string number;
    std::string name;
    std::string state;
    return (stat >> number >> name >> state) && state != "Z" && state != "X";
  }

  std::filesystem::path folder_;
  SystemClock clock_;
  SystemRng rng_;
  Options options_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  std::unique_ptr<Service> service_;
};

}  // namespace atelier::jobs
