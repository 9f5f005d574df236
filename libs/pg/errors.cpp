#include "libs/pg/errors.h"

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/string_view.h"
#include "libs/base/status.h"

namespace voltwell::pg {
namespace {

absl::string_view Field(const PGresult* result, int field) {
  const char* const text = PQresultErrorField(result, field);
  return text == nullptr ? "" : text;
}

struct Violation {
  absl::string_view state;
  absl::string_view reason;
  absl::StatusCode code;
};
constexpr Violation kViolations[] = {
    {"23505", "UNIQUE_VIOLATION", absl::StatusCode::kAlreadyExists},
    {"23503", "FOREIGN_KEY_VIOLATION", absl::StatusCode::kFailedPrecondition},
    {"23514", "CHECK_VIOLATION", absl::StatusCode::kFailedPrecondition},
    {"23P01", "EXCLUSION_VIOLATION", absl::StatusCode::kFailedPrecondition},
};

// The server cannot serve now and may later: shutting down or starting, a standby, out of connections or memory, its
// disk.
bool IsDown(absl::string_view state) {
  return absl::StartsWith(state, "57P") || absl::StartsWith(state, "08") || state == "53300" || state == "53200" ||
         state == "58030" || state == "25006" || state == "25P03";
}

}  // namespace

std::string TrimmedMessage(const char* message) {
  return absl::StrReplaceAll(absl::StripAsciiWhitespace(message == nullptr ? "" : message), {{"\n", " "}});
}

bool IsConflict(const PGresult* result) {
  const absl::string_view state = Field(result, PG_DIAG_SQLSTATE);
  return state == "40001" || state == "40P01" || IsStalePlan(result);
}

bool IsStalePlan(const PGresult* result) {
  return Field(result, PG_DIAG_SQLSTATE) == "0A000" &&
         absl::StrContains(Field(result, PG_DIAG_MESSAGE_PRIMARY), "cached plan");
}

bool EndsConnection(const PGresult* result) {
  const absl::string_view severity = Field(result, PG_DIAG_SEVERITY_NONLOCALIZED);
  return severity == "FATAL" || severity == "PANIC";
}

absl::Status ErrorOf(const PGresult* result, const char* query) {
  const absl::string_view state = Field(result, PG_DIAG_SQLSTATE);
  const std::string primary(Field(result, PG_DIAG_MESSAGE_PRIMARY));
  const std::string message = absl::StrCat(query, ": ", primary);
  const base::ErrorMetadata about = {{"query", query}, {"sqlstate", std::string(state)}};
  for (const Violation& violation : kViolations) {
    if (state != violation.state) continue;
    base::ErrorMetadata metadata = about;
    metadata["constraint"] = std::string(Field(result, PG_DIAG_CONSTRAINT_NAME));
    return base::Error(violation.code, violation.reason, message, metadata);
  }
  if (IsConflict(result)) return base::Aborted("TX_CONFLICT", message, about);
  if (state == "57014") return base::DeadlineExceeded("DATABASE_TIMEOUT", message, about);
  if (state == "22021" || state == "22P05") return base::InvalidArgument("TEXT_NOT_STORABLE", message, about);
  if (state == "53100") return base::ResourceExhausted("DATABASE_FULL", message, about);
  if (IsDown(state)) return base::Unavailable("DATABASE_DOWN", message, about);
  return base::Internal("DATABASE_ERROR", message, about);
}

}  // namespace voltwell::pg
