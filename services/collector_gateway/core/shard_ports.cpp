// Several buses over one connection (see port_stream.h): each is a session of its own, with queue, run, facts and
// route, but they share the socket, come with its registration and go with its end; see shard.h.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "services/collector_gateway/core/shard.h"

namespace voltwell::gateway {

// `carrier` has registered; the collector's other buses come with it.
void Shard::OpenPorts(Session& carrier, const Route& route) {
  std::bitset<kPortsMax> ports;
  const std::vector<BusEntryPtr> entries = directory_->PortsOf(carrier.entry->collector);
  for (const BusEntryPtr& entry : entries) ports.set(static_cast<size_t>(entry->port));
  const auto trunk = std::make_shared<Trunk>(Trunk{PortStream(ports), {IdOf(carrier)}, {}});
  carrier.ported = true;
  trunks_[IdOf(carrier)] = trunk;
  for (const BusEntryPtr& entry : entries) {
    if (entry->bus == carrier.entry->bus) continue;
    Session& lane = *NewSession();
    lane.fd = carrier.fd;
    lane.peer = carrier.peer;
    lane.connected_ms = carrier.connected_ms;
    lane.last_byte = carrier.last_byte;
    lane.registered_s = carrier.registered_s;
    lane.shown = carrier.shown;
    lane.through_proxy = carrier.through_proxy;
    lane.entry = entry;
    lane.ported = true;
    trunk->lanes.push_back(IdOf(lane));
    trunks_[IdOf(lane)] = trunk;
    context_.metrics.sessions.Increment();
    Route own = route;
    own.session = IdOf(lane);
    own.entry = entry;
    if (const std::optional<Route> replaced = context_.routes.Insert(own)) {
      context_.metrics.replaced.Increment();
      context_.close(replaced->session, "replaced");
    }
    context_.links.Registered(own);
  }
}

// All of them go, whichever it was that failed.
void Shard::EndPorts(const Session& session, const char* reason) {
  const std::shared_ptr<Trunk> trunk = trunks_.at(IdOf(session));
  for (auto id = trunk->lanes.rbegin(); id != trunk->lanes.rend(); ++id) {
    trunks_.erase(*id);
    Session& lane = *Find(*id);
    lane.ported = false;
    Finish(lane, reason, *id == trunk->lanes.front());
  }
}

bool Shard::PortsBusy(const Session& session) {
  const std::shared_ptr<Trunk>& trunk = trunks_.at(IdOf(session));
  return std::any_of(trunk->lanes.begin(), trunk->lanes.end(), [this](SessionId id) {
    const Session* const lane = Find(id);
    return lane->work != nullptr && lane->work->run.has_value();
  });
}

bool Shard::PortsChanged(const Session& session) {
  return directory_->PortsOf(session.entry->collector).size() != trunks_.at(IdOf(session))->lanes.size();
}

void Shard::OnPortBytes(Session& carrier, base::ByteView bytes) {
  const SessionId id = IdOf(carrier);
  const std::shared_ptr<Trunk> trunk = trunks_.at(id);
  for (const SessionId lane : trunk->lanes) Find(lane)->last_byte = loop_.now();
  trunk->stream.Push(bytes, loop_.now());
  KeepalivesSeen seen;
  for (;;) {
    using Kind = PortStream::Piece::Kind;
    const PortStream::Piece piece =
        trunk->stream.Next(carrier.entry->dialect->packet, gateway::KeepalivesOf(*carrier.entry));
    if (piece.kind == Kind::kNone) break;
    if (piece.kind == Kind::kHeartbeat) {
      ++seen.heartbeats;
    } else if (piece.kind == Kind::kRegistration) {
      ++seen.registrations;
    } else if (piece.kind == Kind::kData) {
      OnLaneBytes(*trunk, piece.port, piece.bytes);
      if (Find(id) == nullptr) return;
    } else {
      if (piece.kind == Kind::kUnknownPort) context_.metrics.unknown_ports.Increment();
      context_.metrics.port_noise_bytes.Increment(static_cast<double>(piece.bytes.size()));
    }
  }
  AnswerKeepalives(carrier, seen);
}

void Shard::OnLaneBytes(const Trunk& trunk, uint8_t port, base::ByteView bytes) {
  for (const SessionId id : trunk.lanes) {
    Session& lane = *Find(id);
    if (lane.entry->port != port) continue;
    if (id != trunk.lanes.front()) lane.bytes_in += static_cast<int64_t>(bytes.size());
    Keep(lane, true, bytes);
    OnLineBytes(lane, bytes);
    return;
  }
}

// As Transmit: all or, while the connection is behind, nothing. A packet is never parted by another one.
ssize_t Shard::TransmitPacket(const Session& lane, absl::string_view bytes) {
  Trunk& trunk = *trunks_.at(IdOf(lane));
  if (!trunk.outgoing.empty()) {
    errno = EAGAIN;
    return -1;
  }
  std::string packet = lane.entry->dialect->packet.Write(static_cast<uint8_t>(lane.entry->port), bytes.size());
  packet.append(bytes.data(), bytes.size());
  return SendBeside(trunk, packet) ? static_cast<ssize_t>(bytes.size()) : -1;
}

// Sends, and keeps what the socket does not take; false, and errno, when it is dead.
bool Shard::SendBeside(Trunk& trunk, absl::string_view bytes) {
  Session& carrier = *Find(trunk.lanes.front());
  const ssize_t sent = TransmitRaw(carrier, bytes);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  bytes.remove_prefix(sent > 0 ? static_cast<size_t>(sent) : 0);
  if (bytes.empty()) return true;
  trunk.outgoing.append(bytes.data(), bytes.size());
  loop_.Change(carrier.fd, EPOLLIN | EPOLLOUT, IdOf(carrier));
  return true;
}

// Of the box itself, without a port: an answer to its registration or heartbeat.
void Shard::SayBeside(Session& session, absl::string_view bytes) {
  Trunk& trunk = *trunks_.at(IdOf(session));
  if (trunk.outgoing.size() >= kUnsentMax) return;
  Keep(session, false, base::AsBytes(bytes));
  if (trunk.outgoing.empty()) {
    SendBeside(trunk, bytes);
  } else {
    trunk.outgoing.append(bytes.data(), bytes.size());
  }
}

void Shard::FlushPorts(Session& carrier) {
  const SessionId id = IdOf(carrier);
  const std::shared_ptr<Trunk> trunk = trunks_.at(id);
  if (const std::string rest = std::exchange(trunk->outgoing, {}); !rest.empty() && !SendBeside(*trunk, rest)) {
    End(carrier, "reset by peer");
    return;
  }
  for (const SessionId each : trunk->lanes) {
    if (!trunk->outgoing.empty()) return;
    Session& lane = *Find(each);
    if (lane.work == nullptr || lane.work->unsent.empty()) continue;
    FlushUnsent(lane);
    if (Find(id) == nullptr) return;
  }
  if (trunk->outgoing.empty() && !HasCiphertext(carrier)) loop_.Change(carrier.fd, EPOLLIN, id);
}

// The connection of several buses looks after its socket by itself.
void Shard::WantWritable(const Session& session, bool wanted) {
  if (session.ported) return;
  loop_.Change(session.fd, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN, IdOf(session));
}

}  // namespace voltwell::gateway
