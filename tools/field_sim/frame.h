// DL/T 645-2007 frames as a meter sees them: cuts requests out of the bytes of a bus and builds replies.
// Written on its own, from the frame layout; it shares nothing with libs/codec, so that a mistake made there
// is not repeated here and then taken for the truth.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace voltwell::field_sim {

using Bytes = std::span<const uint8_t>;

// 68 A0..A5 68 C L, at most 255 data bytes, CS 16.
inline constexpr size_t kMaxFrame = 12 + 255;
// A meter hears one request at a time; four of the longest are more than any master may send.
inline constexpr size_t kCutterBytes = 4 * kMaxFrame;

// Twelve hex digits as printed on the meter, highest first; on the wire the lowest byte goes first.
using Address = uint64_t;
inline constexpr Address kBroadcast = 0x999999999999;

std::optional<Address> ParseAddress(absl::string_view digits);
std::string AddressText(Address address);

// A byte AA in the request stands for any byte of the meter's address.
bool AddressMatches(Address requested, Address own);
bool HasWildcard(Address requested);

struct Request {
  Address address = 0;
  uint8_t control = 0;
  size_t size = 0;                          // Of data.
  std::array<uint8_t, 255> data = {};       // Already without the 33H that the sender added.
  std::array<uint8_t, kMaxFrame> raw = {};  // From the first 68 to the 16, for recorded exchanges.
  size_t raw_size = 0;

  Bytes payload() const { return {data.data(), size}; }
  Bytes frame() const { return {raw.data(), raw_size}; }
};

// Finds whole, valid requests in a stream of bytes; anything else is skipped byte by byte.
class FrameCutter {
 public:
  // Beyond kCutterBytes the oldest bytes are forgotten: a bus has no memory.
  void Append(Bytes bytes);
  bool Next(Request* request);
  void Clear() { begin_ = end_ = 0; }
  bool empty() const { return begin_ == end_; }
  uint64_t bad_frames() const { return bad_frames_; }

 private:
  std::array<uint8_t, kCutterBytes> buffer_ = {};
  size_t begin_ = 0;
  size_t end_ = 0;
  uint64_t bad_frames_ = 0;
};

// What a meter answers, before it becomes a frame.
struct Reply {
  uint8_t control = 0;
  size_t size = 0;
  std::array<uint8_t, 255> data = {};

  void Put(uint8_t byte) { data[size++] = byte; }
  void Put(Bytes bytes);
  // Packed BCD, lowest pair first. A negative value sets the highest bit of the highest byte.
  void PutBcd(int64_t value, size_t bytes);
  void PutDi(uint32_t di);
};

// Writes the whole frame to out (at least kMaxFrame bytes) and returns its length.
size_t BuildFrame(Address address, const Reply& reply, uint8_t* out);

uint8_t ToBcd(int value);
// Nothing when a nibble is above 9.
std::optional<int> FromBcd(uint8_t byte);

}  // namespace voltwell::field_sim
