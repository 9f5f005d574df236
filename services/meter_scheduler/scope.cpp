#include "services/meter_scheduler/scope.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"
#include "services/meter_scheduler/store_schedules.h"

namespace voltwell::scheduler {
namespace {

constexpr pg::Query kPaths{"scope.meters",
                           "SELECT m.id, m.site_path FROM meter m JOIN tenant n ON n.number = m.tenant_no "
                           "WHERE n.id = $1 AND m.id IN (SELECT unnest($2::text[]))"};
constexpr pg::Query kSites{"scope.sites",
                           "SELECT DISTINCT m.site_path FROM meter m JOIN tenant n ON n.number = m.tenant_no "
                           "WHERE n.id = $1 AND EXISTS (SELECT FROM unnest($2::text[]) s WHERE starts_with("
                           "m.site_path, s))"};
constexpr pg::Query kCollectors{"scope.collectors",
                                "SELECT DISTINCT b.collector, m.site_path FROM bus b JOIN meter m ON m.bus_no = "
                                "b.number JOIN tenant n ON n.number = m.tenant_no "
                                "WHERE n.id = $1 AND NOT m.archived AND b.collector IN (SELECT unnest($2::text[]))"};

using Names = google::protobuf::RepeatedPtrField<std::string>;

std::vector<std::string> Ids(const Names& names) {
  std::vector<std::string> ids;
  for (const std::string& name : names) ids.push_back(name.substr(name.find('/') + 1));
  return ids;
}

absl::Status OutOfScope(absl::string_view what) {
  return base::PermissionDenied("OUT_OF_SCOPE", "it is at a site beyond your scope", {{"name", std::string(what)}});
}

absl::Status CheckSites(pg::Tx& tx, const rpc::Identity& identity, const Names& sites) {
  if (sites.empty()) return absl::OkStatus();
  absl::flat_hash_set<std::string> known;
  const auto add = [&](absl::string_view path, const std::string& scope) {
    if (!absl::StartsWith(path, scope)) return;
    const std::vector<std::string> above = absl::StrSplit(scope, '/', absl::SkipEmpty());
    const std::vector<std::string> all = absl::StrSplit(path, '/', absl::SkipEmpty());
    for (size_t i = above.empty() ? 0 : above.size() - 1; i < all.size(); ++i) known.insert(all[i]);
  };
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kSites, identity.tenant, identity.site_scope));
  for (const std::string& scope : identity.site_scope) {
    add(scope, scope);
    for (int row = 0; row < rows.rows(); ++row) add(rows.Text(row, 0), scope);
  }
  for (const std::string& id : Ids(sites)) {
    if (!known.contains(id)) return OutOfScope(NameOf("sites", id));
  }
  return absl::OkStatus();
}

absl::Status CheckCollectors(pg::Tx& tx, const rpc::Identity& identity, const Names& collectors) {
  if (collectors.empty()) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kCollectors, identity.tenant, Ids(collectors)));
  absl::flat_hash_set<std::string> known;
  for (int row = 0; row < rows.rows(); ++row) {
    if (!InScope(identity, rows.Text(row, 1))) return OutOfScope(NameOf("collectors", rows.Text(row, 0)));
    known.insert(NameOf("collectors", rows.Text(row, 0)));
  }
  for (const std::string& name : collectors) {
    if (!known.contains(name)) return OutOfScope(name);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckWholeTenant(const rpc::Identity& identity) {
  if (identity.site_scope.empty()) return absl::OkStatus();
  return base::PermissionDenied("OUT_OF_SCOPE", "it concerns all sites, which are beyond your scope");
}

absl::Status CheckSelectionScope(pg::Tx& tx, const rpc::Identity& identity,
                                 const voltwell::scheduler::v1::Selection& selection) {
  if (identity.site_scope.empty()) return absl::OkStatus();
  if (selection.meters().empty() && selection.sites().empty() && selection.collectors().empty()) {
    return CheckWholeTenant(identity);
  }
  VW_ASSIGN_OR_RETURN(const ScopeFilter filter,
                      ScopeFilter::Of(tx, identity, {selection.meters().begin(), selection.meters().end()}));
  for (const std::string& meter : selection.meters()) {
    if (!filter.Holds(meter)) return OutOfScope(meter);
  }
  VW_RETURN_IF_ERROR(CheckSites(tx, identity, selection.sites()));
  return CheckCollectors(tx, identity, selection.collectors());
}

absl::Status CheckScheduleScope(pg::Tx& tx, const rpc::Identity& identity, const std::string& schedule) {
  if (identity.site_scope.empty()) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const auto found, ScheduleStore::Get(tx, identity.tenant, schedule));
  return CheckSelectionScope(tx, identity, found.selection());
}

absl::Status CheckRunScope(pg::Tx& tx, const rpc::Identity& identity, const voltwell::scheduler::v1::Run& run) {
  if (identity.site_scope.empty()) return absl::OkStatus();
  VW_ASSIGN_OR_RETURN(const std::string id, IdOf("schedules", run.schedule(), "run.schedule"));
  const absl::Status checked = CheckScheduleScope(tx, identity, id);
  return absl::IsNotFound(checked) ? OutOfScope(run.name()) : checked;
}

absl::StatusOr<ScopeFilter> ScopeFilter::Of(pg::Tx& tx, const rpc::Identity& identity,
                                            const std::vector<std::string>& meters) {
  ScopeFilter filter;
  if (identity.site_scope.empty()) return filter;
  filter.all_ = false;
  std::vector<std::string> ids;
  for (const std::string& name : meters) ids.push_back(name.substr(name.find('/') + 1));
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kPaths, identity.tenant, ids));
  for (int row = 0; row < rows.rows(); ++row) {
    if (InScope(identity, rows.Text(row, 1))) filter.in_scope_.insert(NameOf("meters", rows.Text(row, 0)));
  }
  return filter;
}

}  // namespace voltwell::scheduler
