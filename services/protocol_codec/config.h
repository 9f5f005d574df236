// Options of voltwell-protocol-codec. It stores nothing and calls nobody, so there is little to say.
#pragma once

#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"

namespace voltwell::codec_service {

struct Config {
  log::Config log;
  rpc::ServerConfig rpc = {.port = 9003, .metrics_port = 9103};
  rpc::IdentityConfig identity;

  void Declare(config::Options& options) {
    log.Declare(options);
    rpc.Declare(options);
    identity.Declare(options);
  }
};

}  // namespace voltwell::codec_service
