// A second connection with the id of a live session: the newcomer waits outside while the holder is probed; see
// shard.h. Nothing of ours may go out on the bus, so the probe is TCP's own keepalive, and the proof of life whatever
// comes back.
#include <algorithm>

#include "libs/log/log.h"
#include "services/collector_gateway/core/shard.h"
#include "services/collector_gateway/core/socket_options.h"
#include "services/collector_gateway/core/tcp_liveness.h"

namespace voltwell::gateway {
namespace {

constexpr int kProbeSeconds = 1;  // The least that the kernel takes; it probes at once when the line idled longer.

bool WinsAtOnce(const Route& newcomer, const Route& holder) {
  // A key or a certificate proves who it is, an id and an address do not.
  if (newcomer.shown != holder.shown) return newcomer.shown > holder.shown;
  // At the other end is the balancer, whose kernel answers for a collector that is long dead: no probe tells.
  if (holder.through_proxy) return true;
  // From the same address the box itself has come back: its old connection is of no use to it, alive or not.
  return holder.peer.address == newcomer.peer.address;
}

}  // namespace

// True when the newcomer must wait for a verdict.
bool Shard::MustAsk(Session& session, const Route& newcomer, const Identified& identified) {
  const std::optional<Route> holder = context_.routes.Find({identified.entry->collector, identified.entry->bus});
  if (!holder.has_value() || holder->session == IdOf(session)) return false;
  // The verdict on this one is in. Of another, that took over meanwhile, it is asked anew.
  if (session.arrival->holder == holder->session) return false;
  if (WinsAtOnce(newcomer, *holder)) return false;
  session.arrival->asked = true;
  session.arrival->holder = holder->session;
  session.arrival->claim = identified;
  // Twice as long as a probe may take: should the verdict be lost, the newcomer is not kept for ever.
  session.arrival->asked_until = loop_.now() + 2 * kTakeoverMax;
  context_.metrics.takeovers.Increment();
  context_.probe(holder->session, IdOf(session));
  Rearm(session);
  return true;
}

void Shard::Probe(SessionId id, SessionId newcomer) {
  Session* const holder = Find(id);
  if (holder == nullptr || holder->entry == nullptr) {
    context_.verdict(newcomer, Holder::kGone);
    return;
  }
  const auto [asked, fresh] = takeovers_.try_emplace(id);
  Takeover& takeover = asked->second;
  // One newcomer waits for a bus; the latest, since a box that dials again has left its former try.
  if (!fresh) context_.verdict(takeover.newcomer, Holder::kSuperseded);
  takeover.newcomer = newcomer;
  if (!fresh) return;
  takeover.segments = SegmentsReceived(holder->fd);
  takeover.look_at = loop_.now() + kTakeoverLook;
  takeover.end = loop_.now() + kTakeoverMax;
  SetKeepalive(holder->fd, kProbeSeconds, kProbeSeconds);
  Rearm(*holder);
}

void Shard::LookAtHolder(const Session& holder) {
  const auto asked = takeovers_.find(IdOf(holder));
  if (asked == takeovers_.end() || loop_.now() < asked->second.look_at) return;
  Takeover& takeover = asked->second;
  const bool alive = SegmentsReceived(holder.fd) != takeover.segments;
  if (!alive && loop_.now() < takeover.end) {
    takeover.look_at = std::min(loop_.now() + kTakeoverLook, takeover.end);
    return;
  }
  SetKeepalive(holder.fd, kKeepaliveIdleSeconds, kKeepaliveIntervalSeconds);
  context_.verdict(takeover.newcomer, alive ? Holder::kAlive : Holder::kGone);
  takeovers_.erase(asked);
}

void Shard::ForgetHolder(SessionId id) {
  const auto asked = takeovers_.find(id);
  if (asked == takeovers_.end()) return;
  context_.verdict(asked->second.newcomer, Holder::kGone);
  takeovers_.erase(asked);
}

void Shard::OnVerdict(SessionId newcomer, Holder holder) {
  Session* const session = Find(newcomer);
  if (session == nullptr || session->arrival == nullptr || !session->arrival->claim.has_value()) return;
  Identified claim = *std::move(session->arrival->claim);
  session->arrival->claim.reset();
  if (holder != Holder::kGone) {
    log::Warning("a second connection with the id of a live collector is refused",
                 {{"collector", claim.entry->collector}, {"bus", claim.entry->bus}, {"peer", ToText(session->peer)}});
    Refuse(*session, Refusal::kTaken, "id in use");
    return;
  }
  // The directory may have changed meanwhile.
  claim.entry = directory_->Find(claim.entry->registration);
  if (claim.entry == nullptr) {
    Refuse(*session, Refusal::kUnknownId, "unknown id");
    return;
  }
  Register(*session, claim);
}

}  // namespace voltwell::gateway
