// A place in the tree of places.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace voltwell::registry {

inline constexpr int kSiteDepthMax = 16;

struct Site {
  std::string id = {};
  std::string tenant = {};
  std::string parent = {};  // Id; empty: a root.
  std::string display_name = {};
  int kind = 0;  // Number of voltwell.registry.v1.Site.Kind.
  std::string path = {};
  absl::Time created_at = absl::UnixEpoch();
};

// BAD_DISPLAY_NAME, BAD_KIND.
absl::Status CheckSite(const Site& site);

// Path of a site below `parent_path` (empty: a root). SITE_TOO_DEEP beyond kSiteDepthMax.
absl::StatusOr<std::string> PathBelow(const std::string& parent_path, const std::string& id);

// Whether a caller limited to `scope` (paths; empty: all) may act at `path`.
bool InScope(const std::vector<std::string>& scope, const std::string& path);

}  // namespace voltwell::registry
