// Loads the dialects of a directory when the gateway starts: a mistake in one of them ends the start, since a box that
// is answered wrongly sends its answer down a bus.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "services/collector_gateway/domain/dialect.h"

namespace voltwell::gateway {

// All *.dialect of this directory, in the order of their names; empty path: none. FailedPrecondition FILE_UNREADABLE,
// NotFound FILE_NOT_FOUND, InvalidArgument BAD_DIALECT.
absl::StatusOr<Dialects> LoadDialects(const std::string& directory);

}  // namespace voltwell::gateway
