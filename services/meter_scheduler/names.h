// Names of resources and what is inside them: "meters/01j9..." <-> "01j9...", "runs/42" <-> 42.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"
#include "libs/rpc/identity.h"

namespace voltwell::scheduler {

inline constexpr char kDatabaseName[] = "scheduler";

// Id after "meters/"; BAD_NAME with metadata field when the name is not of the collection.
absl::StatusOr<std::string> IdOf(absl::string_view collection, absl::string_view name, absl::string_view field);
absl::StatusOr<int64_t> NumberOf(absl::string_view collection, absl::string_view name, absl::string_view field);
std::string NameOf(absl::string_view collection, absl::string_view id);
std::string NameOf(absl::string_view collection, int64_t number);

google::protobuf::Timestamp ToProto(absl::Time time);
google::protobuf::Duration ToProto(absl::Duration duration);
absl::Time FromProto(const google::protobuf::Timestamp& time);
absl::Duration FromProto(const google::protobuf::Duration& duration);

// 0 is `fallback`; beyond 1000 or negative is BAD_PAGE_SIZE.
inline constexpr int kPageSizeMax = 1000;
absl::StatusOr<int> PageSize(int asked, int fallback = 100);

// PERMISSION_DENIED OUT_OF_SCOPE unless the caller's site scope holds the path.
absl::Status CheckScope(const rpc::Identity& identity, absl::string_view site_path);
bool InScope(const rpc::Identity& identity, absl::string_view site_path);

// A call that belongs to no tenant cannot touch a tenant's facts: NO_TENANT.
absl::Status CheckTenant(const rpc::Identity& identity);

}  // namespace voltwell::scheduler
