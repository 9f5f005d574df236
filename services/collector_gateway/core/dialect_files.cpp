// Reading a directory of dialects; see dialect_files.h.
#include "services/collector_gateway/core/dialect_files.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "libs/base/status.h"
#include "libs/os/files.h"

namespace voltwell::gateway {

absl::StatusOr<Dialects> LoadDialects(const std::string& directory) {
  if (directory.empty()) return Dialects();
  std::error_code error;
  std::vector<std::filesystem::path> files;
  for (std::filesystem::directory_iterator it(directory, error), end; !error && it != end; it.increment(error)) {
    if (it->path().extension() == ".dialect") files.push_back(it->path());
  }
  if (error) {
    return base::NotFound("FILE_NOT_FOUND", "the directory of dialects cannot be read",
                          {{"path", directory}, {"error", error.message()}});
  }
  std::sort(files.begin(), files.end());
  std::vector<Dialect> dialects;
  for (const std::filesystem::path& file : files) {
    VW_ASSIGN_OR_RETURN(const std::string text, os::ReadFile(file.string(), kDialectFileMax));
    VW_ASSIGN_OR_RETURN(Dialect dialect, ParseDialect(file.stem().string(), text));
    dialects.push_back(std::move(dialect));
  }
  return Dialects::Make(std::move(dialects));
}

}  // namespace voltwell::gateway
