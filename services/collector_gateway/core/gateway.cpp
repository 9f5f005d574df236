// Start and stop; see gateway.h.
#include "services/collector_gateway/core/gateway.h"

#include <utility>

namespace voltwell::gateway {

Gateway::Gateway(HubConfig hub, LinkKeeperConfig links, std::string directory_key_file, redis::Client& redis,
                 os::Clock& clock, os::Random& random, GatewayMetrics& metrics,
                 std::shared_ptr<const Dialects> dialects, std::optional<crypto::UnsealingKey> unsealing,
                 DiallerConfig dial)
    : links_(std::move(links), redis, routes_, clock, metrics),
      feed_(links_, clock),
      hub_(std::move(hub), clock, random, routes_, feed_, metrics),
      dialler_(std::move(dial), redis, routes_, clock, random, metrics),
      directory_(std::move(directory_key_file), redis, metrics, kDirectoryEntriesMax, std::move(dialects),
                 std::move(unsealing)) {}

Gateway::~Gateway() { Stop(); }

absl::Status Gateway::Start() {
  const absl::Status listening = hub_.Start();
  if (!listening.ok()) return listening;
  links_.Start([this](SessionId id, const char* reason) { hub_.Close(id, reason); });
  const absl::Status dialling = dialler_.Start(
      [this](int fd, const Peer& peer, const BusEntryPtr& entry) { hub_.AdoptDialled(fd, peer, entry); },
      [this](const std::string& collector, const char* reason) { hub_.CloseCollector(collector, reason); });
  if (!dialling.ok()) return dialling;
  directory_.Start([this](std::shared_ptr<const DirectoryCopy> copy, bool usable) { UseDirectory(copy, usable); });
  return absl::OkStatus();
}

void Gateway::UseDirectory(const std::shared_ptr<const DirectoryCopy>& copy, bool usable) {
  hub_.UseDirectory(copy, usable);
  dialler_.UseDirectory(copy);
}

void Gateway::Drain() {
  directory_.Stop();
  dialler_.Stop();
  hub_.Drain(kDrainMax);
  hub_.CloseAll();  // While links still tells Redis of their end.
  dialler_.Release();
  links_.Stop(kLinkFlushMax);
}

void Gateway::Stop() {
  directory_.Stop();
  dialler_.Stop();
  links_.Stop(kLinkFlushMax);
  hub_.Stop();
}

}  // namespace voltwell::gateway
