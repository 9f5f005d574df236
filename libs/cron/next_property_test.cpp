// Random expressions against a brute-force oracle that asks the time zone library about every second.
#include <catch2/catch.hpp>
#include <random>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "libs/cron/next.h"

namespace voltwell::cron {
namespace {

bool MatchesCivil(const Expression& expression, absl::CivilSecond at) {
  const auto bit = [](uint64_t mask, int value) { return (mask >> value & 1) != 0; };
  const int weekday = (static_cast<int>(absl::GetWeekday(at)) + 1) % 7;  // absl counts from Monday.
  const bool by_day = bit(expression.days, at.day());
  const bool by_weekday = bit(expression.weekdays, weekday);
  const bool either = expression.days_restricted && expression.weekdays_restricted;
  return bit(expression.seconds, at.second()) && bit(expression.minutes, at.minute()) &&
         bit(expression.hours, at.hour()) && bit(expression.months, at.month()) &&
         (either ? by_day || by_weekday : by_day && by_weekday);
}

// The first due second after `after`, at the latest `horizon`; that second itself is returned when there is none.
absl::Time Oracle(const Expression& expression, absl::Time after, absl::Time horizon, const absl::TimeZone& zone,
                  DstRule rule) {
  absl::CivilSecond before = absl::ToCivilSecond(after, zone);
  for (absl::Time at = after + absl::Seconds(1); at < horizon; at += absl::Seconds(1)) {
    const absl::CivilSecond now = absl::ToCivilSecond(at, zone);
    if (rule.gap == DstRule::Gap::kAtGapEnd) {
      for (absl::CivilSecond skipped = before + 1; skipped < now; ++skipped) {
        if (MatchesCivil(expression, skipped)) return at;
      }
    }
    before = now;
    if (!MatchesCivil(expression, now)) continue;
    const absl::TimeZone::TimeInfo info = zone.At(now);
    const bool second_time = info.kind == absl::TimeZone::TimeInfo::REPEATED && at == info.post;
    if (second_time && rule.overlap == DstRule::Overlap::kOnce) continue;
    return at;
  }
  return horizon;
}

// Values that are likely to fall near a change of the clock, so that few cases are dull.
std::string RandomField(std::mt19937& random, int low, int high) {
  const auto value = [&] { return low + static_cast<int>(random() % static_cast<uint32_t>(high - low + 1)); };
  switch (random() % 5) {
    case 0:
      return "*";
    case 1:
      return absl::StrCat("*/", 1 + random() % static_cast<uint32_t>(high));
    case 2: {
      const int a = value();
      const int b = value();
      return absl::StrCat(std::min(a, b), "-", std::max(a, b));
    }
    case 3:
      return absl::StrCat(value(), ",", value());
    default:
      return absl::StrCat(value());
  }
}

std::string RandomExpression(std::mt19937& random) {
  return absl::StrCat(random() % 2 == 0 ? "0" : RandomField(random, 0, 59), " ", RandomField(random, 0, 59), " ",
                      RandomField(random, 0, 4), " ", random() % 2 == 0 ? "*" : RandomField(random, 1, 31), " * ",
                      random() % 2 == 0 ? "*" : RandomField(random, 0, 6));
}

TEST_CASE("random expressions near changes of the clock agree with the oracle") {
  std::mt19937 random(20261122);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Asia/Shanghai", "Australia/Lord_Howe"}) {
    absl::TimeZone zone;
    REQUIRE(absl::LoadTimeZone(name, &zone));
    const Zone table(zone);
    const int cases = 60;
    for (int i = 0; i < cases; ++i) {
      // A change of a random year, or any instant where the zone has none.
      absl::Time around = absl::FromUnixSeconds(1'000'000'000 + static_cast<int64_t>(random()) % 1'000'000'000);
      absl::TimeZone::CivilTransition change;
      if (zone.NextTransition(around, &change)) around = absl::FromCivil(change.from, zone);
      const absl::Time after = around - absl::Seconds(random() % 14'400);
      const absl::Time horizon = after + absl::Hours(8);
      const std::string text = RandomExpression(random);
      const auto expression = Parse(text);
      REQUIRE(expression.ok());
      const DstRule rule = {random() % 2 == 0 ? DstRule::Gap::kSkip : DstRule::Gap::kAtGapEnd,
                            random() % 2 == 0 ? DstRule::Overlap::kOnce : DstRule::Overlap::kTwice};
      CAPTURE(name, text, absl::FormatTime(after, zone), rule.gap, rule.overlap);
      const auto next = Next(*expression, after, table, rule);
      REQUIRE(next.has_value());
      REQUIRE(std::min(*next, horizon) == Oracle(*expression, after, horizon, zone, rule));
    }
  }
}

// Days and months far ahead, where a walk by seconds is too slow: by days, at midnight, in UTC.
TEST_CASE("random day rules agree with a walk through the calendar") {
  std::mt19937 random(4);
  const Zone utc((absl::UTCTimeZone()));
  for (int i = 0; i < 2000; ++i) {
    const std::string text = absl::StrCat("0 0 0 ", RandomField(random, 1, 31), " ", RandomField(random, 1, 12), " ",
                                          random() % 2 == 0 ? "*" : RandomField(random, 0, 6));
    const auto expression = Parse(text);
    if (!expression.ok()) continue;  // A day that never comes.
    CAPTURE(text);
    absl::CivilDay day = absl::CivilDay(1999, 1, 1) + static_cast<int>(random() % 20'000);
    const auto next = Next(*expression, absl::FromCivil(day, absl::UTCTimeZone()), utc);
    do {
      ++day;
    } while (!MatchesCivil(*expression, absl::CivilSecond(day)));
    REQUIRE(next == absl::FromCivil(day, absl::UTCTimeZone()));
  }
}

}  // namespace
}  // namespace voltwell::cron
