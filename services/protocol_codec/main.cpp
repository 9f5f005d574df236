// voltwell-protocol-codec: what the bytes of meters mean. Wiring only.
#include <cstdio>

#include "libs/log/log.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/os/memory.h"
#include "libs/os/signal.h"
#include "libs/rpc/door.h"
#include "libs/rpc/server.h"
#include "services/protocol_codec/config.h"
#include "services/protocol_codec/profiles.h"
#include "services/protocol_codec/service.h"

int main(int argc, char** argv) {
  using namespace voltwell;
  const auto config = config::Load<codec_service::Config>(argc, argv);
  os::KeepMemorySmall();
  os::BlockTerminationSignals();
  log::Start(config.log, "protocol_codec");
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TokenVerifier verifier("protocol_codec", config.identity.trust_dir, clock, metrics);
  rpc::Door door("protocol_codec", verifier, clock, metrics);
  auto profiles = codec_service::LoadProfiles(config.profile_directory);
  if (!profiles.ok()) {
    std::fprintf(stderr, "voltwell-protocol-codec: %s\n", std::string(profiles.status().message()).c_str());
    return 2;
  }
  codec_service::CodecService codec(door, metrics, *std::move(profiles));
  return rpc::Server(config.rpc, "protocol_codec", metrics).Add(codec).Run();
}
