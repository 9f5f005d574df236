#include "libs/testing/temp_redis.h"

#include <signal.h>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/testing/eventually.h"

namespace voltwell::testing {

TempRedis::TempRedis() : directory_("redis") { Start(); }

TempRedis::~TempRedis() = default;

redis::Config TempRedis::config() const {
  redis::Config config;
  config.port = port_;
  return config;
}

bool TempRedis::Answers() const {
  metrics::Registry metrics;
  redis::Client client(config(), metrics);
  return client.Healthy();
}

void TempRedis::Start() {
  const bool first = port_ == 0;
  for (int tries = 0; tries < 5; ++tries) {
    if (first) port_ = FreePort();
    server_ = std::make_unique<Process>(std::vector<std::string>{"redis-server", "--port", absl::StrCat(port_),
                                                                 "--bind", "127.0.0.1", "--save", "", "--appendonly",
                                                                 "no", "--dir", directory_.path()});
    if (Eventually([&] { return Answers() || !server_->Running(); }) && server_->Running()) return;
  }
  VW_CHECK(false && "Redis did not start");
}

void TempRedis::Kill() {
  server_->Signal(SIGKILL);
  server_->Wait();
}

void TempRedis::Flush() {
  metrics::Registry metrics;
  redis::Client client(config(), metrics);
  VW_CHECK(client.Call({"FLUSHALL"}).ok());
}

}  // namespace voltwell::testing
