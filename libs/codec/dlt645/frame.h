// The parts of a DL/T 645 frame, and putting one together. Where a frame ends is codec_frame's business.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "libs/base/bytes.h"
#include "libs/codec/dlt645/address.h"

namespace voltwell::codec::dlt645 {

// Added by the sender to each byte of DATA, subtracted by the receiver.
inline constexpr uint8_t kOffset = 0x33;

// Function codes of DL/T 645-2007 that we speak (bits D4..D0 of the control byte).
inline constexpr uint8_t kSecurity = 0x03;
inline constexpr uint8_t kBroadcastTime = 0x08;  // Of both editions.
inline constexpr uint8_t kReadData = 0x11;
inline constexpr uint8_t kReadNext = 0x12;
inline constexpr uint8_t kReadAddress = 0x13;
inline constexpr uint8_t kWriteData = 0x14;
inline constexpr uint8_t kWriteAddress = 0x15;
inline constexpr uint8_t kFreeze = 0x16;
inline constexpr uint8_t kChangeBaud = 0x17;
inline constexpr uint8_t kChangePassword = 0x18;
inline constexpr uint8_t kClearDemand = 0x19;
inline constexpr uint8_t kClearMeter = 0x1A;
inline constexpr uint8_t kClearEvents = 0x1B;
inline constexpr uint8_t kRelayControl = 0x1C;

// Those of DL/T 645-1997.
inline constexpr uint8_t kReadData1997 = 0x01;
inline constexpr uint8_t kReadNext1997 = 0x02;
inline constexpr uint8_t kWriteData1997 = 0x04;
inline constexpr uint8_t kWriteAddress1997 = 0x0A;
inline constexpr uint8_t kChangeBaud1997 = 0x0C;
inline constexpr uint8_t kChangePassword1997 = 0x0F;
inline constexpr uint8_t kClearDemand1997 = 0x10;

inline constexpr uint8_t kReplyBit = 0x80;     // D7: from the meter.
inline constexpr uint8_t kAbnormalBit = 0x40;  // D6: DATA holds an error word.
inline constexpr uint8_t kMoreBit = 0x20;      // D5: more data follows, to be asked for with 12H.
inline constexpr uint8_t kFunctionMask = 0x1F;

// Offsets in a frame.
inline constexpr size_t kControlOffset = 8;
inline constexpr size_t kDataOffset = 10;
inline constexpr size_t kDiSize = 4;
inline constexpr size_t kDataMax = 255;  // What L can tell.

struct Frame {
  Address address = {};
  uint8_t control = 0;
  base::ByteView data = {};  // As sent, with 33H still added.

  bool is_reply() const { return (control & kReplyBit) != 0; }
  bool is_abnormal() const { return (control & kAbnormalBit) != 0; }
  bool more_follows() const { return (control & kMoreBit) != 0; }
  uint8_t function() const { return control & kFunctionMask; }
};

// None unless the bytes (leading FE apart) are exactly one frame with the right checksum.
std::optional<Frame> ParseFrame(base::ByteView bytes);

// DATA is given without 33H.
std::string BuildFrame(const Address& address, uint8_t control, base::ByteView data);

// DI3 is the leftmost byte of the number and the last on the wire. Data has 33H added and at least four bytes.
uint32_t DataIdentifier(base::ByteView data);

}  // namespace voltwell::codec::dlt645
