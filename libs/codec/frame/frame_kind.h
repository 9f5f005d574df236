// Which rules tell where a frame ends. The kind travels with each exchange, from the codec to the gateway.
#pragma once

#include <cstddef>
#include <cstdint>

namespace voltwell::codec::frame {

// Numbers as in voltwell.codec.v1.FrameKind.
enum class FrameKind : uint8_t {
  kDlt645 = 1,  // DL/T 645-1997 and -2007: 68H, address 6, 68H, C, L, data L, CS, 16H.
  kCjt188 = 2,  // CJ/T 188: 68H, type, address 7, C, L, data L, CS, 16H.
  kMbus = 3,    // EN 13757-2: E5H; 10H, C, A, CS, 16H; 68H, L, L, 68H, L bytes from C on, CS, 16H.
};

// 68H ... 16H with L = FFH. Vendor blocks exceed the 200 bytes of the standard, so all of L is accepted.
inline constexpr size_t kDlt645FrameMin = 12;
inline constexpr size_t kDlt645FrameMax = kDlt645FrameMin + 255;
inline constexpr uint8_t kDlt645Start = 0x68;
inline constexpr uint8_t kDlt645End = 0x16;

// 68H ... 16H; as vendor's blocks may be longer than those of the standard, all of L is accepted.
inline constexpr size_t kCjt188FrameMin = 13;
inline constexpr size_t kCjt188FrameMax = kCjt188FrameMin + 255;

// The shortest L holds C, A and CI: a control frame.
inline constexpr uint8_t kMbusAck = 0xE5;
inline constexpr uint8_t kMbusShortStart = 0x10;
inline constexpr size_t kMbusShortSize = 5;
inline constexpr size_t kMbusLongAround = 6;  // 68H L L 68H before, CS 16H behind.
inline constexpr size_t kMbusLengthMin = 3;
inline constexpr size_t kMbusFrameMax = kMbusLongAround + 255;

// The longest frame of any kind.
inline constexpr size_t kFrameMax = kCjt188FrameMax;

// Sent 0..4 times (and more by some converters) before a frame to wake the receiver; never part of the checksum.
inline constexpr uint8_t kPreamble = 0xFE;

}  // namespace voltwell::codec::frame
