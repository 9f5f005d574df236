// Options of voltwell-protocol-codec. It stores nothing and calls nobody, so there is little to say.
#pragma once

#include <string>

#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"

namespace voltwell::codec_service {

struct Config {
  log::Config log;
  rpc::ServerConfig rpc = {.port = 9003, .metrics_port = 9103};
  rpc::IdentityConfig identity;
  std::string profile_directory = {};

  void Declare(config::Options& options) {
    log.Declare(options);
    rpc.Declare(options);
    identity.Declare(options);
    options.Text("profile-directory", &profile_directory,
                 "Directory of meter profiles (*.profile), read at start; empty: only the standards");
  }
};

}  // namespace voltwell::codec_service
