#include "services/registry/domain/site.h"

#include <algorithm>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "services/registry/domain/names.h"

namespace voltwell::registry {
namespace {

constexpr int kKindLast = 6;  // DORMITORY

}  // namespace

absl::Status CheckSite(const Site& site) {
  VW_RETURN_IF_ERROR(CheckDisplayName(site.display_name));
  if (site.kind < 1 || site.kind > kKindLast) {
    return base::InvalidArgument("BAD_KIND", "kind must be one of the known kinds of site", {{"field", "kind"}});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> PathBelow(const std::string& parent_path, const std::string& id) {
  std::string path = absl::StrCat(parent_path.empty() ? "/" : parent_path, id, "/");
  const auto depth = std::count(path.begin(), path.end(), '/') - 1;
  if (depth > kSiteDepthMax) {
    return base::InvalidArgument("SITE_TOO_DEEP", "a tree of sites may be 16 levels deep", {{"field", "parent"}});
  }
  return path;
}

bool InScope(const std::vector<std::string>& scope, const std::string& path) {
  return scope.empty() ||
         std::any_of(scope.begin(), scope.end(), [&](const std::string& top) { return absl::StartsWith(path, top); });
}

}  // namespace voltwell::registry
