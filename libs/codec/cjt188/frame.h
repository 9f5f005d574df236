// The envelope of CJ/T 188-2004 and -2018: 68H, meter type, seven address bytes, control, length, data, checksum, 16H.
// Data is sent as it is; DL/T 645's 33H is not added.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"

namespace voltwell::codec::cjt188 {

inline constexpr uint8_t kStart = 0x68;
inline constexpr uint8_t kEnd = 0x16;
inline constexpr size_t kTypeOffset = 1;
inline constexpr size_t kAddressOffset = 2;
inline constexpr size_t kAddressSize = 7;
inline constexpr size_t kControlOffset = 9;
inline constexpr size_t kLengthOffset = 10;
inline constexpr size_t kDataOffset = 11;
inline constexpr size_t kFrameMin = 13;  // L = 0.
inline constexpr size_t kDiSize = 2;
inline constexpr size_t kHeadSize = 3;  // Data identifier and sequence, before the body.

// Control: D7 reply, D6 abnormal, D5 more or unasked, D4 to D0 function.
inline constexpr uint8_t kReplyBit = 0x80;
inline constexpr uint8_t kAbnormalBit = 0x40;
inline constexpr uint8_t kFollowBit = 0x20;
inline constexpr uint8_t kFunctionMask = 0x1F;

inline constexpr uint8_t kReadData = 0x01;
inline constexpr uint8_t kReadAddress = 0x03;
inline constexpr uint8_t kWriteData = 0x04;
inline constexpr uint8_t kReadKeyVersion = 0x09;
inline constexpr uint8_t kWriteAddress = 0x15;
inline constexpr uint8_t kWriteBase = 0x16;

// Meter types. 10H to 19H water, 20H to 29H heat and cold, 30H to 39H gas, 40H to 49H others.
inline constexpr uint8_t kColdWater = 0x10;
inline constexpr uint8_t kHotWater = 0x11;
inline constexpr uint8_t kAnyType = 0xAA;

struct Address {
  uint8_t type = kColdWater;
  std::array<uint8_t, kAddressSize> wire = {};  // Low byte first: serial number, then two of the manufacturer.

  friend bool operator==(const Address& a, const Address& b) = default;
};

// 14 digits as printed (manufacturer first), or 16 with the meter type before them. A pair AA stands for any byte (also
// FF and DD, which some vendors use so). BAD_METER_ADDRESS with metadata position.
absl::StatusOr<Address> ParseAddress(absl::string_view text, uint8_t type_of_14_digits);
// 16 digits: type and address.
std::string FormatAddress(const Address& address);
// The 14 digits alone.
std::string FormatSerial(const Address& address);
bool IsWildcard(uint8_t byte);
// The asked address or pattern fits who answered. Types are not compared: some meters answer AA whatever they are.
bool AnswersTo(const Address& asked, const Address& answered);

struct Frame {
  Address address = {};
  uint8_t control = 0;
  base::ByteView data = {};

  bool is_reply() const { return (control & kReplyBit) != 0; }
  bool is_abnormal() const { return (control & kAbnormalBit) != 0; }
  bool more_follows() const { return (control & kFollowBit) != 0; }
  uint8_t function() const { return control & kFunctionMask; }
};

enum class Fault : uint8_t { kNone = 0, kBadStart, kTruncated, kBadLength, kBadEnd, kBadChecksum };
absl::string_view FaultText(Fault fault);

struct Parsed {
  Frame frame = {};
  Fault fault = Fault::kNone;
  size_t position = 0;  // Of the first wrong (or missing) byte, counted from the first byte given.
  size_t size = 0;      // Of the frame with its preambles; what follows is not looked at.
};

// FE before the frame are skipped. Allocates nothing.
Parsed ParseFrame(base::ByteView bytes);

std::string BuildFrame(const Address& address, uint8_t control, base::ByteView data);

// Data identifiers go over the wire in either order: 1F 90 (most meters, 2018) or 90 1F (text of 2004).
uint16_t LowFirst(base::ByteView data);
uint16_t HighFirst(base::ByteView data);

}  // namespace voltwell::codec::cjt188
