// How one kind of box registers and keeps alive, as data: a new one is a file, not C++. A file NAME.dialect has lines
// `key value`; empty lines and lines that begin with # are skipped.
//
//   title            For people. Required.
//   registration     Template of the packet that registers, or `directory`: the very bytes that the directory says.
//                    Required. It is also taken out of the stream later, at frame boundaries, since many boxes put it
//                    before each packet.
//   id               text [A-B] | digits [A-B] | hex [A-B] | bytes N | imei (15 digits) | iccid (20 hex) | phone (11
//                    digits): what {id} looks like. Default: text.
//   answer           Template (no {any}) that we send when the box has registered. Default: nothing.
//   answers          first | every: once a connection, or to each registration packet. Default: first.
//   challenge        Template with {nonce} (32 hexadecimal digits) that we send to a box whose key is demanded.
//   Default:
//                    none; then no box of this dialect can prove its key but by TLS.
//   response         Template with {mac} (64 hexadecimal digits) that it must answer; see challenge.h. With challenge.
//   heartbeat        Template, or `directory`: as the directory says. Default: directory.
//   packet           What stands before each packet of a box that carries several buses over one connection, in both
//                    directions: {port}, with {length:1}, {length:2} or {length:2le} (of what follows) where it has
//                    one, and fixed bytes. Registration, heartbeats and our answers to them stand without it. Default:
//                    a connection is one bus.
//   heartbeat-answer Template (no {any}) that we send for each heartbeat, or `echo`. Default: nothing.
//
// What a box does not take out itself goes out on its RS-485 line: give answers only to boxes that want them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/collector_gateway/domain/packet_template.h"
#include "services/collector_gateway/domain/port_stream.h"

namespace voltwell::gateway {

// The dialect without a file: registration and heartbeat as the directory says, nothing answered.
inline constexpr char kTransparent[] = "transparent";
// Files of a directory. Each first packet is held against those in use.
inline constexpr size_t kDialectsMax = 64;
inline constexpr size_t kDialectFileMax = 8192;
inline constexpr size_t kDialectNameMax = 40;

struct Dialect {
  std::string name = {};
  std::string title = {};
  PacketTemplate registration = {};  // Empty: as the directory says.
  PacketTemplate answer = {};        // Empty: none.
  bool answers_every = false;
  PacketTemplate challenge = {};  // Its id is the nonce. Empty: none.
  PacketTemplate response = {};   // Its id is the mac.
  PacketTemplate heartbeat = {};  // Empty: as the directory says.
  PacketTemplate heartbeat_answer = {};
  bool heartbeat_echo = false;
  PacketHeader packet = {};  // Empty: a connection is one bus.
};
using DialectPtr = std::shared_ptr<const Dialect>;

// InvalidArgument BAD_DIALECT; metadata dialect, line (0: of the file as a whole), why.
absl::StatusOr<Dialect> ParseDialect(absl::string_view name, absl::string_view text);

// All that were loaded, by name. Immutable.
class Dialects {
 public:
  Dialects() = default;
  // More than kDialectsMax, or two of the same name: BAD_DIALECT.
  static absl::StatusOr<Dialects> Make(std::vector<Dialect> dialects);

  // `transparent` and empty: null, which means exactly that. Found or not.
  struct Named {
    bool known = false;
    DialectPtr dialect = {};
  };
  Named Find(absl::string_view name) const;
  const std::vector<DialectPtr>& all() const { return all_; }

 private:
  std::vector<DialectPtr> all_;
};

}  // namespace voltwell::gateway
