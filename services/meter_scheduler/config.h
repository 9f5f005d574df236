// Options of meter_scheduler.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/pg/pg.h"
#include "libs/redis/redis.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"
#include "services/meter_scheduler/security_module.h"

namespace voltwell::scheduler {

struct Config {
  log::Config log;
  rpc::IdentityConfig identity;
  rpc::ServerConfig rpc;
  pg::Config pg;
  redis::Config redis;
  std::string replica = "meter-scheduler-0";
  std::string codec_address = "127.0.0.1:9003";
  std::string registry_address = "127.0.0.1:9001";
  std::string sql_directory = VOLTWELL_SCHEDULER_SQL_DIR;
  std::string meter_time_zone = "Asia/Shanghai";
  std::string meter_password = "02000000";
  std::string meter_operator = "00000000";
  bool keep_exchange_bytes = true;
  absl::Duration drain = absl::Seconds(8);

  Config() {
    rpc.port = 9002;
    rpc.metrics_port = 9102;
    pg.schema = "scheduler";
    pg.pool_size = 12;
  }

  void Declare(config::Options& options) {
    log.Declare(options);
    identity.Declare(options);
    rpc.Declare(options);
    pg.Declare(options);
    redis.Declare(options);
    options.Text("replica", &replica, "name of this replica, in its lease", {.required = true});
    options.Text("codec-address", &codec_address, "host:port of protocol_codec", {.required = true});
    options.Text("registry-address", &registry_address, "host:port of registry", {.required = true});
    options.Text("sql-directory", &sql_directory, "directory of the migrations V001__*.sql", {.required = true});
    options.Text("meter-time-zone", &meter_time_zone, "zone of the meters' clocks", {.required = true});
    options.Text("meter-password", &meter_password, "DL/T 645 PA P0 P1 P2 of every meter, 8 hexadecimal digits",
                 {.secret = true});
    options.Text("meter-operator", &meter_operator, "DL/T 645 operator code C0 to C3, 8 hexadecimal digits",
                 {.secret = true});
    options.Bool("keep-exchange-bytes", &keep_exchange_bytes, "keep the bytes of each exchange for 90 days");
    options.Duration("road-drain", &drain, "exchanges under way may take this long after SIGTERM");
  }

  // A mistake in these stops the start: a wrong password would lock meters out.
  RelaySecret Secret() const {
    const absl::StatusOr<std::string> password = base::FromHex(meter_password);
    const absl::StatusOr<std::string> code = base::FromHex(meter_operator);
    VW_CHECK(password.ok() && password->size() == 4 && code.ok() && code->size() == 4);
    return {*password, *code};
  }
  absl::TimeZone MeterZone() const {
    absl::TimeZone zone;
    VW_CHECK(absl::LoadTimeZone(meter_time_zone, &zone));
    return zone;
  }
};

}  // namespace voltwell::scheduler
