#include "libs/base/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/check.h"

namespace voltwell::base {
namespace {

// The payload is local to the process; libs/rpc turns it into voltwell.rpc.v1.ErrorInfo on the wire.
// Layout: reason, then key and value in turn, each ended by a zero byte.
constexpr char kPayloadUrl[] = "voltwell/error-info";

std::vector<std::string> PayloadParts(const absl::Status& status) {
  const auto payload = status.GetPayload(kPayloadUrl);
  if (!payload.has_value()) return {};
  return absl::StrSplit(std::string(*payload), '\0');
}

void AppendPart(std::string& payload, absl::string_view part) {
  for (const char c : part) payload.push_back(c == '\0' ? '?' : c);
  payload.push_back('\0');
}

}  // namespace

absl::Status Error(absl::StatusCode code, absl::string_view reason, absl::string_view message,
                   const ErrorMetadata& metadata) {
  VW_CHECK(code != absl::StatusCode::kOk);
  VW_CHECK(!reason.empty());
  std::string payload;
  AppendPart(payload, reason);
  for (const auto& [key, value] : metadata) {
    AppendPart(payload, key);
    AppendPart(payload, value);
  }
  absl::Status status(code, message);
  status.SetPayload(kPayloadUrl, absl::Cord(payload));
  return status;
}

std::string ReasonOf(const absl::Status& status) {
  const auto parts = PayloadParts(status);
  return parts.empty() ? std::string() : parts.front();
}

ErrorMetadata MetadataOf(const absl::Status& status) {
  const auto parts = PayloadParts(status);
  ErrorMetadata metadata;
  for (size_t i = 1; i + 1 < parts.size(); i += 2) metadata[parts[i]] = parts[i + 1];
  return metadata;
}

absl::Status InvalidArgument(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kInvalidArgument, reason, message, metadata);
}
absl::Status NotFound(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kNotFound, reason, message, metadata);
}
absl::Status AlreadyExists(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kAlreadyExists, reason, message, metadata);
}
absl::Status FailedPrecondition(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kFailedPrecondition, reason, message, metadata);
}
absl::Status ResourceExhausted(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kResourceExhausted, reason, message, metadata);
}
absl::Status PermissionDenied(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kPermissionDenied, reason, message, metadata);
}
absl::Status Unauthenticated(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kUnauthenticated, reason, message, metadata);
}
absl::Status Unavailable(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kUnavailable, reason, message, metadata);
}
absl::Status Aborted(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kAborted, reason, message, metadata);
}
absl::Status DeadlineExceeded(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kDeadlineExceeded, reason, message, metadata);
}
absl::Status DataLoss(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kDataLoss, reason, message, metadata);
}
absl::Status Internal(absl::string_view reason, absl::string_view message, const ErrorMetadata& metadata) {
  return Error(absl::StatusCode::kInternal, reason, message, metadata);
}

}  // namespace voltwell::base
