#include "libs/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"

namespace voltwell::os {
namespace {

// Closes a descriptor at the end of its scope.
struct Descriptor {
  int number;
  ~Descriptor() {
    if (number >= 0) close(number);
  }
};

absl::Status Unwritable(const std::string& path) {
  return base::FailedPrecondition("FILE_UNWRITABLE", absl::StrCat("cannot write ", path, ": ", std::strerror(errno)),
                                  {{"path", path}});
}

bool WriteAll(int descriptor, absl::string_view content) {
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    content.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path, size_t max) {
  const Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.number < 0) {
    const absl::string_view reason = errno == ENOENT ? "FILE_NOT_FOUND" : "FILE_UNREADABLE";
    const auto code = errno == ENOENT ? absl::StatusCode::kNotFound : absl::StatusCode::kFailedPrecondition;
    return base::Error(code, reason, absl::StrCat("cannot open ", path, ": ", std::strerror(errno)), {{"path", path}});
  }
  std::string content;
  char chunk[16384];
  for (;;) {
    const ssize_t got = read(file.number, chunk, sizeof(chunk));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      return base::FailedPrecondition("FILE_UNREADABLE", absl::StrCat("cannot read ", path, ": ", std::strerror(errno)),
                                      {{"path", path}});
    }
    if (got == 0) return content;
    content.append(chunk, static_cast<size_t>(got));
    if (content.size() > max) {
      return base::FailedPrecondition("FILE_TOO_LARGE", absl::StrCat(path, " is larger than ", max, " bytes"),
                                      {{"path", path}, {"max", absl::StrCat(max)}});
    }
  }
}

absl::Status WriteFile(const std::string& path, absl::string_view content, unsigned mode) {
  const std::string beside = absl::StrCat(path, ".new.", getpid());
  {
    const Descriptor file{open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)};
    if (file.number < 0) return Unwritable(path);
    if (!WriteAll(file.number, content) || fsync(file.number) != 0) {
      const absl::Status failed = Unwritable(path);
      unlink(beside.c_str());
      return failed;
    }
  }
  if (rename(beside.c_str(), path.c_str()) != 0) {
    const absl::Status failed = Unwritable(path);
    unlink(beside.c_str());
    return failed;
  }
  return absl::OkStatus();
}

}  // namespace voltwell::os
