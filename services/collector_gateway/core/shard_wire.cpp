// Bytes between a session and its socket, plain or through TLS; see shard.h.
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>

#include "libs/log/log.h"
#include "services/collector_gateway/core/shard.h"

namespace voltwell::gateway {

// As send(): how many bytes went, or -1 and errno. TLS takes all or, while the socket is behind, nothing.
ssize_t Shard::Transmit(Session& session, absl::string_view bytes) {
  return session.ported ? TransmitPacket(session, bytes) : TransmitRaw(session, bytes);
}

ssize_t Shard::TransmitRaw(Session& session, absl::string_view bytes) {
  if (!session.tls) return send(session.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  TlsLink& link = *tls_links_.at(IdOf(session));
  if (!link.outgoing().empty()) {
    errno = EAGAIN;
    return -1;
  }
  if (!link.Write(bytes)) {
    errno = EPIPE;
    return -1;
  }
  return SendCiphertext(session, link) ? static_cast<ssize_t>(bytes.size()) : -1;
}

// False, and errno, when the socket is dead. What it does not take goes out when it is ready again.
bool Shard::SendCiphertext(Session& session, TlsLink& link) {
  std::string& outgoing = link.outgoing();
  if (outgoing.empty()) return true;
  const ssize_t sent = send(session.fd, outgoing.data(), outgoing.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) return false;
  if (sent > 0) outgoing.erase(0, static_cast<size_t>(sent));
  if (outgoing.size() > kCipherUnsentMax) {
    errno = ENOBUFS;
    return false;
  }
  if (!outgoing.empty()) loop_.Change(session.fd, EPOLLIN | EPOLLOUT, IdOf(session));
  return true;
}

// Some that the socket has not taken: it must tell when it is ready again.
bool Shard::HasCiphertext(const Session& session) const {
  return session.tls && !tls_links_.at(IdOf(session))->outgoing().empty();
}

void Shard::OnWritable(Session& session) {
  if (session.tls) {
    TlsLink& link = *tls_links_.at(IdOf(session));
    if (!SendCiphertext(session, link)) {
      EndBroken(session, "reset by peer");
      return;
    }
    if (!link.outgoing().empty()) return;
    if (session.work == nullptr) WantWritable(session, false);
  }
  if (session.ported) {
    FlushPorts(session);
    return;
  }
  FlushUnsent(session);
}

void Shard::OnSocketBytes(Session& session, base::ByteView bytes) {
  // A balancer's header comes before all else, in the clear.
  if (!session.tls || (session.arrival != nullptr && session.arrival->proxied)) {
    OnPlainBytes(session, bytes);
    return;
  }
  OnCiphertext(session, bytes);
}

void Shard::OnPlainBytes(Session& session, base::ByteView bytes) {
  if (session.arrival != nullptr) {
    OnArrivalBytes(session, bytes);
  } else {
    OnRegisteredBytes(session, bytes);
  }
}

void Shard::OnRegisteredBytes(Session& session, base::ByteView bytes) {
  if (session.ported) {
    OnPortBytes(session, bytes);
    return;
  }
  Keep(session, true, bytes);
  OnLineBytes(session, bytes);
}

void Shard::OnCiphertext(Session& session, base::ByteView bytes) {
  const SessionId id = IdOf(session);
  TlsLink& link = *tls_links_.at(id);
  const bool good = link.Feed(bytes);
  if (!SendCiphertext(session, link) || !good) {
    log::Info("a collector's TLS failed", {{"peer", ToText(session.peer)}, {"error", link.error()}});
    EndBroken(session, "TLS failed");
    return;
  }
  std::array<uint8_t, 4096> plain;
  for (size_t got = link.Read(plain.data(), plain.size()); got > 0; got = link.Read(plain.data(), plain.size())) {
    OnPlainBytes(session, base::ByteView(plain.data(), got));
    if (Find(id) == nullptr) return;  // The link went with it.
  }
  if (!link.error().empty()) {
    EndBroken(session, "TLS failed");
  } else if (link.ended()) {
    End(session, "closed by peer");
  } else if (!SendCiphertext(session, link)) {
    EndBroken(session, "reset by peer");
  }
}

void Shard::EndBroken(Session& session, const char* reason) {
  if (session.arrival != nullptr) {
    const bool by_key = session.tls && tls_links_.at(IdOf(session))->psk_tried();
    Refuse(session, by_key ? Refusal::kTlsPsk : Refusal::kTls, reason);
  } else {
    End(session, reason);
  }
}

// Whoever shows a certificate or a key is the collector that it names, and no other.
bool Shard::CertificateFits(const Session& session, const BusEntry& entry) const {
  if (!session.tls) return true;
  const TlsLink& link = *tls_links_.at(IdOf(session));
  const std::string name = link.ClientName();
  const std::string identity = link.PskIdentity();
  return (name.empty() || name == entry.collector) && (identity.empty() || identity == entry.collector);
}

// What the connection proves beyond its id, once it is known that it is nobody else's.
Assurance Shard::ShownBy(const Session& session, const BusEntry& entry) const {
  if (session.tls) {
    const TlsLink& link = *tls_links_.at(IdOf(session));
    if (!link.ClientName().empty()) return Assurance::kTlsCertificate;
    // The key may have changed since the handshake.
    if (!link.PskIdentity().empty() && SameKey(link.psk_key(), entry.key)) return Assurance::kTlsPsk;
  }
  const KeyPtr& proven_with = session.arrival->proven_with;
  if (proven_with != nullptr && SameKey(proven_with, entry.key)) return Assurance::kKey;
  return Assurance::kId;
}

}  // namespace voltwell::gateway
