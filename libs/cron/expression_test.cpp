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

TEST_CASE("special days are told apart, in any case and in lists") {
  const Expression month = Of("0 0 0 5,L,l-3,15W,LW,l-2w * ?");
  CHECK(month.days == Bits({5}));
  CHECK(month.days_before_last == Bits({0, 3}));
  CHECK(month.workdays_nearest == Bits({15}));
  CHECK(month.workdays_nearest_to_last == Bits({0, 2}));
  CHECK(month.days_restricted);
  CHECK(month.special_days);
  const Expression week = Of("0 0 0 ? * SAT,MON#1,0#5,7#2,friL,2l");
  CHECK(week.weekdays == Bits({6}));
  CHECK(week.nth_weekdays == Bits({1, 28, 7}));
  CHECK(week.last_weekdays == Bits({5, 2}));
  CHECK(week.weekdays_restricted);
  CHECK_FALSE(Of("0 0 0 1 * MON").special_days);
}

TEST_CASE("macros are six fields with a name") {
  for (const auto& [macro, fields] : {std::pair{"@yearly", "0 0 0 1 1 *"},
                                      {"@ANNUALLY", "0 0 0 1 1 ?"},
                                      {"@monthly", "0 0 0 1 * *"},
                                      {"@weekly", "0 0 0 * * SUN"},
                                      {"@daily", "0 0 0 * * *"},
                                      {" @Midnight ", "0 0 0 * * *"},
                                      {"@hourly", "0 0 * * * *"}}) {
    CAPTURE(macro);
    const Expression left = Of(macro);
    const Expression right = Of(fields);
    CHECK(left.seconds == right.seconds);
    CHECK(left.minutes == right.minutes);
    CHECK(left.hours == right.hours);
    CHECK(left.days == right.days);
    CHECK(left.months == right.months);
    CHECK(left.weekdays == right.weekdays);
    CHECK(left.days_restricted == right.days_restricted);
    CHECK(left.weekdays_restricted == right.weekdays_restricted);
  }
}

TEST_CASE("@every takes units in falling order, one second to 366 days") {
  CHECK(Of("@every 90s").every_seconds == 90);
  CHECK(Of("@EVERY 1h30m").every_seconds == 5400);
  CHECK(Of("@every 1d2H3m4s").every_seconds == 93'784);
  CHECK(Of("@every 366d").every_seconds == kEveryMaxSeconds);
  CHECK(FiresEveryHour(Of("@every 7d")));  // Clock changes do not concern it.
}

struct Mistake {
  const char* text;
  const char* field;
  const char* position;
  const char* mistake;
  const char* why;
};

TEST_CASE("a mistake is refused with its field, its position and the reason") {
  const Mistake mistakes[] = {
      {"", "", "0", "FIELD_COUNT", "six fields are needed, seconds first; there are 0"},
      {"*/5 * * * *", "", "11", "FIELD_COUNT", "six fields are needed, seconds first; there are 5"},
      {"0 0 0 * * * 2026", "", "12", "FIELD_COUNT", "six fields are needed, seconds first; there are 7"},
      {"60 0 0 * * *", "second", "0", "VALUE_OUT_OF_RANGE", "a value is 0 to 59"},
      {"0 0,61 0 * * *", "minute", "4", "VALUE_OUT_OF_RANGE", "a value is 0 to 59"},
      {"0 0 24 * * *", "hour", "4", "VALUE_OUT_OF_RANGE", "a value is 0 to 23"},
      {"0 0 0 0 * *", "day_of_month", "6", "VALUE_OUT_OF_RANGE", "a value is 1 to 31"},
      {"0 0 0 1 13 *", "month", "8", "VALUE_OUT_OF_RANGE", "a value is 1 to 12"},
      {"0 0 0 * * 8", "day_of_week", "10", "VALUE_OUT_OF_RANGE", "a value is 0 to 7"},
      {"0 0 0 * FOO *", "month", "8", "UNKNOWN_NAME", "no such name"},
      {"0 0 MON * * *", "hour", "4", "NOT_A_NUMBER", "not a number"},
      {"0 */0 * * * *", "minute", "4", "STEP_OUT_OF_RANGE", "a step is 1 to 59"},
      {"0 */60 * * * *", "minute", "4", "STEP_OUT_OF_RANGE", "a step is 1 to 59"},
      {"0 */ * * * *", "minute", "4", "NUMBER_MISSING", "a number is missing"},
      {"0 10-5 * * * *", "minute", "2", "RANGE_BACKWARDS", "the range runs backwards"},
      {"0 0 0 * * FRI-MON", "day_of_week", "10", "RANGE_BACKWARDS", "the range runs backwards"},
      {"0 1, * * * *", "minute", "4", "NUMBER_MISSING", "a number is missing"},
      {"0 0 0 * * 1,", "day_of_week", "12", "NUMBER_MISSING", "a number is missing"},
      {"0 1-2-3 * * * *", "minute", "5", "UNEXPECTED_CHARACTER", "not a value, range, step or list"},
      {"0 99999 * * * *", "minute", "6", "NUMBER_TOO_LONG", "a number is too long"},
      {"0 ? * * * *", "minute", "2", "NUMBER_MISSING", "a number is missing"},
      {"0 -1 * * * *", "minute", "2", "NUMBER_MISSING", "a number is missing"},
      {"0 0 0 * * MONDAY", "day_of_week", "13", "UNEXPECTED_CHARACTER", "not a value, range, step or list"},
      {"0 0 0 1,? * *", "day_of_month", "8", "QUESTION_MARK_NOT_ALONE", "? stands alone in its field"},
      {"0 0 0 ? * ?/2", "day_of_week", "10", "QUESTION_MARK_NOT_ALONE", "? stands alone in its field"},
      {"0 0 L * * *", "hour", "4", "NOT_A_NUMBER", "not a number"},
      {"0 0 0 L-0 * *", "day_of_month", "8", "OFFSET_OUT_OF_RANGE", "L-n takes 1 to 30"},
      {"0 0 0 L-31 * *", "day_of_month", "8", "OFFSET_OUT_OF_RANGE", "L-n takes 1 to 30"},
      {"0 0 0 L- * *", "day_of_month", "8", "NUMBER_MISSING", "a number is missing"},
      {"0 0 0 L/2 * *", "day_of_month", "7", "UNEXPECTED_CHARACTER", "not a value, range, step or list"},
      {"0 0 0 1-5W * *", "day_of_month", "9", "UNEXPECTED_CHARACTER", "not a value, range, step or list"},
      {"0 0 0 W * *", "day_of_month", "6", "NOT_A_NUMBER", "not a number"},
      {"0 0 0 ? * L", "day_of_week", "10", "L_WITHOUT_DAY", "L follows a day of the week, as in 5L"},
      {"0 0 0 ? * 1#6", "day_of_week", "12", "NTH_OUT_OF_RANGE", "d#n takes 1 to 5"},
      {"0 0 0 ? * MON#0", "day_of_week", "14", "NTH_OUT_OF_RANGE", "d#n takes 1 to 5"},
      {"0 0 0 ? * 1-5#2", "day_of_week", "13", "UNEXPECTED_CHARACTER", "not a value, range, step or list"},
      {"@never", "", "0", "UNKNOWN_MACRO", "macros are @yearly, @monthly, @weekly, @daily, @hourly and @every"},
      {"@daily 5", "", "7", "FIELD_COUNT", "nothing may follow a macro"},
      {"@every", "", "6", "BAD_DURATION", "@every needs a duration, e.g. 1h30m"},
      {"@every 1h 5m", "", "10", "FIELD_COUNT", "nothing may follow a macro"},
      {"@every 5x", "", "8", "BAD_DURATION", "units are d, h, m and s, each once, in this order"},
      {"@every 5m1h", "", "10", "BAD_DURATION", "units are d, h, m and s, each once, in this order"},
      {"@every 5", "", "8", "BAD_DURATION", "units are d, h, m and s, each once, in this order"},
      {"@every h", "", "7", "BAD_DURATION", "a number is missing"},
      {"@every 0s", "", "7", "BAD_DURATION", "an interval is 1 s to 366 days"},
      {"@every 366d1s", "", "7", "BAD_DURATION", "an interval is 1 s to 366 days"},
      {"@every 123456789s", "", "7", "BAD_DURATION", "a number is too long"},
  };
  for (const Mistake& mistake : mistakes) {
    CAPTURE(mistake.text);
    const auto expression = Parse(mistake.text);
    REQUIRE_FALSE(expression.ok());
    CHECK(base::ReasonOf(expression.status()) == "BAD_CRON");
    const auto metadata = base::MetadataOf(expression.status());
    CHECK(metadata.at("field") == mistake.field);
    CHECK(metadata.at("position") == mistake.position);
    CHECK(metadata.at("mistake") == mistake.mistake);
    CHECK(metadata.at("why") == mistake.why);
  }
}

TEST_CASE("a day that no month of the expression has is refused by a name of its own") {
  for (const char* text :
       {"0 0 0 30 FEB *", "0 0 0 31 4,6 ?", "0 0 0 L-29 2 *", "0 0 0 31W 9 *", "0 0 0 L-30W APR ?"}) {
    CAPTURE(text);
    const auto expression = Parse(text);
    REQUIRE_FALSE(expression.ok());
    CHECK(base::ReasonOf(expression.status()) == "CRON_NEVER_FIRES");
    const auto metadata = base::MetadataOf(expression.status());
    CHECK(metadata.at("field") == "day_of_month");
    CHECK(metadata.at("position") == "6");
    CHECK(metadata.at("mistake") == "DAY_NEVER_COMES");
  }
  // These do come, if seldom.
  for (const char* text : {"0 0 0 29 2 *", "0 0 0 L-28 2 *", "0 0 0 29W 2 *", "0 0 0 ? 2 SUN#5", "0 0 0 30 2 MON"}) {
    CAPTURE(text);
    CHECK(Parse(text).ok());
  }
}

TEST_CASE("256 characters are parsed and 257 refused") {
  const std::string longest = "0 0 0 * * *" + std::string(kExpressionMax - 11, ' ');
  CHECK(Parse(longest).ok());
  CHECK(base::MetadataOf(Parse(longest + " ").status())["why"] == "longer than 256 characters");
}

}  // namespace
}  // namespace voltwell::cron
