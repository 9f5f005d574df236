// The built front ends: files of one directory, with validators and caching rules. Small files, read when asked for:
// the page cache holds them, our memory does not.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "libs/http/http.h"

namespace voltwell::http {

inline constexpr size_t kStaticFileMax = 16 * 1024 * 1024;  // A larger file is not served.

struct StaticAnswer {
  Headers headers = {};
  std::string body = {};
};

class StaticFiles {
 public:
  // `not_pages`: prefixes of paths that never fall back to the page, e.g. "/voltwell.".
  StaticFiles(const std::string& directory, std::vector<std::string> not_pages);

  // Nothing when no file answers it: the caller says 404. A GET for a path without file that asks for text/html gets
  // index.html, since the page itself knows its views.
  std::optional<StaticAnswer> Find(const Request& request) const;

 private:
  struct Found {
    std::string path;
    bool immutable = false;
  };
  std::optional<Found> Locate(absl::string_view path) const;
  std::optional<StaticAnswer> Serve(const Request& request, const Found& found) const;

  std::string root_;  // Canonical; empty: nothing to serve.
  std::vector<std::string> not_pages_;
};

}  // namespace voltwell::http
