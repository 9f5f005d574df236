// The life of a connection; see shard.h.
#include "services/collector_gateway/core/shard.h"

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "libs/base/check.h"
#include "libs/log/log.h"
#include "services/collector_gateway/core/socket_options.h"

namespace voltwell::gateway {
namespace {

// The loop's own wake-up token has all bits set, so this cannot be a session either: session ids have a use below 2^32
// - 1.
// The TLS listener's is one less.
constexpr uint64_t kListenerToken = ~uint64_t{0} - 1;
constexpr bool IsListener(uint64_t token) { return token == kListenerToken || token == kListenerToken - 1; }
constexpr int kAcceptsPerTurn = 64;
constexpr int kReadsPerTurn = 4;

const char* ReasonOf(int error) {
  switch (error) {
    case ETIMEDOUT:
      return "silent";
    case ECONNRESET:
    case EPIPE:
      return "reset by peer";
    default:
      return "line failed";
  }
}

// A session that ended so, soon after it registered, flapped; what we ended ourselves did not.
bool IsFlap(absl::string_view reason) {
  constexpr std::array<absl::string_view, 5> kFlaps = {"closed by peer", "reset by peer", "line failed", "silent",
                                                       "replaced"};
  return std::find(kFlaps.begin(), kFlaps.end(), reason) != kFlaps.end();
}

}  // namespace

Shard::Shard(uint32_t number, ShardContext context)
    : number_(number), context_(std::move(context)), loop_(absl::StrCat("shard", number), context_.clock, *this) {
  const size_t share = std::max<size_t>(1, context_.sessions_max / kUnregisteredShare);
  context_.unregistered_max = std::min(context_.unregistered_max, share);
}

Shard::~Shard() {
  loop_.Stop();
  StopListening();
  for (size_t slot = 0; slot < sessions_.size(); ++slot) {
    const Session& session = sessions_[slot];
    if (session.fd >= 0 && (!session.ported || trunks_.at(IdOf(session))->lanes.front() == IdOf(session))) {
      close(session.fd);
    }
  }
}

void Shard::Listen(int fd, bool tls) {
  const size_t listener = tls ? 1 : 0;
  // What it accepts inherits these; six calls for each connection would cost more than all else that we do for it.
  SetCollectorOptions(fd);
  listeners_[listener] = {fd, tls};
  VW_CHECK(loop_.Watch(fd, EPOLLIN, kListenerToken - listener));
}

void Shard::StopListening() {
  for (Listener& listener : listeners_) {
    if (listener.fd < 0) continue;
    loop_.Unwatch(listener.fd);
    close(listener.fd);
    listener.fd = -1;
  }
}

void Shard::Accept(size_t listener) {
  for (int i = 0; i < kAcceptsPerTurn && listeners_[listener].fd >= 0; ++i) {
    if (const Instant at = context_.gate.AcceptAt(loop_.now()); at > loop_.now()) {
      // Who waits does so in the kernel's backlog, which costs us nothing.
      context_.metrics.accept_throttled.Increment();
      PauseAccepting(listener, at);
      return;
    }
    sockaddr_storage address = {};
    socklen_t length = sizeof(address);
    const int fd =
        accept4(listeners_[listener].fd, reinterpret_cast<sockaddr*>(&address), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      context_.metrics.accepted.Increment();
      context_.gate.Accepted(loop_.now());
      const Peer peer = PeerOf(address);
      // Of a balancer's connection the network is known when its header has come.
      if (IsTrusted(peer) || KnockAt(peer)) {
        context_.deal(fd, peer, listeners_[listener].tls);
      } else {
        Slam(fd);
      }
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      context_.metrics.accept_pauses.Increment();
      log::Warning("no file descriptor left; accepting pauses", {{"open", static_cast<uint64_t>(open())}});
      PauseAccepting(listener, loop_.now() + kAcceptPause);
      return;
    }
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

void Shard::PauseAccepting(size_t listener, Instant until) {
  loop_.Unwatch(listeners_[listener].fd);
  loop_.Arm(kListenerToken - listener, until);
}

bool Shard::IsTrusted(const Peer& peer) const {
  return std::any_of(context_.trusted_proxies.begin(), context_.trusted_proxies.end(),
                     [&peer](const Network& network) { return network.Contains(peer.address); });
}

void Shard::Adopt(int fd, Peer peer, bool tls) {
  if (draining_ || !MakeRoomForArrival()) {
    context_.metrics.Refused(draining_ ? Refusal::kDraining : Refusal::kFull).Increment();
    if (!IsTrusted(peer)) context_.gate.Gone(peer.address, loop_.now());
    close(fd);
    return;
  }
  Session& session = *NewSession();
  session.fd = fd;
  session.peer = peer;
  session.connected_ms = absl::ToUnixMillis(context_.clock.Now());
  session.last_byte = loop_.now();
  session.arrival = std::make_unique<Arrival>();
  session.arrival->connected = loop_.now();
  session.arrival->proxied = IsTrusted(peer);
  session.counted = !session.arrival->proxied;
  session.tls = tls;
  if (tls) tls_links_[IdOf(session)] = std::make_unique<TlsLink>(*context_.tls, psk_source_);
  arrivals_.push_back(IdOf(session));
  ++unregistered_;
  context_.metrics.unregistered.Increment();
  if (!loop_.Watch(fd, EPOLLIN, IdOf(session))) {
    End(session, "line failed");
    return;
  }
  Rearm(session);
}

Session* Shard::NewSession() {
  open_.fetch_add(1);
  if (free_.empty()) {
    Session& fresh = sessions_.Add();
    fresh.slot = static_cast<uint32_t>(sessions_.size() - 1);
    return &fresh;
  }
  Session* const session = &sessions_[free_.back()];
  free_.pop_back();
  return session;
}

SessionId Shard::IdOf(const Session& session) const { return MakeSessionId(number_, session.slot, session.use); }

Session* Shard::Find(SessionId id) {
  if (SlotOf(id) >= sessions_.size()) return nullptr;
  Session& session = sessions_[SlotOf(id)];
  return session.fd >= 0 && session.use == UseOf(id) ? &session : nullptr;
}

void Shard::OnReady(uint64_t token, uint32_t events) {
  if (IsListener(token)) {
    Accept(kListenerToken - token);
    return;
  }
  Session* session = Find(token);
  if (session == nullptr) return;
  if ((events & EPOLLOUT) != 0) {
    OnWritable(*session);
    session = Find(token);
  }
  // Errors and hang-ups show themselves in the read.
  if (session != nullptr && (events & ~static_cast<uint32_t>(EPOLLOUT)) != 0) Read(*session);
}

void Shard::Read(Session& session) {
  const SessionId id = IdOf(session);
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const ssize_t got = recv(session.fd, buffer_.data(), buffer_.size(), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) {
      End(session, got == 0 ? "closed by peer" : ReasonOf(errno));
      return;
    }
    const base::ByteView bytes(buffer_.data(), static_cast<size_t>(got));
    session.bytes_in += got;
    session.last_byte = loop_.now();
    tally_.bytes_in += got;
    OnSocketBytes(session, bytes);
    if (bytes.size() < buffer_.size() || Find(id) == nullptr) return;
  }
}

void Shard::OnTimer(uint64_t token, Instant at) {
  if (IsListener(token)) {
    const int fd = listeners_[kListenerToken - token].fd;
    if (fd >= 0) loop_.Watch(fd, EPOLLIN, token);
    return;
  }
  Session* const session = Find(token);
  // An earlier timer was armed since; that one counts.
  if (session == nullptr || Instant(session->armed_at) != at) return;
  session->armed_at = absl::InfiniteDuration();
  if (const auto closing = close_at_.find(token); closing != close_at_.end() && closing->second <= loop_.now()) {
    if (session->ported && PortsBusy(*session)) {
      closing->second = loop_.now() + kDrainLook;  // Another bus of the same connection is still at work.
      Rearm(*session);
      return;
    }
    End(*session, "gateway drained");
    return;
  }
  if (!takeovers_.empty()) LookAtHolder(*session);
  if (session->arrival != nullptr) {
    OnArrivalTime(*session);
  } else {
    OnBusTime(*session);
  }
  if (Session* const still = Find(token); still != nullptr) Rearm(*still);
}

// Deadlines mostly move away (each exchange sets a later one), so a timer that comes too early is armed again when it
// fires; an exchange costs no timer.
void Shard::Rearm(Session& session) {
  const Instant wanted = WakeAt(session);
  if (wanted >= session.armed_at || wanted == absl::InfiniteDuration()) return;
  session.armed_at = wanted;
  loop_.Arm(IdOf(session), session.armed_at);
}

Instant Shard::WakeAt(const Session& session) const {
  Instant wake = absl::InfiniteDuration();
  if (draining_) {
    const auto closing = close_at_.find(IdOf(session));
    if (closing != close_at_.end()) wake = closing->second;
  }
  if (!takeovers_.empty()) {
    const auto asked = takeovers_.find(IdOf(session));
    if (asked != takeovers_.end()) wake = std::min(wake, asked->second.look_at);
  }
  if (const Arrival* const arrival = session.arrival.get(); arrival != nullptr) {
    if (arrival->asked) return std::min(wake, arrival->asked_until);
    if (arrival->challenge != nullptr) return std::min(wake, arrival->challenge->until);
    wake = std::min(wake, PatienceEnd(*arrival));
    if (directory_usable_) wake = std::min(wake, arrival->first_byte + kUnknownIdGrace);
    if (!arrival->judged) wake = std::min(wake, arrival->last_byte + kRegistrationGap);
  }
  if (const BusWork* const work = session.work.get(); work != nullptr) {
    if (work->run.has_value()) wake = std::min(wake, work->run->wake_at());
    if (work->quieting) wake = std::min({wake, work->quiet_since + kQuietAfterFailure, work->quiet_end});
    if (!work->run.has_value()) wake = std::min(wake, work->held_until);
    // At not_after itself it may still go.
    wake = std::min(wake, work->queue.next_expiry() + absl::Nanoseconds(1));
  }
  return wake;
}

void Shard::Close(SessionId id, const char* reason) {
  if (Session* const session = Find(id); session != nullptr) End(*session, reason);
}

void Shard::End(Session& session, const char* reason) {
  if (session.ported) {
    EndPorts(session, reason);
  } else {
    Finish(session, reason, true);
  }
}

void Shard::Finish(Session& session, const char* reason, bool owns_socket) {
  const SessionId id = IdOf(session);
  if (owns_socket) close(session.fd);  // Also takes it out of the epoll set.
  if (session.counted) context_.gate.Gone(session.peer.address, loop_.now());
  session.fd = -1;
  if (session.arrival != nullptr) {
    --unregistered_;
    context_.metrics.unregistered.Decrement();
  } else {
    FailWork(session);
    ForgetHolder(id);
    if (owns_socket && !draining_ && IsFlap(reason)) {
      const auto lived = absl::ToInt64Seconds(loop_.now()) - static_cast<int64_t>(session.registered_s);
      context_.gate.Ended(session.entry->registration, absl::Seconds(lived), loop_.now());
    }
    context_.metrics.sessions.Decrement();
    if (const std::optional<Route> route = context_.routes.Erase(*session.entry, id)) {
      context_.links.Gone(*route, reason);
    }
    if (log::Enabled(log::Level::kDebug)) {
      log::Debug("collector gone", {{"collector", session.entry->collector},
                                    {"bus", session.entry->bus},
                                    {"peer", ToText(session.peer)},
                                    {"reason", reason}});
    }
  }
  close_at_.erase(id);
  idle_tails_.erase(id);
  if (session.tls) tls_links_.erase(id);
  const uint32_t use = session.use + 1;
  session = Session();
  session.slot = SlotOf(id);
  session.use = use;
  free_.push_back(session.slot);
  open_.fetch_sub(1);
}

bool Shard::Describe(SessionFacts& facts) {
  const Session* const session = Find(facts.route.session);
  if (session == nullptr) return false;
  facts.counts.bytes_in = session->bytes_in;
  facts.counts.bytes_out = session->bytes_out;
  if (session->facts != nullptr) {
    const LineCounts& line = session->facts->counts();
    facts.counts.exchanges_ok = line.answered;
    facts.counts.exchanges_failed = line.timeouts + line.noises;
    facts.counts.bad_checksums = line.bad_checksums;
    facts.counts.noise_bytes = line.noise_bytes + line.babble_bytes;
  }
  facts.idle = loop_.now() - session->last_byte;
  if (session->work != nullptr) {
    facts.queued = static_cast<int>(session->work->queue.size()) + (session->work->run.has_value() ? 1 : 0);
  }
  return true;
}

bool Shard::Examine(BusReport& report) {
  if (!Describe(report.session)) return false;
  const Session& session = *Find(report.session.route.session);
  report.now = loop_.now();
  report.facts = session.facts == nullptr ? BusFacts(loop_.now()) : *session.facts;
  report.signs = {.idle = report.session.idle,
                  .unsent = session.work != nullptr && !session.work->unsent.empty(),
                  .heartbeat = !session.entry->heartbeat.empty(),
                  .unanswered = report.facts.counts().unanswered_in_a_row};
  return true;
}

void Shard::Keep(const Session& session, bool up, base::ByteView bytes) {
  if (!context_.traces.any()) return;
  const BusEntry& entry = *session.entry;
  context_.traces.Add(entry.collector, entry.bus, entry.tenant, up, bytes, absl::ToUnixMillis(context_.clock.Now()),
                      loop_.now());
}

void Shard::UseDirectory(std::shared_ptr<const DirectoryCopy> directory, bool usable) {
  directory_ = std::move(directory);
  directory_usable_ = usable;
  for (size_t slot = 0; slot < sessions_.size(); ++slot) {
    Session& session = sessions_[slot];
    if (session.fd < 0) continue;
    if (session.arrival != nullptr) {
      // Whoever dialled before the directory told of him.
      const bool waits = session.arrival->asked || session.arrival->challenge != nullptr;
      if (session.arrival->judged && !waits && !Judge(session, true)) continue;
      Rearm(session);
      continue;
    }
    const BusEntryPtr entry = directory_->Find(session.entry->registration);
    if (entry == session.entry && !(session.ported && PortsChanged(session))) continue;
    if (entry == nullptr) {
      End(session, "removed from the directory");
    } else if (entry->collector != session.entry->collector || entry->bus != session.entry->bus ||
               entry->tenant != session.entry->tenant || entry->dialect != session.entry->dialect ||
               entry->port != session.entry->port || entry->dial_target != session.entry->dial_target ||
               (session.ported && PortsChanged(session)) || !entry->source.Contains(session.peer.address)) {
      End(session, "moved in the directory");
    } else if (!IsSureEnough(session.shown, *entry)) {
      End(session, "assurance raised");
    } else if (IsByKey(session.shown) && !SameKey(entry->key, session.entry->key)) {
      End(session, "key changed");
    } else {
      session.entry_changed = true;
      if (session.work == nullptr || !session.work->run.has_value()) TakeEntry(session);
    }
  }
}

void Shard::TakeEntry(Session& session) {
  session.entry_changed = false;
  session.entry = directory_->Find(session.entry->registration);
  context_.routes.SetEntry(IdOf(session), session.entry);
}

void Shard::Drain() {
  draining_ = true;
  StopListening();
  for (size_t slot = 0; slot < sessions_.size(); ++slot) {
    Session& session = sessions_[slot];
    if (session.fd < 0) continue;
    if (session.arrival != nullptr) {
      Refuse(session, Refusal::kDraining, "gateway drained");
      continue;
    }
    if (session.work != nullptr) {
      for (Item& item : session.work->queue.TakeAll()) Answer(std::move(item), Outcome::kOffline);
      if (session.work->run.has_value()) continue;  // FinishRun closes it.
    }
    CloseSoon(session);
  }
}

void Shard::CloseAll(const char* reason) {
  for (size_t slot = 0; slot < sessions_.size(); ++slot) {
    if (sessions_[slot].fd >= 0) End(sessions_[slot], reason);
  }
}

void Shard::CloseSoon(Session& session) {
  close_at_[IdOf(session)] = loop_.now() + kDrainJitter * os::Fraction(context_.random);
  Rearm(session);
}

}  // namespace voltwell::gateway
