// Resource names, display names and page tokens: the rules that all resources share.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::registry {

inline constexpr int kDisplayNameMax = 100;  // Characters, not bytes.
inline constexpr int kPageSizeDefault = 100;
inline constexpr int kPageSizeMax = 1000;

// "meters/01j9..." with collection "meters" is "01j9...". BAD_NAME (metadata field) otherwise.
absl::StatusOr<std::string> IdOf(absl::string_view collection, absl::string_view name, absl::string_view field);

// 1 to 100 characters of UTF-8, no control characters. BAD_DISPLAY_NAME.
absl::Status CheckDisplayName(absl::string_view name);

// 0 is the default, more than the maximum is the maximum; BAD_PAGE_SIZE when negative.
absl::StatusOr<int> PageSize(int asked);

}  // namespace voltwell::registry
