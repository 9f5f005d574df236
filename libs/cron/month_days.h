// Which days of one month an expression names: the day rule of expression.h, and nothing of times of day.
#pragma once

#include <cstdint>

#include "libs/cron/expression.h"

namespace voltwell::cron {

// Bits 1 to 31. `first_weekday` is that of the month's first day, 0 for Sunday.
uint32_t MatchingDays(const Expression& expression, int first_weekday, int days_in_month);

}  // namespace voltwell::cron
