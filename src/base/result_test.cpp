#include "base/result.h"

#include <gtest/gtest.h>

#include <memory>

namespace atelier {
namespace {

Result<int> Half(int number) {
  if (number % 2 != 0) {
    return InvalidArgument("odd", "number");
  }
  return number / 2;
}

Result<std::string> Quarter(int number) {
  ATELIER_ASSIGN(half, Half(number));
  ATELIER_ASSIGN(quarter, Half(half));
  return std::to_string(quarter);
}

Status BothEven(int a, int b) {
  ATELIER_TRY(Half(a));
  ATELIER_TRY(Half(b));
  return {};
}

TEST(Result, AssignGivesTheValueOrReturnsTheError) {
  EXPECT_EQ(Quarter(12).value(), "3");
  const auto odd = Quarter(6);
  ASSERT_FALSE(odd.ok());
  EXPECT_EQ(odd.error().code, Code::kInvalidArgument);
  EXPECT_EQ(odd.error().param, "number");
  EXPECT_EQ(odd.error().reason, "invalid_value");
}

TEST(Result, TryReturnsTheFirstError) {
  EXPECT_TRUE(BothEven(2, 4).ok());
  EXPECT_FALSE(BothEven(2, 3));
  EXPECT_EQ(BothEven(1, 4).error().message, "odd");
}

TEST(Result, CarriesWhatCanOnlyMove) {
  Result<std::unique_ptr<int>> result = std::make_unique<int>(7);
  ASSERT_TRUE(result);
  const std::unique_ptr<int> taken = std::move(result).value();
  EXPECT_EQ(*taken, 7);
}

TEST(Result, AnErrorIsNeverAValueEvenWhenTheValueIsAString) {
  const Result<std::string> result = NotFound("gone");
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().code, Code::kNotFound);
}

TEST(Result, UnavailableSaysWhenToRetry) {
  EXPECT_EQ(Unavailable("busy", "overloaded", 3).retry_after_s, 3);
  EXPECT_FALSE(NotFound("gone").retry_after_s.has_value());
}

}  // namespace
}  // namespace atelier
