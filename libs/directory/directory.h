// The collector directory in Redis: which collectors there are, as the registry signs it and the gateways read it. Both
// sides share only this: the form of an entry, the names of the keys, and the fields of the link stream by which
// gateways answer.
//
// Text of an entry: base64url(JSON) "." base64url(Ed25519 signature of the first part, by the registry's directory
// key). A reader ignores fields it does not know, so that registry and gateways can be upgraded one after the other.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/crypto/crypto.h"

namespace voltwell::directory {

// One bus of one collector, found by what its connection sends when it registers.
struct Entry {
  std::string registration_id = {};  // Of this bus's connection; the field of the hash.
  std::string collector = {};  // Registration id of the collector: VW-DEMO-0001. Names it in SessionKey and commands.
  std::string collector_id = {};  // The registry's id, without "collectors/".
  std::string tenant = {};
  int bus = 1;
  int baud = 2400;                  // bit/s
  int link_time_ms = 500;           // Added to every reply timeout for what lies between gateway and bus.
  std::string dialect = {};         // "transparent"
  std::string heartbeat_hex = {};   // Bytes sent to keep alive; empty: none.
  std::string source_network = {};  // "10.8.0.0/16"; empty: it may dial from anywhere.
  int port = -1;                    // Of this bus in the packets of the collector's one connection; -1: one of its own.
  std::string dial_target = {};     // "host:port" of the collector, which gateways dial; empty: it dials them.
  // How sure the gateway must be of who dials: id (also when empty), network, key, tls-psk or tls-certificate, from the
  // weakest to the strongest. A gateway that does not know the word keeps the collector out.
  std::string assurance = {};
  std::string sealed_key = {};  // The collector's key, as sealed_key.h seals it; empty: it has none.
  bool operator==(const Entry&) const = default;
};

std::string Encode(const Entry& entry, const crypto::SigningKey& key);
// DataLoss BAD_DIRECTORY_ENTRY when the signature is not of this key (32 bytes) or the content is none of ours.
absl::StatusOr<Entry> Decode(absl::string_view text, absl::string_view public_key);

// Hash: registration id of a bus -> entry. A reader must see that entry.registration_id is the field it asked for.
inline constexpr char kDirectoryKey[] = "directory";
// Integer from a PostgreSQL sequence, raised whenever the directory is published whole. Absent: Redis was wiped, and
// the registry republishes within a second.
inline constexpr char kGenerationKey[] = "directory:generation";
// Stream, at most kChangesMax: field "registration_id" of each entry that was written or removed since; read the hash
// for its state.
inline constexpr char kChangesKey[] = "directory:changes";
inline constexpr int kChangesMax = 100'000;
// Stream, at most kLinksMax: what gateways saw (LinkFact).
inline constexpr char kLinkStreamKey[] = "links";
inline constexpr int kLinksMax = 100'000;
// Hash, kept by gateways: registration id as sent -> first and last try.
inline constexpr char kQuarantineKey[] = "quarantine";
inline constexpr int kQuarantineMax = 1'000;

// Key of the session of one bus: session:{VW-DEMO-0001}:1. The braces keep a collector's buses in one slot of a
// cluster.
std::string SessionKey(absl::string_view collector_registration_id, int bus);

// Fields of one entry of the link stream, all text.
inline constexpr char kFieldKind[] = "kind";  // One of the kinds below.
inline constexpr char kFieldRegistrationId[] =
    "registration_id";                                  // Of the bus's connection, printable (see PrintableId).
inline constexpr char kFieldCollector[] = "collector";  // Registration id of the collector; empty when quarantined.
inline constexpr char kFieldBus[] = "bus";
inline constexpr char kFieldPod[] = "pod";
inline constexpr char kFieldPeer[] = "peer";       // address:port
inline constexpr char kFieldReason[] = "reason";   // Why it went offline; else empty.
inline constexpr char kFieldTimeMs[] = "time_ms";  // Unix milliseconds, by the gateway's clock.
inline constexpr char kFieldEpoch[] = "epoch";     // "generation.counter" of the session.
inline constexpr char kKindOnline[] = "online";
inline constexpr char kKindOffline[] = "offline";
inline constexpr char kKindQuarantined[] = "quarantined";

// What a box sent, as people and JSON can bear it: printable ASCII as it is, anything else "hex:" and its bytes.
std::string PrintableId(absl::string_view sent);

}  // namespace voltwell::directory
