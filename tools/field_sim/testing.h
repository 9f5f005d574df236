// Helpers of the simulator's own tests.
#pragma once

#include <string>

#include "libs/base/bytes.h"
#include "tools/field_sim/device.h"

namespace voltwell::field_sim::testing {

inline constexpr int64_t kSecondNs = 1'000'000'000;
// 2026-01-01 02:00:00 UTC is 10:00 in China: the peak tariff.
inline constexpr Moment kMorning{1000 * kSecondNs, 1'767'232'800 * kSecondNs};

inline Moment After(Moment start, double seconds) {
  const auto ns = static_cast<int64_t>(seconds * 1e9);
  return {start.mono_ns + ns, start.wall_ns + ns};
}

// A request written down byte by byte, as a master would send it. data_hex is without the 33H.
inline std::string RequestFrame(const std::string& address, uint8_t control, const std::string& data_hex) {
  const std::string digits = *base::FromHex(address);
  const std::string data = *base::FromHex(data_hex);
  std::string frame = "\x68" + std::string(digits.rbegin(), digits.rend()) + "\x68";
  frame += static_cast<char>(control);
  frame += static_cast<char>(data.size());
  for (const char byte : data) frame += static_cast<char>(byte + 0x33);
  char sum = 0;
  for (const char byte : frame) sum = static_cast<char>(sum + byte);
  return frame + sum + '\x16';
}

// The data of an answer without the 33H, after its control byte, as hex: "91:00000100..." Empty for silence.
inline std::string Summary(const std::string& answer) {
  const size_t start = answer.find('\x68');
  if (start == std::string::npos || answer.size() < start + 12) return "";
  std::string data = answer.substr(start + 10, static_cast<uint8_t>(answer[start + 9]));
  for (char& byte : data) byte = static_cast<char>(byte - 0x33);
  return base::ToHex(base::AsBytes(answer.substr(start + 8, 1))) + ":" + base::ToHex(base::AsBytes(data));
}

inline std::string Ask(Device& device, const std::string& frame, Moment now) {
  FrameCutter cutter;
  cutter.Append(base::AsBytes(frame));
  Request request;
  if (!cutter.Next(&request)) return "not a request";
  std::array<uint8_t, kMaxAnswer> out;
  const size_t size = device.Answer(request, now, out);
  return base::ToString(Bytes(out).first(size));
}

}  // namespace voltwell::field_sim::testing
