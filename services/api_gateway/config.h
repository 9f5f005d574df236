// All options of voltwell-api-gateway.
#pragma once

#include <string>
#include <vector>

#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/rpc/identity.h"

namespace voltwell::front {

struct Config {
  log::Config log;
  rpc::IdentityConfig identity;
  std::string listen = "127.0.0.1";
  int port = 8080;
  int metrics_port = 9100;
  std::vector<std::string> targets = {"registry=127.0.0.1:9001", "scheduler=127.0.0.1:9002"};
  std::string descriptors = {};
  std::string static_dir = {};
  std::vector<std::string> trusted_proxies = {};
  std::vector<std::string> allowed_origins = {};
  bool secure_cookies = false;
  int connections = 4096;
  int connections_per_address = 512;
  int rate_per_address = 2000;
  int rate_per_token = 1000;
  int logins_per_minute = 20;
  absl::Duration drain = absl::Seconds(10);

  void Declare(config::Options& options) {
    log.Declare(options);
    identity.Declare(options);
    options.Text("listen", &listen, "Address that HTTP and metrics listen on");
    options.Int("port", &port, "HTTP port; 0: any free one", {.min = 0, .max = 65535});
    options.Int("metrics-port", &metrics_port, "HTTP port of /metrics and /healthz; 0: any free one",
                {.min = 0, .max = 65535});
    options.List("target", &targets,
                 "Where services are: package=host:port, replicas parted by '|', e.g. scheduler=a:9002|b:9002");
    options.Text("descriptors", &descriptors,
                 "File of the contract's descriptors; empty: gen/ or share/voltwell/ beside the program's directory");
    options.Text("static-dir", &static_dir, "Directory of the built front end; empty: none is served");
    options.List("trusted-proxies", &trusted_proxies, "Networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8");
    options.List("allowed-origins", &allowed_origins,
                 "Origins beside our own whose pages may use the cookie, e.g. https://console.example");
    options.Bool("secure-cookies", &secure_cookies, "Cookies for HTTPS only; set it where TLS ends before us");
    options.Int("connections", &connections, "HTTP connections at most; beyond it 503", {.min = 1, .max = 100'000});
    options.Int("connections-per-address", &connections_per_address,
                "Of one address; raise it to --connections behind a proxy", {.min = 1, .max = 100'000});
    options.Int("rate-per-address", &rate_per_address, "Calls a second of one address", {.min = 1, .max = 1'000'000});
    options.Int("rate-per-token", &rate_per_token, "Calls a second of one session", {.min = 1, .max = 1'000'000});
    options.Int("logins-per-minute", &logins_per_minute, "Sign-ins a minute of one address",
                {.min = 1, .max = 100'000});
    options.Duration("drain", &drain, "Time that requests under way get after SIGTERM", absl::ZeroDuration(),
                     absl::Minutes(10));
  }
};

}  // namespace voltwell::front
