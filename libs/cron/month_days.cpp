// Days of a month as bits, without a loop over days; see month_days.h.
#include "libs/cron/month_days.h"

#include <bit>

namespace voltwell::cron {
namespace {

constexpr uint64_t kWeeks =
    uint64_t{1} | 1U << 7U | 1U << 14U | 1U << 21U | uint64_t{1} << 28U;  // Bit 0 of five weeks.

// A pattern of five weeks by weekday (bit 7 k + weekday) as days of the month from bit 1, each lane of seven rotated so
// that it begins with the weekday of the first.
uint32_t RotateWeeks(uint64_t pattern, int first_weekday) {
  const uint64_t before = kWeeks * ((uint64_t{1} << first_weekday) - 1);  // Weekdays that come at the end of the lane.
  return static_cast<uint32_t>(((pattern & ~before) >> first_weekday | (pattern & before) << (7 - first_weekday)) << 1);
}

int WeekdayOf(int day, int first_weekday) { return (first_weekday + day - 1) % 7; }

// The working day nearest to `day`; on a weekend at an end of the month it looks inwards.
int NearestWorkday(int day, int first_weekday, int days_in_month) {
  switch (WeekdayOf(day, first_weekday)) {
    case 6:
      return day > 1 ? day - 1 : day + 2;
    case 0:
      return day < days_in_month ? day + 1 : day - 2;
    default:
      return day;
  }
}

uint32_t SpecialDays(const Expression& expression, int first_weekday, int days_in_month) {
  uint32_t found = 0;
  for (uint32_t left = expression.days_before_last; left != 0; left &= left - 1) {
    const int day = days_in_month - std::countr_zero(left);
    if (day >= 1) found |= 1U << day;
  }
  for (uint32_t left = expression.workdays_nearest; left != 0; left &= left - 1) {
    const int day = std::countr_zero(left);
    if (day <= days_in_month) found |= 1U << NearestWorkday(day, first_weekday, days_in_month);
  }
  for (uint32_t left = expression.workdays_nearest_to_last; left != 0; left &= left - 1) {
    const int day = days_in_month - std::countr_zero(left);
    if (day >= 1) found |= 1U << NearestWorkday(day, first_weekday, days_in_month);
  }
  return found;
}

}  // namespace

uint32_t MatchingDays(const Expression& expression, int first_weekday, int days_in_month) {
  const auto in_month = static_cast<uint32_t>((uint64_t{2} << days_in_month) - 2);
  uint32_t by_day = expression.days;
  uint32_t by_weekday = 0;
  if (expression.weekdays_restricted) {
    by_weekday = RotateWeeks(kWeeks * expression.weekdays | expression.nth_weekdays, first_weekday);
  }
  if (expression.special_days) {
    by_day |= SpecialDays(expression, first_weekday, days_in_month);
    // The last seven days hold each weekday once.
    const auto last_seven = static_cast<uint32_t>(uint64_t{0x7F} << (days_in_month - 6));
    by_weekday |= RotateWeeks(kWeeks * expression.last_weekdays, first_weekday) & last_seven;
  }
  if (!expression.weekdays_restricted) return by_day & in_month;
  return (expression.days_restricted ? by_day | by_weekday : by_weekday) & in_month;
}

}  // namespace voltwell::cron
