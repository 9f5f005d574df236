// A connection until it has registered. Whatever we send goes out on somebody's RS-485 line, so nothing is sent before
// it is known whose; see shard.h.
#include <sys/epoll.h>

#include <algorithm>
#include <utility>

#include "libs/log/log.h"
#include "services/collector_gateway/core/shard.h"
#include "services/collector_gateway/core/socket_options.h"
#include "services/collector_gateway/domain/proxy_header.h"

namespace voltwell::gateway {

void Shard::OnArrivalBytes(Session& session, base::ByteView bytes) {
  Arrival& arrival = *session.arrival;
  const size_t header = arrival.proxied ? kProxyHeaderMax + (session.tls ? kTlsHelloMax : 0) : 0;
  const size_t most = kRegistrationBytesMax + header;
  const size_t room = most - std::min(most, arrival.bytes.size());
  const base::ByteView kept = bytes.first(std::min(room, bytes.size()));
  arrival.bytes.append(reinterpret_cast<const char*>(kept.data()), kept.size());
  if (arrival.challenge != nullptr) {
    OnChallengeBytes(session);
    return;
  }
  if (arrival.asked) return;  // What follows the id is looked at when it has registered.
  if (arrival.proxied && !TakeProxyHeader(session)) return;
  if (session.tls && header > 0 && !arrival.proxied) {
    const std::string ciphertext = std::exchange(arrival.bytes, std::string());
    OnCiphertext(session, base::AsBytes(ciphertext));
    return;
  }
  if (arrival.bytes.empty() || arrival.proxied) {
    Rearm(session);
    return;
  }
  if (arrival.first_byte == absl::InfiniteDuration()) arrival.first_byte = loop_.now();
  arrival.last_byte = loop_.now();
  arrival.judged = false;
  if (Judge(session, false)) Rearm(session);
}

void Shard::OnArrivalTime(Session& session) {
  const Arrival& arrival = *session.arrival;
  const Instant now = loop_.now();
  if (arrival.asked) {
    if (now >= arrival.asked_until) Refuse(session, Refusal::kTaken, "id in use");
    return;
  }
  if (arrival.challenge != nullptr) {
    if (now >= arrival.challenge->until) Refuse(session, Refusal::kChallengeLate, "challenge");
    return;
  }
  if (!arrival.judged && now >= arrival.last_byte + kRegistrationGap && !Judge(session, true)) return;
  if (directory_usable_ && now >= arrival.first_byte + kUnknownIdGrace) {
    Refuse(session, Refusal::kUnknownId, "unknown id");
  } else if (now >= PatienceEnd(arrival)) {
    Refuse(session, Refusal::kNoRegistration, "no registration");
  }
}

Instant Shard::PatienceEnd(const Arrival& arrival) const {
  const bool waits_for_directory = !directory_usable_ && arrival.first_byte != absl::InfiniteDuration();
  const absl::Duration patience = context_.registration_timeout;
  return arrival.connected + (waits_for_directory ? std::max(patience, kDirectoryWaitMax) : patience);
}

bool Shard::Judge(Session& session, bool quiet) {
  Arrival& arrival = *session.arrival;
  const Identified identified = directory_->Identify(base::AsBytes(arrival.bytes), quiet);
  if (quiet) arrival.judged = true;
  if (identified.kind == Identified::Kind::kKnown) {
    Register(session, identified);
    return false;
  }
  if (identified.kind == Identified::Kind::kClash) {
    log::Error("a first packet means two collectors by two dialects; one of them must go",
               {{"collector", identified.entry->collector}, {"peer", ToText(session.peer)}});
    Refuse(session, Refusal::kClash, "clash of dialects");
    return false;
  }
  // While the generation is absent the copy may be old: nobody is unknown then.
  if (identified.kind == Identified::Kind::kUnknown && directory_usable_ && !identified.may_grow &&
      !arrival.quarantined) {
    arrival.quarantined = true;
    context_.links.Quarantined(identified.sent, session.peer);
  }
  return true;
}

void Shard::Register(Session& session, const Identified& identified) {
  if (!identified.entry->source.Contains(session.peer.address)) {
    log::Warning("collector dialled from a network that is not its own",
                 {{"collector", identified.entry->collector}, {"peer", ToText(session.peer)}});
    Refuse(session, Refusal::kWrongNetwork, "wrong network");
    return;
  }
  if (!identified.entry->dial_target.empty()) {
    Refuse(session, Refusal::kDialled, "is dialled");  // Nobody may be it by knowing its id.
    return;
  }
  if (!CertificateFits(session, *identified.entry)) {
    log::Warning("a collector showed another one's certificate",
                 {{"collector", identified.entry->collector}, {"peer", ToText(session.peer)}});
    Refuse(session, Refusal::kWrongCertificate, "wrong certificate");
    return;
  }
  const Assurance shown = ShownBy(session, *identified.entry);
  if (!IsSureEnough(shown, *identified.entry)) {
    if (Challenged(session, *identified.entry)) return;
    log::Warning("a collector proved less than the directory demands of it",
                 {{"collector", identified.entry->collector},
                  {"peer", ToText(session.peer)},
                  {"demanded", AssuranceName(identified.entry->assurance)},
                  {"shown", AssuranceName(shown)}});
    Refuse(session, Refusal::kAssurance, "assurance");
    return;
  }
  if (context_.gate.HeldOff(identified.entry->registration, loop_.now()) > absl::ZeroDuration()) {
    Refuse(session, Refusal::kFlapping, "held off");
    return;
  }
  const Route route = {.session = IdOf(session),
                       .entry = identified.entry,
                       .peer = session.peer,
                       .since_ms = session.connected_ms,
                       .epoch = {},
                       .through_proxy = session.through_proxy,
                       .shown = shown};
  if (MustAsk(session, route, identified)) return;
  const std::string rest = session.arrival->bytes.substr(identified.used);
  session.arrival.reset();
  --unregistered_;
  context_.metrics.unregistered.Decrement();
  Welcome(session, route);
  AnswerRegistration(session);
  if (rest.empty()) return;
  OnRegisteredBytes(session, base::AsBytes(rest));
}

void Shard::Welcome(Session& session, const Route& route) {
  context_.metrics.sessions.Increment();
  context_.metrics.registrations.Increment();
  session.entry = route.entry;
  session.shown = route.shown;
  session.registered_s = static_cast<uint32_t>(absl::ToInt64Seconds(loop_.now()));
  // A collector that lost its line dials again while we still hold the dead connection: the new one wins.
  if (const std::optional<Route> replaced = context_.routes.Insert(route)) {
    context_.metrics.replaced.Increment();
    context_.close(replaced->session, "replaced");
  }
  context_.links.Registered(route);
  if (session.entry->port >= 0) OpenPorts(session, route);
  if (log::Enabled(log::Level::kDebug)) {
    log::Debug("collector registered",
               {{"collector", session.entry->collector}, {"bus", session.entry->bus}, {"peer", ToText(session.peer)}});
  }
}

void Shard::AdoptDialled(int fd, const Peer& peer, const BusEntryPtr& wanted) {
  const BusEntryPtr entry = directory_->Find(wanted->registration);
  const bool same = entry != nullptr && entry->collector == wanted->collector && entry->bus == wanted->bus &&
                    entry->dial_target == wanted->dial_target;
  // A line that we dialled has proven nothing but that somebody listens there.
  if (draining_ || !same || !IsSureEnough(Assurance::kId, *entry) || open() >= context_.sessions_max) {
    close(fd);
    return;
  }
  SetCollectorOptions(fd);
  Session& session = *NewSession();
  session.fd = fd;
  session.peer = peer;
  session.connected_ms = absl::ToUnixMillis(context_.clock.Now());
  session.last_byte = loop_.now();
  Welcome(session, {.session = IdOf(session), .entry = entry, .peer = peer, .since_ms = session.connected_ms});
  if (!loop_.Watch(fd, EPOLLIN, IdOf(session))) End(session, "line failed");
}

bool Shard::KnockAt(const Peer& peer) {
  const Admission::Verdict verdict = context_.gate.Knock(peer.address, loop_.now());
  if (verdict == Admission::Verdict::kIn) return true;
  const bool full = verdict == Admission::Verdict::kNetworkFull;
  context_.metrics.Refused(full ? Refusal::kNetworkFull : Refusal::kNetworkTooFast).Increment();
  return false;
}

bool Shard::TakeProxyHeader(Session& session) {
  Arrival& arrival = *session.arrival;
  const ProxyHeader header = ReadProxyHeader(base::AsBytes(arrival.bytes));
  if (header.kind == ProxyHeader::Kind::kMore) return true;
  if (header.kind == ProxyHeader::Kind::kMalformed) {
    log::Warning("a trusted balancer sent no PROXY header of version 2", {{"peer", ToText(session.peer)}});
    Refuse(session, Refusal::kProxyHeader, "PROXY header");
    return false;
  }
  arrival.proxied = false;
  session.through_proxy = true;
  arrival.bytes.erase(0, header.length);
  if (header.kind == ProxyHeader::Kind::kLocal) return true;  // The balancer looks whether we live.
  session.peer = {header.source, header.source_port};
  if (!KnockAt(session.peer)) {
    End(session, "network refused");
    return false;
  }
  session.counted = true;
  return true;
}

void Shard::Refuse(Session& session, Refusal refusal, const char* reason) {
  context_.metrics.Refused(refusal).Increment();
  End(session, reason);
}

bool Shard::MakeRoomForArrival() {
  // Without a directory nobody can register, so that all may wait: after a restart all of them do.
  const size_t most = directory_usable_ ? context_.unregistered_max : context_.sessions_max;
  while (!arrivals_.empty()) {
    Session* const oldest = Find(arrivals_.front());
    const bool waiting = oldest != nullptr && oldest->arrival != nullptr;
    if (waiting && unregistered_ < most && open() < context_.sessions_max) return true;
    arrivals_.pop_front();
    if (waiting) Refuse(*oldest, Refusal::kCrowdedOut, "crowded out");
  }
  return open() < context_.sessions_max;
}

}  // namespace voltwell::gateway
