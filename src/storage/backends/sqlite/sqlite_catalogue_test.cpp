#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <fstream>
#include <latch>
#include <thread>

#include "storage/backends/sqlite/group_writer.h"
#include "storage/backends/sqlite/session.h"
#include "storage/catalogue.h"
#include "storage/test_folder.h"

namespace atelier::storage {
namespace {

constexpr std::string_view kNotes = R"sql(
CREATE TABLE notes (id BIGINT NOT NULL PRIMARY KEY, text TEXT NOT NULL UNIQUE);
CREATE TABLE words (note BIGINT NOT NULL REFERENCES notes (id), word TEXT NOT NULL);
)sql";
constexpr std::array<Migration, 1> kFirst{{{"notes", 1, kNotes}}};
constexpr std::array<Migration, 2> kSecond{
    {{"notes", 1, kNotes}, {"notes", 2, "ALTER TABLE notes ADD COLUMN mark TEXT NOT NULL DEFAULT 'none';"}}};

Status InsertNote(soci::session& session, int64_t id, const std::string& text) {
  session << "INSERT INTO notes (id, text) VALUES (:id, :text)", soci::use(id), soci::use(text);
  return {};
}

int64_t CountNotes(Catalogue& catalogue) {
  int64_t count = -1;
  EXPECT_TRUE(catalogue
                  .Read([&](soci::session& session) -> Status {
                    session << "SELECT COUNT(*) FROM notes", soci::into(count);
                    return {};
                  })
                  .ok());
  return count;
}

class SqliteCatalogueTest : public testing::Test {
 protected:
  void SetUp() override { Open(kFirst); }
  void Open(std::span<const Migration> migrations) {
    catalogue_.reset();
    auto opened = OpenSqliteCatalogue(File(), migrations);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    catalogue_ = std::move(opened).value();
  }
  std::filesystem::path File() const { return folder_ / "cata logue.db"; }
  Status Insert(int64_t id, const std::string& text) {
    return catalogue_->Write([&](soci::session& session) { return InsertNote(session, id, text); });
  }

  TestFolder folder_;
  std::unique_ptr<Catalogue> catalogue_;
};

TEST_F(SqliteCatalogueTest, WhatIsWrittenIsReadAndStays) {
  ASSERT_TRUE(Insert(1, "one").ok());
  EXPECT_EQ(CountNotes(*catalogue_), 1);
  Open(kFirst);
  EXPECT_EQ(CountNotes(*catalogue_), 1);
}

TEST_F(SqliteCatalogueTest, IsDurableAndPrivate) {
  std::string journal;
  int synchronous = 0;
  int foreign_keys = 0;
  ASSERT_TRUE(catalogue_
                  ->Write([&](soci::session& session) -> Status {
                    session << "PRAGMA journal_mode", soci::into(journal);
                    session << "PRAGMA synchronous", soci::into(synchronous);
                    session << "PRAGMA foreign_keys", soci::into(foreign_keys);
                    return InsertNote(session, 1, "one");
                  })
                  .ok());
  EXPECT_EQ(journal, "wal");
  EXPECT_EQ(synchronous, 2);  // FULL
  EXPECT_EQ(foreign_keys, 1);
  for (const auto& file : {File().string(), File().string() + "-wal"}) {
    struct stat info {};
    ASSERT_EQ(stat(file.c_str(), &info), 0) << file;
    EXPECT_EQ(info.st_mode & 0777U, 0600U) << file;
  }
}

TEST_F(SqliteCatalogueTest, TextComesBackAsItWas) {
  const std::string odd = std::string("quote ' \" ; -- \0 zero", 21) + " 中文 🙂";
  ASSERT_TRUE(Insert(1, odd).ok());
  std::string back;
  ASSERT_TRUE(catalogue_
                  ->Read([&](soci::session& session) -> Status {
                    session << "SELECT text FROM notes", soci::into(back);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(back, odd);
}

TEST_F(SqliteCatalogueTest, ErrorsHaveTheirCodesAndUndoTheWork) {
  ASSERT_TRUE(Insert(1, "one").ok());
  const Status same_key = Insert(1, "other");
  EXPECT_EQ(same_key.error().code, Code::kAlreadyExists);
  const Status same_text = Insert(2, "one");
  EXPECT_EQ(same_text.error().code, Code::kAlreadyExists);
  EXPECT_THAT(same_text.error().message, testing::HasSubstr("notes.text"));
  const auto run = [&](const std::string& sql) {
    return catalogue_->Write([&](soci::session& session) -> Status {
      EXPECT_TRUE(InsertNote(session, 5, "five").ok());
      session << sql;
      return {};
    });
  };
  EXPECT_EQ(run("INSERT INTO words VALUES (99, 'orphan')").error().code, Code::kInternal);
  EXPECT_EQ(run("no sql at all").error().code, Code::kInternal);
  const Status own = catalogue_->Write([&](soci::session& session) -> Status {
    EXPECT_TRUE(InsertNote(session, 5, "five").ok());
    return FailedPrecondition("no", "own_reason");
  });
  EXPECT_EQ(own.error().reason, "own_reason");
  EXPECT_EQ(catalogue_->Write([](soci::session&) -> Status { throw 42; }).error().code, Code::kInternal);
  EXPECT_EQ(CountNotes(*catalogue_), 1);
  EXPECT_TRUE(Insert(2, "two").ok());
}

TEST_F(SqliteCatalogueTest, AnErrorDoesNotRepeatParameters) {
  const std::string secret = "a secret value";
  const Status status = catalogue_->Write([&](soci::session& session) -> Status {
    session << "INSERT INTO words (note, word) VALUES (77, :word)", soci::use(secret);
    return {};
  });
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().message, testing::Not(testing::HasSubstr(secret)));
}

TEST_F(SqliteCatalogueTest, AReadChangesNothing) {
  const Status status = catalogue_->Read([](soci::session& session) { return InsertNote(session, 1, "one"); });
  EXPECT_EQ(status.error().code, Code::kInternal);
  EXPECT_EQ(CountNotes(*catalogue_), 0);
  EXPECT_EQ(catalogue_->Read([](soci::session&) -> Status { return NotFound("x", "mine"); }).error().reason, "mine");
}

TEST_F(SqliteCatalogueTest, AReadIsOneSnapshot) {
  const auto count = [](soci::session& session) {
    int64_t value = 0;
    session << "SELECT COUNT(*) FROM notes", soci::into(value);
    return value;
  };
  ASSERT_TRUE(catalogue_
                  ->Read([&](soci::session& session) -> Status {
                    EXPECT_EQ(count(session), 0);
                    std::thread([&] { EXPECT_TRUE(Insert(1, "one").ok()); }).join();
                    EXPECT_EQ(count(session), 0);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(CountNotes(*catalogue_), 1);
}

TEST_F(SqliteCatalogueTest, ManyThreadsWriteAndReadTheirOwnWrites) {
  constexpr int kThreads = 8;
  constexpr int kWrites = 50;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kWrites; ++i) {
        const int64_t id = t * 1000 + i;
        EXPECT_TRUE(Insert(id, std::to_string(id)).ok());
        EXPECT_FALSE(Insert(id, "again " + std::to_string(id)).ok());
        EXPECT_GE(CountNotes(*catalogue_), i + 1);
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(CountNotes(*catalogue_), kThreads * kWrites);
}

TEST_F(SqliteCatalogueTest, MigrationsAreAppliedOnceAndInOrder) {
  ASSERT_TRUE(Insert(1, "one").ok());
  Open(kSecond);
  Open(kSecond);
  std::string mark;
  ASSERT_TRUE(catalogue_
                  ->Read([&](soci::session& session) -> Status {
                    session << "SELECT mark FROM notes WHERE id = 1", soci::into(mark);
                    return {};
                  })
                  .ok());
  EXPECT_EQ(mark, "none");
}

TEST_F(SqliteCatalogueTest, ANewerSchemaIsRefused) {
  Open(kSecond);
  catalogue_.reset();
  const auto older = OpenSqliteCatalogue(File(), kFirst);
  EXPECT_EQ(older.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(older.error().reason, "schema_too_new");
  EXPECT_EQ(OpenSqliteCatalogue(File(), {}).error().reason, "schema_too_new");
  EXPECT_TRUE(OpenSqliteCatalogue(File(), kSecond).ok());
}

TEST_F(SqliteCatalogueTest, AFailingMigrationLeavesTheSchemaAsItWas) {
  constexpr std::array<Migration, 2> broken{
      {{"notes", 1, kNotes}, {"notes", 2, "CREATE TABLE more (x TEXT);\nCREATE NONSENSE;\n"}}};
  EXPECT_FALSE(OpenSqliteCatalogue(folder_ / "fresh.db", broken).ok());
  catalogue_.reset();
  EXPECT_FALSE(OpenSqliteCatalogue(File(), broken).ok());
  Open(kFirst);
  EXPECT_TRUE(Insert(1, "one").ok());
}

TEST(OpenSqliteCatalogueTest, RefusesHolesInMigrations) {
  TestFolder folder;
  constexpr std::array<Migration, 1> hole{{{"notes", 2, kNotes}}};
  EXPECT_EQ(OpenSqliteCatalogue(folder / "c.db", hole).error().code, Code::kInternal);
}

TEST(OpenSqliteCatalogueTest, RefusesWhatIsNoCatalogue) {
  TestFolder folder;
  const std::string text(5000, 'x');
  std::ofstream(folder / "text.db") << text;
  const auto not_database = OpenSqliteCatalogue(folder / "text.db", kFirst);
  EXPECT_EQ(not_database.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(not_database.error().reason, "not_a_catalogue");
  EXPECT_THAT(not_database.error().message, testing::HasSubstr("text.db"));
  std::ifstream back(folder / "text.db");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(back), {}), text);

  {
    soci::session other;
    sqlite::OpenSession(other, folder / "other.db", sqlite::Access::kWrite);
    other << "CREATE TABLE theirs (x TEXT)";
  }
  EXPECT_EQ(OpenSqliteCatalogue(folder / "other.db", kFirst).error().reason, "not_a_catalogue");
  EXPECT_EQ(OpenSqliteCatalogue(folder.path(), kFirst).ok(), false);
  EXPECT_EQ(OpenSqliteCatalogue(folder / "no" / "such.db", kFirst).error().code, Code::kNotFound);
}

TEST(OpenSqliteCatalogueTest, OddPaths) {
  TestFolder folder;
  for (const char* name : {"with = sign.db", "with \"quotes\".db", "readonly=1 timeout=3", "中文.db"}) {
    const auto opened = OpenSqliteCatalogue(folder / name, kFirst);
    ASSERT_TRUE(opened.ok()) << name << ": " << opened.error().message;
    EXPECT_TRUE(std::filesystem::exists(folder.path() / (std::string(name) + "-wal"))) << name;
  }
}

// A child writes rows and tells each acknowledged one; killed in the middle, every told row is there.
TEST(SqliteCatalogueCrashTest, AcknowledgedWritesSurviveAKill) {
  TestFolder folder;
  for (int round = 0; round < 3; ++round) {
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(pipe(pipe_ends.data()), 0);
    const int64_t first = round * 1'000'000;
    const pid_t child = fork();
    if (child == 0) {
      auto own = OpenSqliteCatalogue(folder / "c.db", kFirst);
      for (int64_t id = first;; ++id) {
        const Status status =
            (*own)->Write([&](soci::session& session) { return InsertNote(session, id, std::to_string(id)); });
        if (!status.ok() || write(pipe_ends[1], &id, sizeof id) != sizeof id) {
          _exit(1);
        }
      }
    }
    close(pipe_ends[1]);
    int64_t told = -1;
    for (int i = 0; i < 30 + round; ++i) {
      ASSERT_EQ(read(pipe_ends[0], &told, sizeof told), static_cast<ssize_t>(sizeof told));
    }
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    while (read(pipe_ends[0], &told, sizeof told) == sizeof told) {
    }
    close(pipe_ends[0]);
    auto catalogue = OpenSqliteCatalogue(folder / "c.db", kFirst);
    ASSERT_TRUE(catalogue.ok()) << catalogue.error().message;
    int64_t rows = 0;
    ASSERT_TRUE((*catalogue)
                    ->Read([&](soci::session& session) -> Status {
                      session << "SELECT COUNT(*) FROM notes WHERE id >= :first", soci::into(rows), soci::use(first);
                      return {};
                    })
                    .ok());
    EXPECT_GE(rows, told - first + 1);
    EXPECT_LE(rows, told - first + 2);  // at most the one that was under way
  }
}

class GroupWriterTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(OpenSqliteCatalogue(folder_ / "c.db", kFirst).ok());
    auto session = std::make_unique<soci::session>();
    sqlite::OpenSession(*session, folder_ / "c.db", sqlite::Access::kWrite);
    writer_ = std::make_unique<sqlite::GroupWriter>(std::move(session));
  }
  // Holds the writer's thread until `gate` opens, so that what comes meanwhile makes one batch.
  std::thread Hold(std::latch& held, std::latch& gate) {
    return std::thread([&] {
      EXPECT_TRUE(writer_
                      ->Write([&](soci::session&) -> Status {
                        held.count_down();
                        gate.wait();
                        return {};
                      })
                      .ok());
    });
  }
  int64_t Count() {
    soci::session session;
    sqlite::OpenSession(session, folder_ / "c.db", sqlite::Access::kRead);
    int64_t count = 0;
    session << "SELECT COUNT(*) FROM notes", soci::into(count);
    return count;
  }

  TestFolder folder_;
  std::unique_ptr<sqlite::GroupWriter> writer_;
};

TEST_F(GroupWriterTest, WaitingWritesShareOneCommitAndFailAlone) {
  std::latch held(1);
  std::latch gate(1);
  std::thread holder = Hold(held, gate);
  held.wait();
  std::array<Status, 8> outcomes;
  std::vector<std::thread> threads;
  std::atomic<int> started = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      ++started;
      outcomes.at(static_cast<size_t>(i)) = writer_->Write([&](soci::session& session) -> Status {
        ATELIER_TRY(InsertNote(session, i, std::to_string(i)));
        return i % 4 == 1 ? Status(FailedPrecondition("on purpose"))
                          : InsertNote(session, 100 + i, "b" + std::to_string(i));
      });
    });
  }
  while (started < 8) {
    std::this_thread::yield();
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(100));  // from `started` to the queue
  gate.count_down();
  holder.join();
  for (auto& thread : threads) {
    thread.join();
  }
  for (size_t i = 0; i < 8; ++i) {
    EXPECT_EQ(outcomes.at(i).ok(), i % 4 != 1) << i;
  }
  EXPECT_EQ(Count(), 12);  // both rows of six works
  const auto counts = writer_->counts();
  EXPECT_EQ(counts.writes, 7U);
  EXPECT_LE(counts.commits, 3U);
}

TEST_F(GroupWriterTest, EndsOnlyAfterWhatIsQueued) {
  std::latch held(1);
  std::latch gate(1);
  std::thread holder = Hold(held, gate);
  held.wait();
  std::thread queued(
      [&] { EXPECT_TRUE(writer_->Write([](soci::session& session) { return InsertNote(session, 1, "last"); }).ok()); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  std::thread opener([&] { gate.count_down(); });
  writer_.reset();
  opener.join();
  holder.join();
  queued.join();
  EXPECT_EQ(Count(), 1);
}

TEST_F(GroupWriterTest, AFullDatabaseIsSaidAndRecovers) {
  const Status full = writer_->Write([](soci::session& session) -> Status {
    int64_t limit = 0;
    session << "PRAGMA max_page_count=1", soci::into(limit);  // becomes the pages in use
    return InsertNote(session, 1, std::string(100'000, 'x'));
  });
  EXPECT_EQ(full.error().code, Code::kResourceExhausted);
  EXPECT_EQ(full.error().reason, "storage_full");
  const Status after = writer_->Write([](soci::session& session) -> Status {
    int64_t limit = 0;
    session << "PRAGMA max_page_count=1000000", soci::into(limit);
    return InsertNote(session, 1, "one");
  });
  EXPECT_TRUE(after.ok());
  EXPECT_EQ(Count(), 1);
}

TEST_F(GroupWriterTest, AWorkThatEndsTheTransactionIsRefused) {
  EXPECT_EQ(writer_
                ->Write([](soci::session& session) -> Status {
                  EXPECT_TRUE(InsertNote(session, 1, "one").ok());
                  session << "ROLLBACK";
                  return {};
                })
                .error()
                .code,
            Code::kInternal);
  EXPECT_TRUE(writer_->Write([](soci::session& session) { return InsertNote(session, 2, "two"); }).ok());
  EXPECT_EQ(Count(), 1);
}

TEST_F(GroupWriterTest, ALockOfAnotherProgramIsUnavailable) {
  soci::session other;
  sqlite::OpenSession(other, folder_ / "c.db", sqlite::Access::kWrite);
  other << "BEGIN IMMEDIATE";
  soci::session impatient;
  sqlite::OpenSession(impatient, folder_ / "c.db", sqlite::Access::kWrite);
  impatient << "PRAGMA busy_timeout=1";
  const Status refused = sqlite::Execute(impatient, "BEGIN IMMEDIATE");
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
  EXPECT_EQ(refused.error().reason, "catalogue_busy");
  sqlite::Rollback(other);
}

}  // namespace
}  // namespace atelier::storage
