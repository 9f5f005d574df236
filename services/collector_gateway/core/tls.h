// TLS for collectors, without a socket: ciphertext goes in and comes out as bytes, so that the shards' bare epoll stays
// as it is. A client certificate, or the identity of a pre-shared key (RFC 4279, RFC 8446), names the one collector
// that may register over its connection.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

struct ssl_ctx_st;
struct ssl_st;

namespace voltwell::gateway {

struct TlsConfig {
  std::string certificate_file = {};  // PEM, with the chain; empty: no TLS.
  std::string key_file = {};          // PEM.
  std::string client_ca_file = {};    // PEM; empty: client certificates are not asked for.
  bool client_certificate_required = false;
};

// Bytes of a client's certificates; the usual ones have 1 to 4 KB.
inline constexpr long kClientCertificatesMax = 16 * 1024;
// What may come glued to a balancer's header: a first flight of TLS.
inline constexpr size_t kTlsHelloMax = 16 * 1024;
// Ciphertext that a slow reader leaves here; questions are short, so that more means that nobody reads.
inline constexpr size_t kCipherUnsentMax = 64 * 1024;

// The key of a collector by the identity that it sends, its registration id; null for one that has none. A client that
// offers a key of no identity that we know, or a wrong one, fails the handshake: it does not fall back to a
// certificate.
using PskSource = std::function<std::shared_ptr<const std::string>(absl::string_view identity)>;

class TlsContext {
 public:
  // InvalidArgument BAD_TLS_FILE, metadata file, why.
  static absl::StatusOr<std::unique_ptr<TlsContext>> Make(const TlsConfig& config);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class TlsLink;
  explicit TlsContext(ssl_ctx_st* context) : context_(context) {}
  ssl_ctx_st* context_;
};

// One connection, as server.
class TlsLink {
 public:
  // `keys` must outlive it.
  TlsLink(const TlsContext& context, const PskSource& keys);
  ~TlsLink();
  TlsLink(const TlsLink&) = delete;
  TlsLink& operator=(const TlsLink&) = delete;

  // What the socket gave. False: the other side broke the protocol or is not who it must be; the connection ends.
  bool Feed(base::ByteView ciphertext);
  // Plain bytes that are ready; 0: none yet.
  size_t Read(uint8_t* into, size_t room);
  // False before the handshake has ended, and when TLS itself fails.
  bool Write(absl::string_view plain);
  // For the socket; the caller takes off what it took.
  std::string& outgoing() { return outgoing_; }
  // Why Feed failed, for the log.
  const std::string& error() const { return error_; }
  // The other side has said that it ends.
  bool ended() const { return ended_; }
  // The name (CN) in the client certificate, which the CA has signed; empty: it showed none.
  std::string ClientName() const;
  // The identity whose key this connection has proven; empty: none.
  std::string PskIdentity() const;
  const std::shared_ptr<const std::string>& psk_key() const { return psk_key_; }
  // It offered a key, right or wrong.
  bool psk_tried() const { return psk_tried_; }

 private:
  friend struct PskCallbacks;
  // Null: the handshake fails.
  std::shared_ptr<const std::string> KeyFor(absl::string_view identity);
  bool Handshake();
  bool Failed(int result);
  void TakeOutgoing();

  ssl_st* ssl_;
  const PskSource& keys_;
  bool psk_tried_ = false;
  std::string psk_identity_;
  std::shared_ptr<const std::string> psk_key_;
  std::string outgoing_;
  std::string error_;
  bool ended_ = false;
};

}  // namespace voltwell::gateway
