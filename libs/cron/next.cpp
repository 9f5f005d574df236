// Searching the next due time; see next.h. Local time is counted in seconds as if it were UTC; a due local second is
// found by the lowest set bit of each mask, a month at a time, never by stepping through minutes.
#include "libs/cron/next.h"

#include <algorithm>
#include <bit>

#include "libs/cron/month_days.h"

namespace voltwell::cron {
namespace {

constexpr int64_t kDay = 86400;
// A fifth Sunday of February is at most 40 years away (2088 to 2128, since 2100 has no leap day).
constexpr int kYearsSearched = 41;
constexpr int64_t kYearMax = 9999;
// 0001-01-01 and the end of 9999: beyond, sums with offsets could overflow and no schedule is meant.
constexpr int64_t kUnixMin = -62135596800;
constexpr int64_t kUnixMax = 253402300799;

struct YearMonthDay {
  int64_t year;
  int month;
  int day;
};

// Days since 1970-01-01 to the date and back, in the proleptic Gregorian calendar (Howard Hinnant's algorithms).
YearMonthDay DateOf(int64_t days) {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t day_of_era = days - era * 146097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const auto day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

int64_t FirstOfMonth(int64_t year, int month) {
  year -= month <= 2 ? 1 : 0;
  const int64_t era = (year >= 0 ? year : year - 399) / 400;
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

int DaysIn(int64_t year, int month) {
  constexpr int kDays[] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month];
}

// 0 for Sunday; 1970-01-01 was a Thursday.
int WeekdayOf(int64_t days) { return static_cast<int>(((days + 4) % 7 + 7) % 7); }

// The first second of the day at or after this one that matches; -1 when the rest of the day has none.
int64_t NextOfDay(const Expression& expression, int64_t second_of_day) {
  const auto hour = static_cast<int>(second_of_day / 3600);
  const auto minute = static_cast<int>(second_of_day / 60 % 60);
  const auto second = static_cast<int>(second_of_day % 60);
  const int first_minute = std::countr_zero(expression.minutes);
  const int first_second = std::countr_zero(expression.seconds);
  if ((expression.hours >> hour & 1) != 0) {
    if ((expression.minutes >> minute & 1) != 0) {
      const uint64_t seconds = expression.seconds >> second << second;
      if (seconds != 0) return int64_t{hour} * 3600 + minute * 60 + std::countr_zero(seconds);
    }
    const uint64_t minutes = expression.minutes >> minute >> 1 << 1 << minute;
    if (minutes != 0) return int64_t{hour} * 3600 + std::countr_zero(minutes) * 60 + first_second;
  }
  const uint64_t hours = uint64_t{expression.hours} >> hour >> 1 << 1 << hour;
  if (hours != 0) return int64_t{std::countr_zero(hours)} * 3600 + first_minute * 60 + first_second;
  return -1;
}

// The first local second strictly after this one that matches.
std::optional<int64_t> NextLocal(const Expression& expression, int64_t local) {
  const int64_t from = local + 1;
  const int64_t day = (from >= 0 ? from : from - kDay + 1) / kDay;
  const YearMonthDay date = DateOf(day);
  int64_t year = date.year;
  int month = date.month;
  int first_day = date.day;
  const int64_t last_year = std::min(year + kYearsSearched, kYearMax);
  for (bool this_month = true; year <= last_year; this_month = false) {
    if ((expression.months >> month & 1) != 0) {
      const int64_t first = this_month ? day - first_day + 1 : FirstOfMonth(year, month);
      uint32_t days = MatchingDays(expression, WeekdayOf(first), DaysIn(year, month)) >> first_day << first_day;
      if (this_month && (days >> first_day & 1) != 0) {
        const int64_t today = NextOfDay(expression, from - day * kDay);
        if (today >= 0) return day * kDay + today;
        days &= days - 1;  // Today is over.
      }
      if (days != 0) return (first + std::countr_zero(days) - 1) * kDay + NextOfDay(expression, 0);
    }
    first_day = 1;
    const uint32_t later = expression.months >> month >> 1 << 1 << month;
    if (later == 0) ++year;
    month = std::countr_zero(later == 0 ? expression.months : later);
  }
  return std::nullopt;
}

// The first multiple strictly after.
int64_t NextMultiple(int64_t interval, int64_t after) {
  const int64_t rest = after % interval;
  return after - (rest < 0 ? rest + interval : rest) + interval;
}

}  // namespace

std::optional<absl::Time> Next(const Expression& expression, absl::Time after, const Zone& zone, DstRule rule) {
  // Rounds down, so a fraction never finds the same second.
  const int64_t after_seconds = std::max(absl::ToUnixSeconds(after), kUnixMin);
  if (after_seconds > kUnixMax) return std::nullopt;
  if (expression.every_seconds > 0) {
    return absl::FromUnixSeconds(NextMultiple(expression.every_seconds, after_seconds));
  }
  const auto& segments = zone.segments();
  size_t at = zone.Find(after_seconds);
  int64_t local = after_seconds + segments[at].offset;
  // Behind a repeated hour, what it repeated was due before.
  if (at > 0 && rule.overlap == DstRule::Overlap::kOnce) {
    local = std::max(local, segments[at].begin + segments[at - 1].offset - 1);
  }
  std::optional<int64_t> due = NextLocal(expression, local);
  while (due.has_value()) {
    if (at + 1 == segments.size() || *due - segments[at].offset < segments[at + 1].begin) {
      return absl::FromUnixSeconds(*due - segments[at].offset);
    }
    const int64_t change = segments[at + 1].begin;
    const int64_t shown_before = change + segments[at].offset;     // What clocks show at the change, by the old offset
    const int64_t shown_after = change + segments[at + 1].offset;  // and by the new one.
    ++at;
    // Nothing is due up to `due`, so a change that lies whole between moves nothing: no second search.
    if (local < shown_after && *due >= shown_after && *due >= shown_before) continue;
    if (shown_after > shown_before) {
      if (*due < shown_after && rule.gap == DstRule::Gap::kAtGapEnd) return absl::FromUnixSeconds(change);
      local = shown_after - 1;
    } else {
      local = (rule.overlap == DstRule::Overlap::kOnce ? shown_before : shown_after) - 1;
    }
    due = NextLocal(expression, local);
  }
  return std::nullopt;
}

}  // namespace voltwell::cron
