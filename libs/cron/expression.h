// A cron expression of six fields, parsed into bit masks:
//
//   second minute hour day-of-month month day-of-week
//   0-59   0-59   0-23 1-31         1-12  0-7 (0 and 7 are Sunday)
//
// A field is a list of items with commas: `*`, a value, a range `a-b`, each with an optional step `/n`; `a/n` runs from
// a to the end. Months and days of the week may be named (JAN, MON), in any case. `?` stands alone in a day field and
// is `*` there. Items of the day fields besides:
//
//   day of month   L     the last day of the month          L-n   n days before it (n 1 to 30)
//                  nW    the working day (Monday to Friday) nearest to day n, never in another month
//                  LW    the last working day               L-nW  the working day nearest to L-n
//   day of week    d#n   the n-th d of the month (n 1 to 5) dL    the last d of the month
//
// In a month that has no such day (31, 31W, L-30, a fifth Monday) the item is not due. Days are counted by the calendar
// alone; holidays are no business of cron.
//
// The day rule: when both day fields are restricted (neither is `*` or `?`), a day matches if EITHER does; otherwise
// the restricted one decides. `0 0 0 1 * MON` is each first of a month and each Monday. `*/2` restricts.
//
// Instead of six fields, in any case: @yearly (@annually), @monthly, @weekly (Sunday), @daily (@midnight), @hourly, all
// at the first second; and @every DURATION, numbers with units in falling order d h m s, `@every 1h30m`, 1 s to 366
// days: the instants that are whole multiples of it since 1970-01-01T00:00:00Z. No zone moves those: an interval has no
// local time, and any replica after any restart finds the same ones.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::cron {

// Characters of an expression; the longest sensible list has fewer.
inline constexpr size_t kExpressionMax = 256;
inline constexpr int64_t kEveryMaxSeconds = int64_t{366} * 86400;

// Bit n is set when value n matches. Plain data: next.cpp searches it, tests compare with it.
struct Expression {
  uint64_t seconds = 0;
  uint64_t minutes = 0;
  uint32_t hours = 0;
  uint32_t days = 0;      // Days of the month, bits 1 to 31.
  uint32_t months = 0;    // Bits 1 to 12.
  uint32_t weekdays = 0;  // Bits 0 (Sunday) to 6.
  bool days_restricted = false;
  bool weekdays_restricted = false;
  // Any of the five below: a month's days cost a little more to find.
  bool special_days = false;
  uint32_t days_before_last = 0;          // L-n as bit n; L is bit 0.
  uint32_t workdays_nearest = 0;          // nW as bit n.
  uint32_t workdays_nearest_to_last = 0;  // L-nW as bit n; LW is bit 0.
  uint32_t last_weekdays = 0;             // dL as bit d.
  uint64_t nth_weekdays = 0;              // d#n as bit 7 (n - 1) + d.
  // @every: all of the above is unused; 0: no such.
  int64_t every_seconds = 0;
};

// Fires in all 24 hours of a day: a rhythm ("every 15 seconds"), not a time of day.
inline bool FiresEveryHour(const Expression& expression) {
  return expression.every_seconds > 0 || expression.hours == (1U << 24U) - 1;
}

// BAD_CRON, or CRON_NEVER_FIRES for a day that no month has (30 February), with metadata field (second, minute, hour,
// day_of_month, month, day_of_week, or empty for the whole), position (of the mistake, in characters from 0), mistake
// (its name, one of the list in docs/errors.md) and why (the same for people).
absl::StatusOr<Expression> Parse(absl::string_view text);

}  // namespace voltwell::cron
