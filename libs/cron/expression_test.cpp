// What is a cron expression, and where the mistake stands when it is none.
#include "libs/cron/expression.h"

#include <catch2/catch.hpp>
#include <string>

#include "libs/base/status.h"

namespace voltwell::cron {
namespace {

Expression Of(absl::string_view text) {
  const auto expression = Parse(text);
  INFO(text << ": " << expression.status());
  REQUIRE(expression.ok());
  return *expression;
}

uint64_t Bits(std::initializer_list<int> values) {
  uint64_t mask = 0;
  for (const int value : values) mask |= uint64_t{1} << value;
  return mask;
}

TEST_CASE("values, ranges, steps and lists become masks") {
  CHECK(Of("0 0 0 * * *").seconds == Bits({0}));
  CHECK(Of("0 */15 * * * *").minutes == Bits({0, 15, 30, 45}));
  CHECK(Of("0 5/20 * * * *").minutes == Bits({5, 25, 45}));
  CHECK(Of("0 0 8-10,12,20-23/2 * * *").hours == Bits({8, 9, 10, 12, 20, 22}));
  CHECK(Of("* * * * * *").seconds == (uint64_t{1} << 60) - 1);
  CHECK(Of("\t0  0 0\t1 1 * ").days == Bits({1}));
}

TEST_CASE("months and days of the week may be named, in any case") {
  CHECK(Of("0 0 0 1 JAN,mar-May *").months == Bits({1, 3, 4, 5}));
  CHECK(Of("0 0 0 ? * MON-fri").weekdays == Bits({1, 2, 3, 4, 5}));
}

TEST_CASE("0 and 7 are Sunday, and a step over all days counts Sunday once") {
  CHECK(Of("0 0 0 * * 0").weekdays == Bits({0}));
  CHECK(Of("0 0 0 * * 7").weekdays == Bits({0}));
  CHECK(Of("0 0 0 * * 5-7").weekdays == Bits({0, 5, 6}));
  CHECK(Of("0 0 0 * * */3").weekdays == Bits({0, 3, 6}));
  CHECK(Of("0 0 0 * * *").weekdays == 0x7F);
}

TEST_CASE("a day field is restricted unless it is a star or question mark") {
  CHECK_FALSE(Of("0 0 0 * * MON").days_restricted);
  CHECK_FALSE(Of("0 0 0 ? * MON").days_restricted);
  CHECK(Of("0 0 0 ? * MON").weekdays_restricted);
  CHECK(Of("0 0 0 */2 * ?").days_restricted);
  CHECK_FALSE(Of("0 0 0 1 * ?").weekdays_restricted);
}

struct Mistake {
  const char* text;
  const char* field;
  const char* position;
  const char* why;
};

TEST_CASE("a mistake is refused with its field, its position and the reason") {
  const Mistake mistakes[] = {
      {"", "", "0", "six fields are needed, seconds first; there are 0"},
      {"*/5 * * * *", "", "11", "six fields are needed, seconds first; there are 5"},
      {"0 0 0 * * * 2026", "", "12", "six fields are needed, seconds first; there are 7"},
      {"60 0 0 * * *", "second", "0", "a value is 0 to 59"},
      {"0 0,61 0 * * *", "minute", "4", "a value is 0 to 59"},
      {"0 0 24 * * *", "hour", "4", "a value is 0 to 23"},
      {"0 0 0 0 * *", "day_of_month", "6", "a value is 1 to 31"},
      {"0 0 0 1 13 *", "month", "8", "a value is 1 to 12"},
      {"0 0 0 * * 8", "day_of_week", "10", "a value is 0 to 7"},
      {"0 0 0 * FOO *", "month", "8", "no such name"},
      {"0 0 MON * * *", "hour", "4", "not a number"},
      {"0 */0 * * * *", "minute", "4", "a step is 1 to 59"},
      {"0 */60 * * * *", "minute", "4", "a step is 1 to 59"},
      {"0 */ * * * *", "minute", "4", "a number is missing"},
      {"0 10-5 * * * *", "minute", "2", "the range runs backwards"},
      {"0 0 0 * * FRI-MON", "day_of_week", "10", "the range runs backwards"},
      {"0 1, * * * *", "minute", "4", "a number is missing"},
      {"0 1-2-3 * * * *", "minute", "5", "not a value, range, step or list"},
      {"0 99999 * * * *", "minute", "6", "a number is too long"},
      {"0 ? * * * *", "minute", "2", "a number is missing"},
      {"0 -1 * * * *", "minute", "2", "a number is missing"},
      {"0 0 0 30 FEB *", "day_of_month", "6", "the day never comes in these months"},
      {"0 0 0 31 4,6 ?", "day_of_month", "6", "the day never comes in these months"},
      {"0 0 0 * * MONDAY", "day_of_week", "13", "not a value, range, step or list"},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.text);
    const auto expression = Parse(mistake.text);
    REQUIRE_FALSE(expression.ok());
    CHECK(base::ReasonOf(expression.status()) == "BAD_CRON");
    const auto metadata = base::MetadataOf(expression.status());
    CHECK(metadata.at("field") == mistake.field);
    CHECK(metadata.at("position") == mistake.position);
    CHECK(metadata.at("why") == mistake.why);
  }
}

TEST_CASE("256 characters are parsed and 257 refused") {
  const std::string longest = "0 0 0 * * *" + std::string(kExpressionMax - 11, ' ');
  CHECK(Parse(longest).ok());
  CHECK(base::MetadataOf(Parse(longest + " ").status())["why"] == "longer than 256 characters");
}

}  // namespace
}  // namespace voltwell::cron
