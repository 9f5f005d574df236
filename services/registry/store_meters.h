// Rows of meters, joined with where they hang.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/pg/pg.h"
#include "services/registry/domain/meter.h"
#include "services/registry/store_sites.h"

namespace voltwell::registry::store {

struct MeterFilter {
  std::string collector = {};  // Id; empty: all.
  std::string site_path = {};  // At or below; empty: all.
};

// AlreadyExists METER_ADDRESS_TAKEN when the bus has a meter of this address.
absl::Status InsertMeter(pg::Tx& tx, const Meter& meter);
// NotFound METER_NOT_FOUND, also where it is out of scope.
absl::StatusOr<Meter> GetMeter(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold = Hold::kNone);
absl::StatusOr<std::vector<Meter>> ListMeters(pg::Tx& tx, const Page& page, const MeterFilter& filter,
                                              const Scope& scope);
// Raises the revision.
absl::Status UpdateMeter(pg::Tx& tx, const Meter& meter);
absl::Status ArchiveMeter(pg::Tx& tx, const std::string& id);

}  // namespace voltwell::registry::store
