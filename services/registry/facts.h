// What the registry tells others: an event for each change, in its transaction, with the resource as it is then.
#pragma once

#include <string>
#include <vector>

#include "libs/events/events.h"
#include "services/registry/convert.h"

namespace voltwell::registry {

// `what`: "created", "updated", "archived".
absl::Status Tell(pg::Tx& tx, const std::string& what, const Site& site);
// `site_path`: of the site where it stands.
absl::Status Tell(pg::Tx& tx, const std::string& what, const Collector& collector, const std::string& site_path);
absl::Status Tell(pg::Tx& tx, const std::string& what, const Meter& meter);
// "online" or "offline" of each; one round trip.
absl::Status TellPresence(pg::Tx& tx, const std::vector<Collector>& collectors);

}  // namespace voltwell::registry
