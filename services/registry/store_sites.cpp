#include "services/registry/store_sites.h"

#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

constexpr pg::Query kInsert{"site.insert",
                            "INSERT INTO site (id, tenant, parent, display_name, kind, path, created_at) "
                            "VALUES ($1, $2, NULLIF($3, ''), $4, $5, $6, $7)"};

#define VW_SITE_SELECT                                                                                \
  "SELECT id, tenant, coalesce(parent, ''), display_name, kind, path, created_at FROM site "          \
  "WHERE archived_at IS NULL AND ($1::text[] = '{}' OR EXISTS (SELECT 1 FROM unnest($1::text[]) top " \
  "WHERE starts_with(path, top))) "

constexpr pg::Query kGet{"site.get", VW_SITE_SELECT "AND id = $2"};
constexpr pg::Query kGetShare{"site.get_share", VW_SITE_SELECT "AND id = $2 FOR SHARE"};
constexpr pg::Query kGetUpdate{"site.get_update", VW_SITE_SELECT "AND id = $2 FOR UPDATE"};
constexpr pg::Query kList{"site.list", VW_SITE_SELECT "AND id > $2 ORDER BY id LIMIT $3"};
#undef VW_SITE_SELECT

constexpr pg::Query kPaths{"site.paths", "SELECT id, path FROM site WHERE id = ANY ($1)"};
constexpr pg::Query kUpdate{"site.update", "UPDATE site SET display_name = $2, kind = $3 WHERE id = $1"};
constexpr pg::Query kInUse{"site.in_use",
                           "SELECT EXISTS (SELECT 1 FROM site WHERE parent = $1 AND archived_at IS NULL) "
                           "OR EXISTS (SELECT 1 FROM collector WHERE site = $1 AND archived_at IS NULL) "
                           "OR EXISTS (SELECT 1 FROM meter WHERE site = $1 AND archived_at IS NULL)"};
constexpr pg::Query kArchive{"site.archive", "UPDATE site SET archived_at = now() WHERE id = $1"};

Site SiteAt(const pg::Result& rows, int row) {
  return {.id = rows.Text(row, 0),
          .tenant = rows.Text(row, 1),
          .parent = rows.Text(row, 2),
          .display_name = rows.Text(row, 3),
          .kind = static_cast<int>(rows.Int(row, 4)),
          .path = rows.Text(row, 5),
          .created_at = rows.Time(row, 6)};
}

}  // namespace

absl::Status InsertSite(pg::Tx& tx, const Site& site) {
  return tx
      .Execute(kInsert, site.id, site.tenant, site.parent, site.display_name, site.kind, site.path, site.created_at)
      .status();
}

absl::StatusOr<Site> GetSite(pg::Tx& tx, const std::string& id, const Scope& scope, Hold hold) {
  const pg::Query& query = hold == Hold::kNone ? kGet : hold == Hold::kShare ? kGetShare : kGetUpdate;
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(query, scope, id));
  if (rows.rows() == 0) return base::NotFound("SITE_NOT_FOUND", "no such site", {{"site", id}});
  return SiteAt(rows, 0);
}

absl::StatusOr<std::vector<Site>> ListSites(pg::Tx& tx, const Page& page, const Scope& scope) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kList, scope, page.after, page.limit));
  std::vector<Site> sites;
  for (int row = 0; row < rows.rows(); ++row) sites.push_back(SiteAt(rows, row));
  return sites;
}

absl::StatusOr<std::map<std::string, std::string>> PathsOf(pg::Tx& tx, const std::vector<std::string>& ids) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kPaths, ids));
  std::map<std::string, std::string> paths;
  for (int row = 0; row < rows.rows(); ++row) paths[rows.Text(row, 0)] = rows.Text(row, 1);
  return paths;
}

absl::Status UpdateSite(pg::Tx& tx, const Site& site) {
  return tx.Execute(kUpdate, site.id, site.display_name, site.kind).status();
}

absl::Status ArchiveSite(pg::Tx& tx, const std::string& id) {
  VW_ASSIGN_OR_RETURN(const pg::Result used, tx.Execute(kInUse, id));
  if (used.Bool(0, 0)) {
    return base::FailedPrecondition(
        "SITE_IN_USE", "sites, collectors or meters still stand there: move or delete them first", {{"site", id}});
  }
  return tx.Execute(kArchive, id).status();
}

}  // namespace voltwell::registry::store
