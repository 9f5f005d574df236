// Rows of collectors with their buses and presence, and the marks of directory entries that must be written anew.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/pg/pg.h"
#include "services/registry/domain/collector.h"
#include "services/registry/store_sites.h"

namespace voltwell::registry::store {

// NOTIFY channel that wakes the directory's worker.
inline constexpr char kDirectoryChannel[] = "voltwell_registry_directory";

// AlreadyExists REGISTRATION_ID_TAKEN.
absl::Status InsertCollector(pg::Tx& tx, const Collector& collector);
// NotFound COLLECTOR_NOT_FOUND, also where it is out of scope.
absl::StatusOr<Collector> GetCollector(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold = Hold::kNone);
absl::StatusOr<std::vector<Collector>> ListCollectors(pg::Tx& tx, const Page& page, const Scope& scope);
// In the order of their ids; those that are gone are left out.
absl::StatusOr<std::vector<Collector>> FindCollectors(pg::Tx& tx, const std::vector<std::string>& ids);
// Fields and buses; `before` is the row as it was. BUS_IN_USE when a bus that has meters would go;
// REGISTRATION_ID_TAKEN.
absl::Status UpdateCollector(pg::Tx& tx, const Collector& before, const Collector& after);
// FailedPrecondition COLLECTOR_IN_USE while meters hang on it. Hold the row for update first.
absl::Status ArchiveCollector(pg::Tx& tx, const Collector& collector);

// Whether somebody dialled in with one of the ids and nobody owned it; Release removes them from there.
absl::StatusOr<bool> InQuarantine(pg::Tx& tx, const Collector& collector);
absl::Status ReleaseFromQuarantine(pg::Tx& tx, const Collector& collector);

}  // namespace voltwell::registry::store
