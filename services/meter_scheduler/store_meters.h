// The scheduler's projection of the registry: tenants, buses and meters under narrow numbers. Fed by events and by
// resync; the road reads it, and never calls the registry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/pg/pg.h"
#include "voltwell/registry/v1/collector.pb.h"
#include "voltwell/registry/v1/meter.pb.h"

namespace voltwell::scheduler {

struct MeterRow {
  int32_t number = 0;
  std::string id = {};
  int32_t tenant_no = 0;
  int32_t bus_no = 0;
  std::string site_path = {};
  std::string protocol = {};
  bool archived = false;
};

class MeterStore {
 public:
  explicit MeterStore(pg::Pool& pool) : pool_(pool) {}

  // One upsert for many meters; what is older than the row that stands is left out.
  static absl::Status Upsert(pg::Tx& tx, const std::vector<voltwell::registry::v1::Meter>& meters);
  // Registration ids and speeds of buses that changed.
  static absl::Status UpsertCollector(pg::Tx& tx, const voltwell::registry::v1::Collector& collector);
  // After a resync: meters that were known before it (numbers up to `ceiling`) and that the owner did not list are
  // gone.
  absl::StatusOr<int64_t> Ceiling();
  absl::Status ArchiveUnlisted(int64_t ceiling, const std::vector<std::string>& listed);
  absl::Status UpsertMany(const std::vector<voltwell::registry::v1::Meter>& meters);

  // Of one tenant, archived ones too; nullopt: not here (yet).
  absl::StatusOr<std::optional<MeterRow>> Find(const std::string& tenant, const std::string& id);
  static absl::StatusOr<std::optional<MeterRow>> Find(pg::Tx& tx, const std::string& tenant, const std::string& id);

 private:
  pg::Pool& pool_;
};

}  // namespace voltwell::scheduler
