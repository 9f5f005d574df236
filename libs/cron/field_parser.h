// One field of a cron expression: text to bits, and the name of each mistake. Used by expression.cpp alone.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/status.h"
#include "libs/cron/expression.h"

namespace voltwell::cron {

enum class Field { kSecond, kMinute, kHour, kDayOfMonth, kMonth, kDayOfWeek };
inline constexpr size_t kFieldCount = 6;

// As in metadata: "day_of_month".
absl::string_view FieldName(Field field);

// The status of a mistake; see Parse in expression.h for its metadata.
absl::Status BadCron(absl::string_view reason, absl::string_view field, size_t position, absl::string_view mistake,
                     const std::string& why);

// Sets the field's part of `expression`; `offset` is where `text` stands in the whole expression.
absl::Status ParseField(Field field, absl::string_view text, size_t offset, Expression& expression);

}  // namespace voltwell::cron
