// From an empty or absent database to one that serves: waits for it, migrates, and makes the first tenant and its
// admin. Calls are answered with DATABASE_DOWN until this is done.
#pragma once

#include <atomic>
#include <string>

#include "absl/status/status.h"
#include "libs/config/config.h"
#include "libs/os/clock.h"
#include "libs/os/random.h"
#include "libs/os/worker.h"
#include "libs/pg/pg.h"

namespace voltwell::registry {

struct BootstrapConfig {
  std::string tenant;          // Id; empty: none is made.
  std::string tenant_name;     // As shown; empty: the id.
  std::string admin_user;      // Empty: none is made.
  std::string admin_password;  // Secret. Of a new admin only: one that exists keeps his.
  std::string sql_directory = VOLTWELL_REGISTRY_SQL_DIR;
  void Declare(config::Options& options);
};

class Bootstrap {
 public:
  Bootstrap(BootstrapConfig config, pg::Config database, pg::Pool& pool, os::Clock& clock, os::Random& random);
  absl::Status Ready() const;  // For Door::Require.
  bool done() const { return done_; }

 private:
  absl::Duration Step();
  absl::Status MakeFirst();

  const BootstrapConfig config_;
  const pg::Config database_;
  pg::Pool& pool_;
  os::Clock& clock_;
  os::Random& random_;
  std::atomic<bool> done_ = false;
  bool told_ = false;
  os::Worker worker_;  // Last: its thread uses the rest.
};

}  // namespace voltwell::registry
