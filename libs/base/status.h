// Errors have names. Every Status that leaves a component carries a canonical code, a reason that stands in
// docs/errors.md, a short message for people, and metadata (what was wrong, where) for programs.
#pragma once

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace voltwell::base {

using ErrorMetadata = std::map<std::string, std::string>;

// A failed Status whose reason is UPPER_SNAKE_CASE and listed in docs/errors.md.
absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   const ErrorMetadata& metadata = {});

// The reason given to Error; empty for an OK status and for one that was not made by Error.
std::string ReasonOf(const absl::Status& status);
ErrorMetadata MetadataOf(const absl::Status& status);

// Short forms for the canonical codes that our own components return most.
absl::Status InvalidArgument(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status NotFound(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status AlreadyExists(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status FailedPrecondition(absl::string_view reason, absl::string_view message,
                                const ErrorMetadata& metadata = {});
absl::Status ResourceExhausted(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status PermissionDenied(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status Unauthenticated(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status Unavailable(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status Aborted(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status DeadlineExceeded(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status DataLoss(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});
absl::Status Internal(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata = {});

}  // namespace voltwell::base

#define VW_CONCAT_INNER_(a, b) a##b
#define VW_CONCAT_(a, b) VW_CONCAT_INNER_(a, b)

// Returns the expression's Status from the enclosing function when it failed.
#define VW_RETURN_IF_ERROR(expression)       \
  do {                                       \
    absl::Status vw_status_ = (expression);  \
    if (!vw_status_.ok()) return vw_status_; \
  } while (false)

// VW_ASSIGN_OR_RETURN(auto meter, store.Get(id)): the value, or the failed Status from the enclosing function.
#define VW_ASSIGN_OR_RETURN(target, expression) \
  VW_ASSIGN_OR_RETURN_(VW_CONCAT_(vw_result_, __LINE__), target, expression)
#define VW_ASSIGN_OR_RETURN_(result, target, expression) \
  auto result = (expression);                            \
  if (!result.ok()) return std::move(result).status();   \
  target = *std::move(result)
