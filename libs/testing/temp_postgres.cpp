#include "libs/testing/temp_postgres.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/testing/eventually.h"

namespace voltwell::testing {
namespace {

namespace fs = std::filesystem;

// The newest installed server's programs: Debian keeps them out of PATH.
std::string BinDirectory() {
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator("/usr/lib/postgresql", error)) {
    newest = std::max(newest, entry.path().string());
  }
  return newest.empty() ? "" : newest + "/bin/";
}

// PostgreSQL refuses to run as root.
ProcessOptions ServerUser() { return {.user = getuid() == 0 ? "postgres" : ""}; }

// Runs SQL in single-user mode, where no server is needed yet.
void RunSingle(const std::string& data, const std::string& sql) {
  const std::string command =
      absl::StrCat("echo \"", sql, "\" | ", BinDirectory(), "postgres --single -D ", data, " postgres");
  VW_CHECK(RunProcess({"sh", "-c", command}, ServerUser()) == 0);
}

// initdb costs a second or more, a copy of its result a tenth. The lock lets programs that start together share one.
std::string Template() {
  const std::string directory = absl::StrCat("/tmp/voltwell-postgres-template-2-", getuid());
  const std::string lock_path = directory + ".lock";
  const int lock = open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  VW_CHECK(lock >= 0 && flock(lock, LOCK_EX) == 0);
  if (!fs::exists(directory + "/ready")) {
    const std::string data = directory + "/data";
    fs::remove_all(directory);
    fs::create_directory(directory);
    VW_CHECK(chmod(directory.c_str(), 0777) == 0);  // The server's user writes into it.
    VW_CHECK(RunProcess({BinDirectory() + "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
                         "--no-locale", "--no-sync", "--wal-segsize=1"},
                        ServerUser()) == 0);
    RunSingle(data, "CREATE ROLE voltwell LOGIN;");
    RunSingle(data, "CREATE DATABASE voltwell OWNER voltwell;");
    std::ofstream(directory + "/ready") << "1\n";
  }
  close(lock);
  return directory + "/data";
}

}  // namespace

TempPostgres::TempPostgres() : directory_("postgres") {
  const std::string source = Template();
  VW_CHECK(chmod(directory_.path().c_str(), 0777) == 0);
  const std::string data = directory_.path() + "/data";
  VW_CHECK(RunProcess({"cp", "-a", "--reflink=auto", source, data}, ServerUser()) == 0);
  Start();
}

TempPostgres::~TempPostgres() {
  if (server_ != nullptr) Kill();
}

std::string TempPostgres::UrlAt(int port) const {
  return absl::StrCat("postgresql://voltwell@127.0.0.1:", port, "/voltwell");
}

std::string TempPostgres::superuser_url() const {
  return absl::StrCat("postgresql://postgres@127.0.0.1:", port_, "/voltwell");
}

pg::Config TempPostgres::config(const std::string& schema) const {
  pg::Config config;
  config.url = url();
  config.schema = schema;
  return config;
}

bool TempPostgres::Answers() const { return PQping(superuser_url().c_str()) == PQPING_OK; }

void TempPostgres::Start() {
  // A port may be taken between the search and the start; then another one is tried. A restart keeps its port.
  const bool first = port_ == 0;
  for (int tries = 0; tries < 5; ++tries) {
    if (first) port_ = FreePort();
    ProcessOptions options = ServerUser();
    options.output = directory_.path() + "/log";
    std::ofstream(options.output, std::ios::app).flush();
    VW_CHECK(chmod(options.output.c_str(), 0666) == 0);
    server_ = std::make_unique<Process>(std::vector<std::string>{BinDirectory() + "postgres",
                                                                 "-D",
                                                                 directory_.path() + "/data",
                                                                 "-p",
                                                                 absl::StrCat(port_),
                                                                 "-c",
                                                                 "listen_addresses=127.0.0.1",
                                                                 "-c",
                                                                 "unix_socket_directories=",
                                                                 "-c",
                                                                 "fsync=off",
                                                                 "-c",
                                                                 "full_page_writes=off",
                                                                 "-c",
                                                                 "shared_buffers=32MB",
                                                                 "-c",
                                                                 "max_connections=100",
                                                                 "-c",
                                                                 "log_min_messages=warning",
                                                                 "-c",
                                                                 "max_wal_size=1GB",
                                                                 "-c",
                                                                 "jit=off"},
                                        options);
    if (Eventually([&] { return Answers() || !server_->Running(); }, absl::Seconds(20)) && server_->Running()) return;
  }
  VW_CHECK(false && "PostgreSQL did not start");
}

void TempPostgres::Kill() {
  // SIGQUIT of the postmaster ends all its children at once, without a checkpoint; its own SIGKILL would leave them.
  server_->Signal(SIGQUIT);
  server_->Wait();
  server_ = nullptr;
}

void TempPostgres::Stop() {
  server_->Signal(SIGINT);
  server_->Wait();
  server_ = nullptr;
}

TempPostgres& SharedPostgres() {
  static TempPostgres postgres;
  return postgres;
}

std::string NewSchema() {
  static std::atomic<int> last = 0;
  return absl::StrCat("t", ++last);
}

}  // namespace voltwell::testing
