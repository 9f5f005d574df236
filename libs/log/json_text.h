// Text as a JSON string, and a log line as text: apart from the writing, so that tests can look at them.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/log/log.h"

namespace voltwell::log {

// With its quotes. Control characters are escaped; a byte that is no part of valid UTF-8 becomes U+FFFD, so that what a
// meter sends can never make a line unreadable.
std::string JsonText(absl::string_view text);

// The line with its final newline.
std::string FormatLine(absl::Time time, Level level, absl::string_view message, const Fields& fields);

bool ParseLevel(absl::string_view text, Level* level);

}  // namespace voltwell::log
