// Cuts a stream of bytes from a collector into frames and checks their checksums. Knows where a frame ends, not what it
// means. Bytes arrive in any pieces: one frame in several TCP segments, several in one, with FE before, noise between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "libs/base/bytes.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::frame {

// What one cutter keeps, in bytes: seven frames of the longest kind. More waits in the socket.
inline constexpr size_t kCutterBufferMax = 2048;

// What a cutter has seen since it was made; the gateway exports these.
struct CutterCounts {
  uint64_t frames = 0;
  uint64_t noise_bytes = 0;    // Dropped bytes that belonged to no frame; FE right before a frame are not noise.
  uint64_t bad_checksums = 0;  // Shapes with start, length and 16H in place whose checksum was wrong.
};

// Use: while bytes are left, Push what fits, then take frames by Next until none.
//   while (!bytes.empty()) {
//     bytes = bytes.subspan(cutter.Push(bytes));
//     while (const auto frame = cutter.Next()) Handle(*frame);
//   }
// No allocation: a frame is a view into the buffer, valid until the next Push, DropStalled or Reset.
// Linear cost: a byte is looked at once to find a start, and at most 268 further bytes are summed where a shape fits.
// Only frames of the kind asked for are found: E5H alone is an answer on an M-Bus line and noise on every other.
class FrameCutter {
 public:
  explicit FrameCutter(FrameKind kind) : kind_(kind) {}

  // Copies as many bytes as fit and tells how many. At least one fits once Next has returned none.
  [[nodiscard]] size_t Push(base::ByteView bytes);

  // The next frame, from its start byte to its 16H, or none: then more bytes are needed.
  // A shape that fails any test costs one byte: what follows its start is scanned again, since a true frame may begin
  // inside. 16H is never searched for; it also occurs inside frames.
  std::optional<base::ByteView> Next() {
    return kind_ == FrameKind::kDlt645 ? NextDlt645() : kind_ == FrameKind::kMbus ? NextMbus() : NextCjt188();
  }

  // For the inter-byte timeout: a corrupted L points beyond what will ever come and would block the stream. Drops the
  // first byte of the unfinished frame; call Next again, since a whole frame may stand behind it.
  // False when nothing was pending.
  bool DropStalled();

  // Forgets pending bytes (a new exchange begins; late bytes of the old one are not its answer). Counts stay.
  void Reset();

  // Bytes of an unfinished frame.
  size_t pending() const { return end_ - begin_; }
  const CutterCounts& counts() const { return counts_; }
  FrameKind kind() const { return kind_; }

 private:
  // Apart, so that the longest path (M-Bus) does not cost the fastest its registers.
  std::optional<base::ByteView> NextDlt645();
  std::optional<base::ByteView> NextCjt188();
  std::optional<base::ByteView> NextMbus();
  template <typename Shape>
  std::optional<base::ByteView> NextOf();
  void DropNoise(size_t count);
  void CountFrame(size_t size);

  FrameKind kind_;
  size_t begin_ = 0;  // First byte not yet given out or dropped.
  size_t end_ = 0;
  size_t dropped_preambles_ = 0;  // How many of the bytes dropped last were FE.
  CutterCounts counts_;
  std::array<uint8_t, kCutterBufferMax> buffer_;
};

}  // namespace voltwell::codec::frame
