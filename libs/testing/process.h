// A child process of a test: a server it starts, and kills when it ends, also when the test crashes.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

namespace voltwell::testing {

// A TCP port on 127.0.0.1 that nobody listens on now, below the range from which the kernel takes ports for clients.
int FreePort();

// A new empty directory under /tmp, removed by its destructor.
class TempDirectory {
 public:
  explicit TempDirectory(const std::string& name);
  ~TempDirectory();
  TempDirectory(const TempDirectory&) = delete;
  TempDirectory& operator=(const TempDirectory&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct ProcessOptions {
  std::string user = {};                                // Run as this user (only root can); empty: as ourselves.
  std::string output = {};                              // File for stdout and stderr; empty: they are dropped.
  std::map<std::string, std::string> environment = {};  // Beside ours.
};

class Process {
 public:
  explicit Process(std::vector<std::string> command, ProcessOptions options = {});
  ~Process();  // Kills and waits.
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int number) const;
  // Waits for its end; the exit code, or 128 + signal.
  int Wait();
  bool Running();

 private:
  void Execute(const std::vector<std::string>& command, const ProcessOptions& options);
  pid_t pid_ = -1;
  int exit_code_ = -1;
};

// Runs to its end.
int RunProcess(std::vector<std::string> command, ProcessOptions options = {});

}  // namespace voltwell::testing
