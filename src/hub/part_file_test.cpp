#include "hub/part_file.h"

#include <gtest/gtest.h>

#include <fstream>

#include "storage/test_folder.h"

namespace atelier::hub {
namespace {

class PartFileTest : public ::testing::Test {
 protected:
  std::unique_ptr<PartFile> Open(const Identity& identity, uint64_t part_bytes = 4) {
    auto file = PartFile::Open(path_, identity, part_bytes);
    EXPECT_TRUE(file.ok());
    return std::move(file).value();
  }
  void Journal(const std::string& text) { std::ofstream(path_.string() + ".json") << text; }

  storage::TestFolder folder_;
  std::filesystem::path path_ = folder_ / "file";
};

TEST_F(PartFileTest, GoesOnWithWhatWasSaved) {
  {
    auto file = Open({10, "\"a\""});
    auto first = file->Take().value();
    auto second = file->Take().value();
    ASSERT_TRUE(file->Write(second, "efgh").ok());
    ASSERT_TRUE(file->Write(first, "ab").ok());
    ASSERT_TRUE(file->Save().ok());
    ASSERT_TRUE(file->Write(first, "c").ok());  // not counted
  }
  auto file = Open({10, "\"a\""}, 7);  // the parts stay as they were
  EXPECT_EQ(file->done_bytes(), 6U);
  auto first = file->Take().value();
  EXPECT_EQ(first.begin, 2U);
  EXPECT_EQ(first.end, 4U);
  auto third = file->Take().value();
  EXPECT_EQ(third.begin, 8U);
  EXPECT_EQ(third.end, 10U);
  EXPECT_FALSE(file->Take().has_value());
  file->Return(third);
  EXPECT_TRUE(file->Take().has_value());
  ASSERT_TRUE(file->Write(first, "cd").ok());
  ASSERT_TRUE(file->Write(third, "ij").ok());
  ASSERT_TRUE(file->Finish().ok());
  std::ifstream stream(path_);
  std::string text;
  stream >> text;
  EXPECT_EQ(text, "abcdefghij");
  EXPECT_FALSE(std::filesystem::exists(path_.string() + ".json"));
}

TEST_F(PartFileTest, BeginsAnewWhereTheSourceIsAnother) {
  {
    auto file = Open({10, "\"a\""});
    auto part = file->Take().value();
    ASSERT_TRUE(file->Write(part, "abcd").ok());
    ASSERT_TRUE(file->Save().ok());
  }
  EXPECT_EQ(Open({10, "\"a\""})->done_bytes(), 4U);
  EXPECT_EQ(Open({10, "\"b\""})->done_bytes(), 0U);
}

TEST_F(PartFileTest, BelievesNoBrokenJournal) {
  const std::string head = R"({"size":10,"etag":"a","part_bytes":)";
  for (const auto& tail : {R"(4,"done":[4,4]})", R"(4,"done":[5,0,0]})", R"(4,"done":[-1,0,0]})",
                           R"(4,"done":[0,0,3]})", R"(0,"done":[]})", R"(-1,"done":[1]})", R"(4,"done":"x"})", "4"}) {
    Open({10, "a"});
    Journal(head + tail);
    EXPECT_EQ(Open({10, "a"})->done_bytes(), 0U) << tail;
  }
  Journal(head + R"(4,"done":[4,0,2]})");
  EXPECT_EQ(Open({10, "a"})->done_bytes(), 6U);
}

TEST_F(PartFileTest, RefusesWhatTheDiskCannotHold) {
  const auto file = PartFile::Open(path_, {uint64_t{1} << 60U, ""}, 4);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().code, Code::kResourceExhausted);
  EXPECT_TRUE(Open({0, ""})->Finish().ok());  // and an empty file is one
}

}  // namespace
}  // namespace atelier::hub
