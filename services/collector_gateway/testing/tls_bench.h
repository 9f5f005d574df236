// A hub with a port for TLS.
#pragma once

#include <string>
#include <vector>

#include "libs/testing/process.h"
#include "services/collector_gateway/testing/hub_bench.h"
#include "services/collector_gateway/testing/tls_collector.h"

namespace voltwell::gateway::testing {

// A gateway with a certificate, and the CA of its collectors.
struct TlsBench {
  explicit TlsBench(bool required = false, std::vector<std::string> proxies = {}) : bench(Config(required, proxies)) {}

  HubConfig Config(bool required, const std::vector<std::string>& proxies) {
    server.Write(folder.path() + "/server.pem", folder.path() + "/server.key");
    collectors_ca.Write(folder.path() + "/ca.pem", folder.path() + "/ca.key");
    HubConfig config = {.listen = "127.0.0.1", .port = 0, .tls_port = 0};
    config.tls = {folder.path() + "/server.pem", folder.path() + "/server.key", folder.path() + "/ca.pem", required};
    config.trusted_proxies = proxies;
    return config;
  }
  bool Registered(size_t count) {
    return voltwell::testing::Eventually([&] { return bench.routes.size() == count; });
  }

  voltwell::testing::TempDirectory folder{"gateway-tls"};
  Certificate server_ca{"server CA"};
  Certificate server{"gateway", &server_ca};
  Certificate collectors_ca{"collectors CA"};
  HubBench bench;
};

}  // namespace voltwell::gateway::testing
