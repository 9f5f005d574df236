// Due times by hand: ordinary days, ends of months and years, and both changes of the clock.
#include "libs/cron/next.h"
#include "libs/testing/allocations.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

namespace voltwell::cron {
namespace {

absl::TimeZone Load(const char* name) {
  absl::TimeZone zone;
  REQUIRE(absl::LoadTimeZone(name, &zone));
  return zone;
}

absl::Time At(const char* text) {
  absl::Time time;
  std::string error;
  REQUIRE(absl::ParseTime(absl::RFC3339_full, text, &time, &error));
  return time;
}

// The next `count` due times as local time with offset.
std::vector<std::string> Due(const char* text, const char* after, const char* zone_name, size_t count,
                             DstRule rule = {}) {
  const auto expression = Parse(text);
  REQUIRE(expression.ok());
  const absl::TimeZone zone = Load(zone_name);
  const Zone table(zone);
  std::vector<std::string> due;
  absl::Time at = At(after);
  for (size_t i = 0; i < count; ++i) {
    const auto next = Next(*expression, at, table, rule);
    REQUIRE(next.has_value());
    REQUIRE(*next > at);
    at = *next;
    due.push_back(absl::FormatTime("%Y-%m-%d %H:%M:%S%Ez", at, zone));
  }
  return due;
}

using Times = std::vector<std::string>;
constexpr DstRule kSkipOnce = {DstRule::Gap::kSkip, DstRule::Overlap::kOnce};
constexpr DstRule kEndOnce = {DstRule::Gap::kAtGapEnd, DstRule::Overlap::kOnce};
constexpr DstRule kEndTwice = {DstRule::Gap::kAtGapEnd, DstRule::Overlap::kTwice};

TEST_CASE("the next quarter of an hour, strictly after now") {
  CHECK(Due("0 */15 * * * *", "2026-11-22T09:00:00Z", "UTC", 3) ==
        Times{"2026-11-22 09:15:00+00:00", "2026-11-22 09:30:00+00:00", "2026-11-22 09:45:00+00:00"});
  CHECK(Due("0 0 9 * * *", "2026-11-22T08:59:59.5Z", "UTC", 1) == Times{"2026-11-22 09:00:00+00:00"});
}

TEST_CASE("days, months and years roll over") {
  CHECK(Due("30 59 23 31 12 *", "2026-12-31T23:59:30Z", "UTC", 1) == Times{"2027-12-31 23:59:30+00:00"});
  CHECK(Due("0 0 0 31 * *", "2026-01-31T00:00:00Z", "UTC", 2) ==
        Times{"2026-03-31 00:00:00+00:00", "2026-05-31 00:00:00+00:00"});
  CHECK(Due("0 0 0 29 2 *", "2026-01-01T00:00:00Z", "UTC", 2) ==
        Times{"2028-02-29 00:00:00+00:00", "2032-02-29 00:00:00+00:00"});
  CHECK(Due("0 0 0 29 2 *", "2096-03-01T00:00:00Z", "UTC", 1) == Times{"2104-02-29 00:00:00+00:00"});
}

TEST_CASE("with both day fields restricted either decides, with one that one") {
  CHECK(Due("0 0 0 13 * FRI", "2026-11-01T00:00:00Z", "UTC", 3) ==
        Times{"2026-11-06 00:00:00+00:00", "2026-11-13 00:00:00+00:00", "2026-11-20 00:00:00+00:00"});
  CHECK(Due("0 0 0 1 * MON", "2026-11-24T00:00:00Z", "UTC", 3) ==
        Times{"2026-11-30 00:00:00+00:00", "2026-12-01 00:00:00+00:00", "2026-12-07 00:00:00+00:00"});
  CHECK(Due("0 0 0 ? * SUN", "2026-11-22T00:00:00Z", "UTC", 1) == Times{"2026-11-29 00:00:00+00:00"});
}

TEST_CASE("the last day, days before it and the last working day follow the month") {
  CHECK(Due("0 0 0 L * ?", "2028-01-31T00:00:00Z", "UTC", 3) ==
        Times{"2028-02-29 00:00:00+00:00", "2028-03-31 00:00:00+00:00", "2028-04-30 00:00:00+00:00"});
  CHECK(Due("0 0 0 L-29 * ?", "2026-01-03T00:00:00Z", "UTC", 2) ==
        Times{"2026-03-02 00:00:00+00:00", "2026-04-01 00:00:00+00:00"});
  // 31 January 2026 is a Saturday, 28 February too, 31 May a Sunday.
  CHECK(Due("0 0 0 LW * ?", "2026-01-01T00:00:00Z", "UTC", 5) ==
        Times{"2026-01-30 00:00:00+00:00", "2026-02-27 00:00:00+00:00", "2026-03-31 00:00:00+00:00",
              "2026-04-30 00:00:00+00:00", "2026-05-29 00:00:00+00:00"});
}

TEST_CASE("the nearest working day stays in its month") {
  // 1 August 2026 is a Saturday, 1 November a Sunday; 31 October a Saturday, 31 May a Sunday.
  CHECK(Due("0 0 0 1W 8,11 ?", "2026-01-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-08-03 00:00:00+00:00", "2026-11-02 00:00:00+00:00"});
  CHECK(Due("0 0 0 31W 4,5,10 ?", "2026-01-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-05-29 00:00:00+00:00", "2026-10-30 00:00:00+00:00"});
  CHECK(Due("0 0 0 15W * ?", "2026-08-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-08-14 00:00:00+00:00", "2026-09-15 00:00:00+00:00"});
}

TEST_CASE("the n-th and the last of a day of the week") {
  CHECK(Due("0 0 0 ? * FRI#2", "2026-05-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-05-08 00:00:00+00:00", "2026-06-12 00:00:00+00:00"});
  CHECK(Due("0 0 0 ? * SUN#5", "2026-01-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-03-29 00:00:00+00:00", "2026-05-31 00:00:00+00:00"});
  CHECK(Due("0 0 0 ? * 5L", "2026-01-01T00:00:00Z", "UTC", 2) ==
        Times{"2026-01-30 00:00:00+00:00", "2026-02-27 00:00:00+00:00"});
  CHECK(Due("0 0 0 L * MON#1", "2026-01-01T00:00:00Z", "UTC", 3) ==
        Times{"2026-01-05 00:00:00+00:00", "2026-01-31 00:00:00+00:00", "2026-02-02 00:00:00+00:00"});
  // 29 February 2032 and 2060 are Sundays; after 2088 comes 2128, since 2100 has no leap day.
  CHECK(Due("0 0 0 ? 2 SUN#5", "2026-01-01T00:00:00Z", "UTC", 4) ==
        Times{"2032-02-29 00:00:00+00:00", "2060-02-29 00:00:00+00:00", "2088-02-29 00:00:00+00:00",
              "2128-02-29 00:00:00+00:00"});
}

TEST_CASE("an interval counts from 1970 in every zone and through both changes of the clock") {
  CHECK(Due("@every 90m", "2026-03-28T23:59:00Z", "Europe/Berlin", 3, kSkipOnce) ==
        Times{"2026-03-29 01:00:00+01:00", "2026-03-29 03:30:00+02:00", "2026-03-29 05:00:00+02:00"});
  CHECK(Due("@every 1h", "2026-10-24T23:59:59Z", "Europe/Berlin", 3, kEndOnce) ==
        Times{"2026-10-25 02:00:00+02:00", "2026-10-25 02:00:00+01:00", "2026-10-25 03:00:00+01:00"});
  CHECK(Due("@every 7s", "1969-12-31T23:59:52Z", "UTC", 3) ==
        Times{"1969-12-31 23:59:53+00:00", "1970-01-01 00:00:00+00:00", "1970-01-01 00:00:07+00:00"});
}

TEST_CASE("local time of a zone without changes") {
  CHECK(Due("0 0 0 * * *", "2026-11-22T15:59:59Z", "Asia/Shanghai", 2) ==
        Times{"2026-11-23 00:00:00+08:00", "2026-11-24 00:00:00+08:00"});
}

// Berlin, 2026-03-29: 02:00 becomes 03:00. New York, 2026-03-08: likewise.
TEST_CASE("a time in the gap is skipped or due at its end, as the rule says") {
  CHECK(Due("0 30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 2, kSkipOnce) ==
        Times{"2026-03-30 02:30:00+02:00", "2026-03-31 02:30:00+02:00"});
  CHECK(Due("0 30 2 * * *", "2026-03-28T12:00:00Z", "Europe/Berlin", 2, kEndOnce) ==
        Times{"2026-03-29 03:00:00+02:00", "2026-03-30 02:30:00+02:00"});
  CHECK(Due("0 30 2 * * *", "2026-03-07T12:00:00Z", "America/New_York", 2, kEndOnce) ==
        Times{"2026-03-08 03:00:00-04:00", "2026-03-09 02:30:00-04:00"});
}

TEST_CASE("several times in the gap are due once at its end, also when that end is due itself") {
  CHECK(Due("0 */20 2,3 * * *", "2026-03-29T00:50:00Z", "Europe/Berlin", 3, kEndOnce) ==
        Times{"2026-03-29 03:00:00+02:00", "2026-03-29 03:20:00+02:00", "2026-03-29 03:40:00+02:00"});
  CHECK(Due("0 0,20 2 * * *", "2026-03-29T00:50:00Z", "Europe/Berlin", 2, kEndOnce) ==
        Times{"2026-03-29 03:00:00+02:00", "2026-03-30 02:00:00+02:00"});
}

TEST_CASE("an hourly schedule goes through the gap without a hole and without a double") {
  CHECK(Due("0 0 * * * *", "2026-03-29T00:30:00Z", "Europe/Berlin", 2, kSkipOnce) ==
        Times{"2026-03-29 03:00:00+02:00", "2026-03-29 04:00:00+02:00"});
}

// Berlin, 2026-10-25: 03:00 becomes 02:00. New York, 2026-11-01: 02:00 becomes 01:00.
TEST_CASE("a time in the overlap is due once or twice, as the rule says") {
  CHECK(Due("0 30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2, kEndOnce) ==
        Times{"2026-10-25 02:30:00+02:00", "2026-10-26 02:30:00+01:00"});
  CHECK(Due("0 30 2 * * *", "2026-10-24T12:00:00Z", "Europe/Berlin", 2, kEndTwice) ==
        Times{"2026-10-25 02:30:00+02:00", "2026-10-25 02:30:00+01:00"});
  CHECK(Due("0 30 1 * * *", "2026-10-31T12:00:00Z", "America/New_York", 3, kEndTwice) ==
        Times{"2026-11-01 01:30:00-04:00", "2026-11-01 01:30:00-05:00", "2026-11-02 01:30:00-05:00"});
}

TEST_CASE("asked within the repeated hour, once stays once") {
  CHECK(Due("0 30 2 * * *", "2026-10-25T01:10:00Z", "Europe/Berlin", 1, kEndOnce) ==
        Times{"2026-10-26 02:30:00+01:00"});
  CHECK(Due("0 30 2 * * *", "2026-10-25T01:10:00Z", "Europe/Berlin", 1, kEndTwice) ==
        Times{"2026-10-25 02:30:00+01:00"});
}

TEST_CASE("every minute twice has no hole in the repeated hour, once rests for it") {
  CHECK(Due("0 * * * * *", "2026-10-25T00:59:00Z", "Europe/Berlin", 1, kEndTwice) ==
        Times{"2026-10-25 02:00:00+01:00"});
  CHECK(Due("0 * * * * *", "2026-10-25T00:59:00Z", "Europe/Berlin", 1, kEndOnce) == Times{"2026-10-25 03:00:00+01:00"});
}

TEST_CASE("finding the next time allocates nothing") {
  const Zone zone(Load("Europe/Berlin"));
  const Expression expression = *Parse("0 30 2 L-3W,15W,LW 3,10 MON#2,FRIL");
  absl::Time at = At("2026-01-01T00:00:00Z");
  const size_t before = testing::allocations;
  for (int i = 0; i < 100; ++i) at = *Next(expression, at, zone);
  CHECK(testing::allocations == before);
  CHECK(at > At("2030-01-01T00:00:00Z"));
}

TEST_CASE("beyond the year 9999 nothing is due") {
  const Zone utc((absl::UTCTimeZone()));
  const absl::Time late = absl::FromCivil(absl::CivilSecond(9999, 12, 31, 23, 59, 59), absl::UTCTimeZone());
  CHECK_FALSE(Next(*Parse("0 0 0 1 1 *"), late, utc).has_value());
  CHECK_FALSE(Next(*Parse("0 0 0 1 1 *"), absl::InfiniteFuture(), utc).has_value());
  CHECK(Next(*Parse("0 0 0 1 1 *"), absl::InfinitePast(), utc).has_value());
}

}  // namespace
}  // namespace voltwell::cron
