// Several buses over one connection: the box puts before each packet which of its ports the bytes belong to. What
// comes is taken apart packet by packet; the answer of one port is never another's, so whatever is not plainly a
// packet costs all bytes until the line has paused, and nothing is sought inside. Pure: time comes in as an argument.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "services/collector_gateway/domain/keepalives.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Bytes of one packet behind its header; DTUs close a packet at 1000 to 2048 bytes. A longer one is no packet of ours.
inline constexpr size_t kPortPacketMax = 2048;
// After bytes that are no packet the line must pause so long; then a packet may begin again.
inline constexpr absl::Duration kPortPause = absl::Milliseconds(200);
// A packet whose rest does not come is given up; as kInterByteTimeout of a frame.
inline constexpr absl::Duration kPortPacketTimeout = absl::Milliseconds(1500);
inline constexpr int kPortsMax = 256;

// What stands before each packet, as a dialect says it: fixed bytes, {port} (one byte) and, where it is there,
// {length:1}, {length:2} (the higher byte first) or {length:2le}: how many bytes follow the header. Without a length
// a packet is one frame (with FE before it), whose own length and checksum tell where it ends.
class PacketHeader {
 public:
  // InvalidArgument BAD_DIALECT, metadata why.
  static absl::StatusOr<PacketHeader> Parse(absl::string_view text);

  bool empty() const { return form_.empty(); }
  bool has_length() const { return length_bytes_ > 0; }
  size_t size() const { return form_.size(); }
  std::string Write(uint8_t port, size_t data_size) const;

  struct Match {
    enum class Kind : uint8_t { kNo, kMore, kWhole };
    Kind kind = Kind::kNo;
    uint8_t port = 0;
    size_t data_size = 0;  // 0 when there is no length.
  };
  Match At(base::ByteView bytes) const;

 private:
  std::string form_;  // Fixed bytes; zero where port and length stand.
  size_t port_at_ = 0;
  size_t length_at_ = 0;
  size_t length_bytes_ = 0;  // 0: none.
  bool low_first_ = false;
};

// The incoming bytes of one connection.
class PortStream {
 public:
  explicit PortStream(std::bitset<kPortsMax> ports) : ports_(ports) {}

  struct Piece {
    enum class Kind : uint8_t {
      kNone,  // More must come.
      kData,  // Of this port, without its header.
      kHeartbeat,
      kRegistration,
      kNoise,
      kUnknownPort,  // A whole packet of a port that the collector has not.
    };
    Kind kind = Kind::kNone;
    uint8_t port = 0;
    base::ByteView bytes = {};  // Valid until the next Push.
  };
  // Then Next until kNone.
  void Push(base::ByteView bytes, Instant now);
  Piece Next(const PacketHeader& header, const Keepalives& keepalives);
  // Bytes of a packet that is not whole.
  size_t pending() const { return bytes_.size() - begin_; }

 private:
  Piece Take(Piece::Kind kind, size_t size, size_t skip = 0, uint8_t port = 0);
  // All that is there, until the line pauses.
  Piece Lose();
  Piece NextFrame(const PacketHeader& header, uint8_t port);

  const std::bitset<kPortsMax> ports_;
  std::string bytes_;
  size_t begin_ = 0;
  size_t stale_ = 0;  // The first so many bytes are of a packet that was given up.
  bool lost_ = false;
  Instant last_byte_ = -absl::InfiniteDuration();
};

}  // namespace voltwell::gateway
