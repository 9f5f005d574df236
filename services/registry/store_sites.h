// Rows of places.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/pg/pg.h"
#include "services/registry/domain/site.h"

namespace voltwell::registry::store {

using Scope = std::vector<std::string>;  // Site paths; empty: no limit.

// A page by id: ids made later sort later.
struct Page {
  std::string after = {};
  int limit = 0;
};

// How a row is held until the transaction ends: kShare keeps what refers to it from being archived under us.
enum class Hold { kNone, kShare, kUpdate };

absl::Status InsertSite(pg::Tx& tx, const Site& site);
// NotFound SITE_NOT_FOUND, also where it is out of scope.
absl::StatusOr<Site> GetSite(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold = Hold::kNone);
absl::StatusOr<std::vector<Site>> ListSites(pg::Tx& tx, const Page& page, const Scope& scope);
// By id, archived ones too.
absl::StatusOr<std::map<std::string, std::string>> PathsOf(pg::Tx& tx, const std::vector<std::string>& ids);
absl::Status UpdateSite(pg::Tx& tx, const Site& site);
// FailedPrecondition SITE_IN_USE while something stands there. Hold the row for update first.
absl::Status ArchiveSite(pg::Tx& tx, const std::string& id);

}  // namespace voltwell::registry::store
