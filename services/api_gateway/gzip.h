// gzip of whole messages, with an end to what a small request may unfold into.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::front {

inline constexpr size_t kGzipFrom = 1024;  // A smaller answer is not worth it.

std::string Gzip(absl::string_view data);
// BAD_GZIP (INVALID_ARGUMENT), MESSAGE_TOO_LARGE (RESOURCE_EXHAUSTED) beyond `max` bytes unfolded.
absl::StatusOr<std::string> Gunzip(absl::string_view data, size_t max);

}  // namespace voltwell::front
