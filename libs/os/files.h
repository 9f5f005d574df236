// Small files as strings: keys, migrations, profiles. Not for data.
#pragma once

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::os {

constexpr size_t kFileMax = size_t{16} << 20;  // 16 MiB: beyond it ReadFile answers FILE_TOO_LARGE.

// NotFound FILE_NOT_FOUND, FailedPrecondition FILE_UNREADABLE or FILE_TOO_LARGE; metadata path.
absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max = kFileMax);

// Whole or not at all: written beside the target, flushed to the disk, renamed over it. FailedPrecondition
// FILE_UNWRITABLE; metadata path.
absl::Status WriteFile(const std::string& path, absl::string_view content, unsigned mode = 0644);

}  // namespace voltwell::os
