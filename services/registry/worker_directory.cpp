#include "services/registry/worker_directory.h"

#include <map>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/log/log.h"
#include "services/registry/store_collectors.h"
#include "services/registry/viewer.h"

namespace voltwell::registry {
namespace {

constexpr absl::Duration kLookEvery = absl::Seconds(1);
constexpr absl::Duration kNotYet = absl::Milliseconds(100);  // While the database is not there.
constexpr absl::Duration kAfterFailure = absl::Milliseconds(500);
constexpr char kServerKey[] = "directory:server";  // run_id of the Redis process that the directory was written to.
constexpr char kNextKey[] = "directory:next";      // The directory under way, until it is whole.

constexpr pg::Query kLock{"directory.lock",
                          "SELECT pg_try_advisory_xact_lock(hashtextextended('registry.directory', 0))"};
constexpr pg::Query kGeneration{"directory.generation", "SELECT nextval('directory_generation')"};
#define VW_ENTRY_SELECT                                                                             \
  "SELECT b.registration_id, c.registration_id, c.id, c.tenant, b.number, b.baud, b.link_time_ms, " \
  "c.dialect, c.heartbeat_hex, c.source_network, b.port, c.dial_target, c.assurance, c.sealed_key " \
  "FROM collector_bus b JOIN collector c ON c.id = b.collector "
constexpr pg::Query kPage{"directory.page",
                          VW_ENTRY_SELECT "WHERE b.registration_id > $1 ORDER BY b.registration_id LIMIT $2"};
constexpr pg::Query kSome{"directory.some", VW_ENTRY_SELECT "WHERE b.registration_id = ANY ($1)"};
#undef VW_ENTRY_SELECT
constexpr pg::Query kDirty{"directory.dirty", "SELECT id, registration_id FROM directory_dirty ORDER BY id LIMIT $1"};
constexpr pg::Query kClean{"directory.clean", "DELETE FROM directory_dirty WHERE id = ANY ($1)"};

directory::Entry EntryAt(const pg::Result& rows, int row) {
  return {.registration_id = rows.Text(row, 0),
          .collector = rows.Text(row, 1),
          .collector_id = rows.Text(row, 2),
          .tenant = rows.Text(row, 3),
          .bus = static_cast<int>(rows.Int(row, 4)),
          .baud = static_cast<int>(rows.Int(row, 5)),
          .link_time_ms = static_cast<int>(rows.Int(row, 6)),
          .dialect = rows.Text(row, 7),
          .heartbeat_hex = rows.Text(row, 8),
          .source_network = rows.Text(row, 9),
          .port = static_cast<int>(rows.Int(row, 10)),
          .dial_target = rows.Text(row, 11),
          .assurance = std::string(WordOf(static_cast<Assurance>(rows.Int(row, 12)))),
          .sealed_key = rows.Text(row, 13)};
}

std::string RunId(const std::string& info) {
  for (const absl::string_view line : absl::StrSplit(info, '\n')) {
    if (absl::StartsWith(line, "run_id:")) return std::string(absl::StripAsciiWhitespace(line.substr(7)));
  }
  return "";
}

}  // namespace

DirectoryWorker::DirectoryWorker(pg::Pool& pool, const pg::Config& database, redis::Client& redis,
                                 crypto::SigningKey key, const Bootstrap& bootstrap, metrics::Registry& metrics)
    : pool_(pool),
      redis_(redis),
      key_(std::move(key)),
      bootstrap_(bootstrap),
      entries_(metrics.Gauge("voltwell_registry_directory_entries",
                             "Entries of the directory when it was last published whole")),
      published_(metrics.Counter("voltwell_registry_directory_changes_total", "Entries written or removed one by one")),
      wholes_(
          metrics.Counter("voltwell_registry_directory_generations_total", "Times the directory was published whole")),
      worker_("directory", [this] { return Step(); }),
      listener_(database, {store::kDirectoryChannel}, [this](const std::string&) { worker_.Wake(); }) {}

DirectoryWorker::~DirectoryWorker() { worker_.Stop(); }

absl::Duration DirectoryWorker::Step() {
  if (!bootstrap_.done()) return kNotYet;
  std::string server;
  absl::StatusOr<bool> whole = IsWhole(server);
  absl::Status status = whole.status();
  if (status.ok() && !*whole) status = PublishAll(server);
  absl::StatusOr<int> changes = 0;
  if (status.ok()) {
    changes = PublishChanges();
    status = changes.status();
  }
  if (status.ok()) {
    failing_ = false;
    return *changes == kDirtyMax ? absl::ZeroDuration() : kLookEvery;
  }
  if (!failing_) log::Warning("the collector directory cannot be published", {{"error", status.ToString()}});
  failing_ = true;
  return kAfterFailure;
}

absl::StatusOr<bool> DirectoryWorker::IsWhole(std::string& server) {
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies,
                      redis_.Pipeline({{"INFO", "server"}, {"GET", directory::kGenerationKey}, {"GET", kServerKey}}));
  server = RunId(replies[0].text);
  return !replies[1].nil() && !replies[2].nil() && replies[2].text == server;
}

absl::Status DirectoryWorker::PublishAll(const std::string& server) {
  int count = 0;
  VW_RETURN_IF_ERROR(
      pool_.Transact({.name = "directory.publish", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
        VW_ASSIGN_OR_RETURN(count, PublishAllLocked(tx, server));
        return absl::OkStatus();
      }));
  if (count < 0) return absl::OkStatus();  // Another replica does it.
  entries_.Set(count);
  wholes_.Increment();
  log::Info("collector directory published", {{"entries", count}});
  return absl::OkStatus();
}

absl::StatusOr<int> DirectoryWorker::PublishAllLocked(pg::Tx& tx, const std::string& server) {
  VW_ASSIGN_OR_RETURN(const pg::Result locked, tx.Execute(kLock));
  if (!locked.Bool(0, 0)) return -1;
  std::string same_server;
  VW_ASSIGN_OR_RETURN(const bool whole, IsWhole(same_server));
  if (whole || same_server != server) return -1;
  VW_RETURN_IF_ERROR(Send({{"DEL", kNextKey}}));
  int count = 0;
  std::string after;
  for (;;) {
    VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kPage, after, kDirectoryPage));
    redis::Command command = {"HSET", kNextKey};
    for (int row = 0; row < rows.rows(); ++row) {
      const directory::Entry entry = EntryAt(rows, row);
      command.push_back(entry.registration_id);
      command.push_back(directory::Encode(entry, key_));
      after = entry.registration_id;
    }
    if (rows.rows() > 0) VW_RETURN_IF_ERROR(Send({command}));
    count += rows.rows();
    if (rows.rows() < kDirectoryPage) break;
  }
  // Last, since it is the transaction's first write: until then it holds up no event.
  VW_ASSIGN_OR_RETURN(const pg::Result generation, tx.Execute(kGeneration));
  const redis::Command replace = count == 0 ? redis::Command{"DEL", directory::kDirectoryKey}
                                            : redis::Command{"RENAME", kNextKey, directory::kDirectoryKey};
  VW_RETURN_IF_ERROR(Send({{"MULTI"},
                           replace,
                           {"SET", kServerKey, server},
                           {"SET", directory::kGenerationKey, absl::StrCat(generation.Int(0, 0))},
                           {"EXEC"}}));
  return count;
}

absl::StatusOr<int> DirectoryWorker::PublishChanges() {
  int done = 0;
  const absl::Status status =
      pool_.Transact({.name = "directory.changes", .tenant = kAllTenants}, [&](pg::Tx& tx) -> absl::Status {
        done = 0;
        VW_ASSIGN_OR_RETURN(const pg::Result marks, tx.Execute(kDirty, kDirtyMax));
        if (marks.rows() == 0) return absl::OkStatus();
        VW_ASSIGN_OR_RETURN(const pg::Result locked, tx.Execute(kLock));
        if (!locked.Bool(0, 0))
          return absl::OkStatus();  // Another replica does it; the marks stay until they are deleted.
        std::vector<int64_t> ids;
        std::set<std::string> changed;
        for (int row = 0; row < marks.rows(); ++row) {
          ids.push_back(marks.Int(row, 0));
          changed.insert(marks.Text(row, 1));
        }
        VW_ASSIGN_OR_RETURN(const pg::Result rows,
                            tx.Execute(kSome, std::vector<std::string>(changed.begin(), changed.end())));
        std::map<std::string, directory::Entry> present;
        for (int row = 0; row < rows.rows(); ++row) present[rows.Text(row, 0)] = EntryAt(rows, row);
        std::vector<redis::Command> commands;
        for (const std::string& id : changed) {
          const auto entry = present.find(id);
          if (entry != present.end()) {
            commands.push_back({"HSET", directory::kDirectoryKey, id, directory::Encode(entry->second, key_)});
          } else {
            commands.push_back({"HDEL", directory::kDirectoryKey, id});
          }
          commands.push_back({"XADD", directory::kChangesKey, "MAXLEN", "~", absl::StrCat(directory::kChangesMax), "*",
                              directory::kFieldRegistrationId, id});
        }
        VW_RETURN_IF_ERROR(Send(commands));
        done = marks.rows();
        published_.Increment(static_cast<double>(changed.size()));
        return tx.Execute(kClean, ids).status();
      });
  if (!status.ok()) return status;
  return done;
}

absl::Status DirectoryWorker::Send(const std::vector<redis::Command>& commands) {
  VW_ASSIGN_OR_RETURN(const std::vector<redis::Reply> replies, redis_.Pipeline(commands));
  for (const redis::Reply& reply : replies) {
    if (reply.kind == redis::Reply::Kind::kError) return base::Internal("REDIS_ERROR", reply.text);
  }
  return absl::OkStatus();
}

}  // namespace voltwell::registry
