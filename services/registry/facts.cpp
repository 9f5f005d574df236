#include "services/registry/facts.h"

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/registry/store_sites.h"

namespace voltwell::registry {

absl::Status Tell(pg::Tx& tx, const std::string& what, const Site& site) {
  const v1::Site payload = ToProto(site);
  return events::Append(tx, {.type = absl::StrCat("site.", what),
                             .key = payload.name(),
                             .tenant = site.tenant,
                             .site_path = site.path,
                             .permission = "site.read",
                             .payload = &payload});
}

absl::Status Tell(pg::Tx& tx, const std::string& what, const Collector& collector, const std::string& site_path) {
  const v1::Collector payload = ToProto(collector);
  return events::Append(tx, {.type = absl::StrCat("collector.", what),
                             .key = payload.name(),
                             .tenant = collector.tenant,
                             .site_path = site_path,
                             .permission = "collector.read",
                             .payload = &payload});
}

absl::Status TellPresence(pg::Tx& tx, const std::vector<Collector>& collectors) {
  std::vector<v1::Collector> payloads;
  std::vector<std::string> sites;
  for (const Collector& collector : collectors) {
    payloads.push_back(ToProto(collector));
    sites.push_back(collector.site);
  }
  VW_ASSIGN_OR_RETURN(const auto paths, store::PathsOf(tx, sites));
  std::vector<events::Fact> facts;
  for (size_t i = 0; i < collectors.size(); ++i) {
    facts.push_back({.type = collectors[i].presence.online ? "collector.online" : "collector.offline",
                     .key = payloads[i].name(),
                     .tenant = collectors[i].tenant,
                     .site_path = paths.at(collectors[i].site),
                     .permission = "collector.read",
                     .payload = &payloads[i]});
  }
  return events::AppendAll(tx, facts);
}

absl::Status Tell(pg::Tx& tx, const std::string& what, const Meter& meter) {
  const v1::Meter payload = ToProto(meter);
  return events::Append(tx, {.type = absl::StrCat("meter.", what),
                             .key = payload.name(),
                             .tenant = meter.tenant,
                             .site_path = meter.site_path,
                             .permission = "meter.read",
                             .payload = &payload});
}

}  // namespace voltwell::registry
