// Which rules tell where a frame ends. The kind travels with each exchange, from the codec to the gateway.
#pragma once

#include <cstddef>
#include <cstdint>

namespace voltwell::codec::frame {

// Numbers as in voltwell.codec.v1.FrameKind. M-Bus and CJ/T 188 get theirs when their cutters exist.
enum class FrameKind : uint8_t {
  kDlt645 = 1,  // DL/T 645-1997 and -2007: 68H, address 6, 68H, C, L, data L, CS, 16H.
};

// 68H ... 16H with L = FFH. Vendor blocks exceed the 200 bytes of the standard, so all of L is accepted.
inline constexpr size_t kDlt645FrameMin = 12;
inline constexpr size_t kDlt645FrameMax = kDlt645FrameMin + 255;
inline constexpr uint8_t kDlt645Start = 0x68;
inline constexpr uint8_t kDlt645End = 0x16;
// Sent 0..4 times (and more by some converters) before a frame to wake the receiver; never part of the checksum.
inline constexpr uint8_t kPreamble = 0xFE;

}  // namespace voltwell::codec::frame
