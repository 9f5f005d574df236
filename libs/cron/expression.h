// A cron expression of six fields, parsed into bit masks:
//
//   second minute hour day-of-month month day-of-week
//   0-59   0-59   0-23 1-31         1-12  0-7 (0 and 7 are Sunday)
//
// A field is a list of items with commas: `*`, a value, a range `a-b`, each with an optional step `/n`; `a/n` runs from
// a to the end. Months and days of the week may be named (JAN, MON), in any case. `?` is `*` in the two day fields.
//
// The day rule: when both day fields are restricted (neither is `*` or `?`), a day matches if EITHER does; otherwise
// the restricted one decides. `0 0 0 1 * MON` is each first of a month and each Monday.
#pragma once

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::cron {

// Characters of an expression; the longest sensible list has fewer.
inline constexpr size_t kExpressionMax = 256;

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
};

// Fires in all 24 hours of a day: a rhythm ("every 15 seconds"), not a time of day.
inline bool FiresEveryHour(const Expression& expression) { return expression.hours == (1U << 24U) - 1; }

// BAD_CRON with metadata field (second, minute, hour, day_of_month, month, day_of_week, or empty for the whole),
// position (of the mistake, from 0) and why.
absl::StatusOr<Expression> Parse(absl::string_view text);

}  // namespace voltwell::cron
