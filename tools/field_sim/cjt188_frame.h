// CJ/T 188 frames as a meter sees them. Written on its own, from the frame layout; shares nothing with libs/codec.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "tools/field_sim/dialect.h"

namespace voltwell::field_sim {

// 68 T A0..A6 C L, at most 255 data bytes, CS 16.
inline constexpr size_t kCjt188Overhead = 13;

// T and the seven address bytes as they go over the wire.
struct Cjt188Address {
  uint8_t type = 0x10;
  std::array<uint8_t, 7> wire = {};

  bool operator==(const Cjt188Address&) const = default;
};

// 16 digits: the type and 14 of the address; 14 digits alone are of a cold water meter.
bool ParseCjt188Address(absl::string_view text, Cjt188Address* address);
std::string Cjt188AddressText(const Cjt188Address& address);
// AA stands for any byte; 99 everywhere is a broadcast, which all hear and none answers.
bool Cjt188Matches(const Cjt188Address& asked, const Cjt188Address& own);
bool IsCjt188Broadcast(const Cjt188Address& asked);

struct Cjt188Request {
  Cjt188Address address;
  uint8_t control = 0;
  std::vector<uint8_t> data;
};
// Of a whole, valid frame.
Cjt188Request TakeCjt188(Bytes frame);

size_t BuildCjt188(const Cjt188Address& address, uint8_t control, const std::vector<uint8_t>& data, uint8_t* out);

class Cjt188Cutter : public Cutter {
 public:
  void Append(Bytes bytes) override;
  bool Next(std::string* frame) override;
  void Clear() override { buffer_.clear(); }
  bool empty() const override { return buffer_.empty(); }
  uint64_t bad_frames() const override { return bad_frames_; }

 private:
  std::deque<uint8_t> buffer_;
  uint64_t bad_frames_ = 0;
};

}  // namespace voltwell::field_sim
