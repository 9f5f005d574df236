// Migrations. The shared ones of libs/pg/sql (S001__*) come first, then the service's own (V001__*). Several replicas
// may start at once: an advisory lock of the schema lets one work and the others find everything done.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"
#include "libs/log/log.h"
#include "libs/os/files.h"
#include "libs/pg/connection.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {
namespace {

constexpr absl::Duration kRetryEvery = absl::Milliseconds(200);  // While the database is not there yet.
constexpr absl::Duration kConnectWait = absl::Seconds(3);

constexpr Query kHasSchema{"migrate.has_schema", "SELECT 1 FROM pg_namespace WHERE nspname = $1"};
constexpr Query kLock{"migrate.lock", "SELECT pg_advisory_xact_lock(hashtextextended('voltwell.migrate.' || $1, 0))"};
constexpr Query kApplied{"migrate.applied", "SELECT file, sha256 FROM schema_migration"};
constexpr Query kRecord{"migrate.record", "INSERT INTO schema_migration (file, sha256) VALUES ($1, $2)"};
constexpr char kTable[] =
    "CREATE TABLE IF NOT EXISTS schema_migration (file text PRIMARY KEY, sha256 text NOT NULL, "
    "applied_at timestamptz NOT NULL DEFAULT now())";

struct File {
  std::string name;
  std::string sql;
  std::string sha256;
};

// V001__what_it_does.sql
bool IsName(absl::string_view name, char kind) {
  if (name.size() < 11 || name[0] != kind || name.substr(4, 2) != "__" || !absl::EndsWith(name, ".sql")) return false;
  for (const char c : name.substr(1, 3)) {
    if (!absl::ascii_isdigit(c)) return false;
  }
  return true;
}

absl::Status ReadDirectory(const std::string& directory, char kind, std::vector<File>& files) {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    const std::string name = entry.path().filename().string();
    if (!absl::EndsWith(name, ".sql")) continue;
    if (!IsName(name, kind)) {
      return base::InvalidArgument("MIGRATION_NAME",
                                   absl::StrCat(name, " is not named as ", std::string(1, kind), "001__what.sql"),
                                   {{"file", name}});
    }
    names.push_back(name);
  }
  if (error) {
    return base::NotFound("FILE_NOT_FOUND", absl::StrCat("no directory of migrations: ", directory),
                          {{"path", directory}});
  }
  std::sort(names.begin(), names.end());
  for (size_t i = 1; i < names.size(); ++i) {
    if (names[i].substr(0, 4) != names[i - 1].substr(0, 4)) continue;
    return base::InvalidArgument("MIGRATION_NAME", absl::StrCat("two migrations have the number of ", names[i]),
                                 {{"file", names[i]}});
  }
  for (const std::string& name : names) {
    VW_ASSIGN_OR_RETURN(std::string sql, os::ReadFile(absl::StrCat(directory, "/", name)));
    const std::string sha256 = base::ToHex(base::AsBytes(crypto::Sha256(sql)));
    files.push_back({name, std::move(sql), sha256});
  }
  return absl::OkStatus();
}

}  // namespace

class Migrator {
 public:
  Migrator(const Config& config, absl::Duration deadline) : config_(config), deadline_(deadline) {
    // A migration may rewrite a table; only the caller's deadline bounds it.
    const absl::Duration left = deadline - MonotonicNow();
    config_.statement_timeout = std::clamp(left, absl::Milliseconds(1), absl::Hours(24));
  }

  absl::Status Connect() {
    for (;;) {
      auto connection = Connection::Open(config_, std::min(deadline_, MonotonicNow() + kConnectWait));
      if (connection.ok()) {
        connection_ = *std::move(connection);
        return absl::OkStatus();
      }
      if (MonotonicNow() + kRetryEvery >= deadline_) return connection.status();
      std::this_thread::sleep_for(absl::ToChronoNanoseconds(kRetryEvery));
    }
  }

  absl::Status Prepare() {
    return Transact([&](Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(tx.Execute(kLock, config_.schema).status());
      VW_ASSIGN_OR_RETURN(const Result found, tx.Execute(kHasSchema, config_.schema));
      if (found.rows() == 0) {
        const std::string quoted = absl::StrReplaceAll(config_.schema, {{"\"", "\"\""}});
        VW_RETURN_IF_ERROR(tx.Script("migrate.schema", absl::StrCat("CREATE SCHEMA \"", quoted, "\"")));
      }
      return tx.Script("migrate.table", kTable);
    });
  }

  // Applies the file unless it was; the lock is taken and the record read anew for each, so that replicas interleave.
  absl::Status Apply(const File& file) {
    return Transact([&](Tx& tx) -> absl::Status {
      VW_RETURN_IF_ERROR(tx.Execute(kLock, config_.schema).status());
      VW_ASSIGN_OR_RETURN(const Result rows, tx.Execute(kApplied));
      for (int row = 0; row < rows.rows(); ++row) {
        if (rows.Text(row, 0) != file.name) continue;
        if (rows.Text(row, 1) == file.sha256) return absl::OkStatus();
        return base::FailedPrecondition("MIGRATION_CHANGED",
                                        absl::StrCat(file.name, " was applied and then changed: write a new one"),
                                        {{"file", file.name}});
      }
      const absl::Status applied = tx.Script(file.name, file.sql);
      if (!applied.ok()) return applied;
      log::Info("migration applied", {{"schema", config_.schema}, {"file", file.name}});
      return tx.Execute(kRecord, file.name, file.sha256).status();
    });
  }

 private:
  absl::Status Transact(const std::function<absl::Status(Tx&)>& body) {
    connection_->Begin({.name = "migrate"}, deadline_);
    Tx tx(*connection_);
    const absl::Status status = body(tx);
    if (status.ok()) return connection_->Commit();
    connection_->Rollback();
    return status;
  }

  Config config_;
  const absl::Duration deadline_;
  std::unique_ptr<Connection> connection_;
};

absl::Status Migrate(const Config& config, const std::string& directory, os::Clock& clock, absl::Time deadline) {
  std::vector<File> files;
  VW_RETURN_IF_ERROR(ReadDirectory(config.sql_dir.empty() ? VOLTWELL_PG_SQL_DIR : config.sql_dir, 'S', files));
  VW_RETURN_IF_ERROR(ReadDirectory(directory, 'V', files));
  absl::Duration real_deadline = absl::InfiniteDuration();
  if (deadline != absl::InfiniteFuture()) real_deadline = MonotonicNow() + (deadline - clock.Now());
  Migrator migrator(config, real_deadline);
  VW_RETURN_IF_ERROR(migrator.Connect());
  VW_RETURN_IF_ERROR(migrator.Prepare());
  for (const File& file : files) VW_RETURN_IF_ERROR(migrator.Apply(file));
  return absl::OkStatus();
}

}  // namespace voltwell::pg
