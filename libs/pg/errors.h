// PostgreSQL's SQLSTATEs as our reasons. Private to libs/pg.
#pragma once

#include <libpq-fe.h>

#include <string>

#include "absl/status/status.h"

namespace voltwell::pg {

// In one line, without the final newline.
std::string TrimmedMessage(const char* message);
absl::Status ErrorOf(const PGresult* result, const char* query);
// The transaction lost against another (40001, 40P01) or its plan went stale under a migration: running it again may
// do.
bool IsConflict(const PGresult* result);
bool IsStalePlan(const PGresult* result);
// The server says farewell with this error.
bool EndsConnection(const PGresult* result);

}  // namespace voltwell::pg
