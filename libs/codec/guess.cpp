// Which protocol some bytes belong to, by shape and checksum; see codec.h.
#include "libs/codec/codec.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec {
namespace {

// Functions that only the edition of 1997 has: read, follow-up, write, write address, baud, password, clear demand.
// 03H is a repetition there and the security function in 2007, 08H the time telegram of both.
bool IsFunctionOf1997(uint8_t function) {
  return function == 0x01 || function == 0x02 || function == 0x04 || function == 0x0A || function == 0x0C ||
         function == 0x0F || function == 0x10;
}

bool LooksLikeDlt645(base::ByteView bytes) { return bytes.size() > 7 && bytes[7] == frame::kDlt645Start; }

// The sum of what stands before the checksum, which stands behind `head` bytes and the L that the last of them tells.
bool SumHolds(base::ByteView bytes, size_t head) {
  if (bytes.size() < head + 2) return false;
  const size_t size = head + bytes[head - 1] + 2;
  return bytes.size() >= size && frame::Sum8(bytes.first(size - 2)) == bytes[size - 2];
}

Protocol Edition(base::ByteView bytes) {
  const bool old = bytes.size() > 8 && IsFunctionOf1997(bytes[8] & 0x1F);
  return old ? Protocol::kDlt645_1997 : Protocol::kDlt645_2007;
}

}  // namespace

Protocol GuessProtocol(base::ByteView bytes) {
  constexpr size_t kDlt645Head = 10;  // 68H to L.
  constexpr size_t kCjt188Head = 11;
  constexpr uint8_t kTypeHighest = 0x59;  // 10H water to 49H others, and AAH for any.
  while (!bytes.empty() && bytes[0] == frame::kPreamble) bytes = bytes.subspan(1);
  if (bytes.empty()) return Protocol::kDlt645_2007;
  if (bytes[0] == frame::kMbusAck || bytes[0] == frame::kMbusShortStart) return Protocol::kMbus;
  if (bytes.size() > 3 && bytes[0] == frame::kDlt645Start && bytes[3] == frame::kDlt645Start && bytes[1] == bytes[2] &&
      !SumHolds(bytes, kDlt645Head)) {
    return Protocol::kMbus;
  }
  // An address byte of CJ/T 188 may be 68H too: the checksum decides.
  if (LooksLikeDlt645(bytes) && SumHolds(bytes, kDlt645Head)) return Edition(bytes);
  if (bytes[0] == frame::kDlt645Start && SumHolds(bytes, kCjt188Head)) return Protocol::kCjt188;
  if (LooksLikeDlt645(bytes)) return Edition(bytes);
  const bool typed = bytes.size() > 1 && ((bytes[1] >= 0x10 && bytes[1] <= kTypeHighest) || bytes[1] == 0xAA);
  if (bytes[0] == frame::kDlt645Start && bytes.size() > 9 && typed) return Protocol::kCjt188;
  return Protocol::kDlt645_2007;
}

}  // namespace voltwell::codec
