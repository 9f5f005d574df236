// Options of the registry; each is declared once, here or by the library it configures.
#pragma once

#include <string>

#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/pg/pg.h"
#include "libs/redis/redis.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"
#include "services/registry/bootstrap.h"

namespace voltwell::registry {

struct Config {
  std::string directory_key;
  std::string sealing_public_key_file;
  absl::Duration session_lifetime = absl::Hours(12);
  BootstrapConfig bootstrap;
  log::Config log;
  pg::Config pg;
  redis::Config redis;
  rpc::IdentityConfig identity;
  rpc::ServerConfig rpc;

  void Declare(config::Options& options) {
    options.Text("directory-key", &directory_key,
                 "Base64url seed of the Ed25519 key that signs the collector directory",
                 {.required = true, .secret = true});
    options.Text(
        "sealing-public-key-file", &sealing_public_key_file,
        "Public X25519 key, base64url, that collectors' keys are sealed with for the gateways; empty: sealing.pub "
        "in the trust directory");
    options.Duration("session-lifetime", &session_lifetime, "A person must sign in again after this", absl::Minutes(1),
                     absl::Hours(24 * 30));
    bootstrap.Declare(options);
    log.Declare(options);
    pg.schema = "registry";
    pg.pool_size = 12;
    pg.Declare(options);
    redis.Declare(options);
    identity.Declare(options);
    rpc.port = 9001;
    rpc.Declare(options);
  }

  std::string SealingPublicKeyFile() const {
    return sealing_public_key_file.empty() ? identity.trust_dir + "/sealing.pub" : sealing_public_key_file;
  }
};

}  // namespace voltwell::registry
