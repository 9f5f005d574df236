// Publishes the collector directory into Redis (libs/directory): each change soon after its commit, and the whole of it
// under a new generation when Redis has lost it.
//
// Changes are marks (directory_dirty) written in their transaction. The worker reads marks, writes the entries as they
// are now, and deletes the marks: a kill at any moment repeats work, and forgets none. An advisory lock lets one
// replica publish at a time, or an older entry could overwrite a newer one.
#pragma once

#include <string>
#include <vector>

#include "libs/crypto/crypto.h"
#include "libs/metrics/metrics.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"
#include "libs/redis/redis.h"
#include "services/registry/bootstrap.h"

namespace voltwell::registry {

inline constexpr int kDirtyMax = 500;         // Marks of one pass.
inline constexpr int kDirectoryPage = 1'000;  // Entries of one round trip when all is published.

class DirectoryWorker {
 public:
  DirectoryWorker(pg::Pool& pool, const pg::Config& database, redis::Client& redis, crypto::SigningKey key,
                  const Bootstrap& bootstrap, metrics::Registry& metrics);
  ~DirectoryWorker();

 private:
  absl::Duration Step();
  // What Redis says of itself: a directory is whole if it has a generation and this is the server that it was written
  // to (one that was restarted may have lost the last second).
  absl::StatusOr<bool> IsWhole(std::string& server);
  absl::Status PublishAll(const std::string& server);
  absl::StatusOr<int> PublishAllLocked(pg::Tx& tx, const std::string& server);
  absl::StatusOr<int> PublishChanges();
  absl::Status Send(const std::vector<redis::Command>& commands);

  pg::Pool& pool_;
  redis::Client& redis_;
  const crypto::SigningKey key_;
  const Bootstrap& bootstrap_;
  prometheus::Gauge& entries_;
  prometheus::Counter& published_;
  prometheus::Counter& wholes_;
  bool failing_ = false;
  os::Worker worker_;  // Last: their threads use the rest.
  pg::Listener listener_;
};

}  // namespace voltwell::registry
