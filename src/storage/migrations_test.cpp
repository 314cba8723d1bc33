#include "storage/migrations.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atelier::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(SplitStatementsTest, CutsAtLineEndsOnly) {
  EXPECT_THAT(SplitStatements("CREATE TABLE a (x TEXT DEFAULT ';x');\n-- a; comment;\nCREATE INDEX i\n  ON a (x);  \n"),
              ElementsAre("CREATE TABLE a (x TEXT DEFAULT ';x')", "CREATE INDEX i\n  ON a (x)"));
  EXPECT_THAT(SplitStatements("SELECT 1"), ElementsAre("SELECT 1"));
  EXPECT_THAT(SplitStatements("SELECT 1;"), ElementsAre("SELECT 1"));
  EXPECT_THAT(SplitStatements("\r\nSELECT 1;\r\nSELECT 2;\r\n"), ElementsAre("SELECT 1", "SELECT 2"));
}

TEST(SplitStatementsTest, NothingInNothing) {
  EXPECT_THAT(SplitStatements(""), IsEmpty());
  EXPECT_THAT(SplitStatements("  \n-- only a comment;\n"), IsEmpty());
}

}  // namespace
}  // namespace atelier::storage
