#include "tools/field_sim/cjt188_frame.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_format.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kBegin = 0x68, kFinish = 0x16;
constexpr size_t kLengthAt = 10, kDataAt = 11;
// A meter hears one request at a time; what no frame can be made of is forgotten.
constexpr size_t kHeardMax = 1024;

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

}  // namespace

bool ParseCjt188Address(absl::string_view text, Cjt188Address* address) {
  if (text.size() != 14 && text.size() != 16) return false;
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i < text.size(); i += 2) {
    const int high = Digit(text[i]), low = Digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<uint8_t>(high * 16 + low));
  }
  address->type = 0x10;
  if (bytes.size() == 8) {
    address->type = bytes.front();
    bytes.erase(bytes.begin());
  }
  std::copy(bytes.rbegin(), bytes.rend(), address->wire.begin());
  return true;
}

std::string Cjt188AddressText(const Cjt188Address& address) {
  std::string text = absl::StrFormat("%02X", address.type);
  for (auto byte = address.wire.rbegin(); byte != address.wire.rend(); ++byte) {
    absl::StrAppendFormat(&text, "%02X", *byte);
  }
  return text;
}

bool Cjt188Matches(const Cjt188Address& asked, const Cjt188Address& own) {
  if (asked.type != 0xAA && asked.type != own.type) return false;
  for (size_t i = 0; i < own.wire.size(); ++i) {
    if (asked.wire[i] != 0xAA && asked.wire[i] != own.wire[i]) return false;
  }
  return true;
}

bool IsCjt188Broadcast(const Cjt188Address& asked) {
  return std::all_of(asked.wire.begin(), asked.wire.end(), [](uint8_t byte) { return byte == 0x99; });
}

Cjt188Request TakeCjt188(Bytes frame) {
  Cjt188Request request;
  request.address.type = frame[1];
  std::copy_n(frame.begin() + 2, 7, request.address.wire.begin());
  request.control = frame[9];
  request.data.assign(frame.begin() + kDataAt, frame.end() - 2);
  return request;
}

size_t BuildCjt188(const Cjt188Address& address, uint8_t control, const std::vector<uint8_t>& data, uint8_t* out) {
  size_t at = 0;
  out[at++] = kBegin;
  out[at++] = address.type;
  for (const uint8_t byte : address.wire) out[at++] = byte;
  out[at++] = control;
  out[at++] = static_cast<uint8_t>(data.size());
  for (const uint8_t byte : data) out[at++] = byte;
  const int sum = std::accumulate(out, out + at, 0);
  out[at++] = static_cast<uint8_t>(sum);
  out[at++] = kFinish;
  return at;
}

void Cjt188Cutter::Append(Bytes bytes) {
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  while (buffer_.size() > kHeardMax) buffer_.pop_front();
}

bool Cjt188Cutter::Next(std::string* frame) {
  while (!buffer_.empty()) {
    if (buffer_.front() != kBegin) {
      buffer_.pop_front();
      continue;
    }
    if (buffer_.size() <= kLengthAt) return false;
    const size_t size = kCjt188Overhead + buffer_[kLengthAt];
    if (buffer_.size() < size) return false;
    const int sum = std::accumulate(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size - 2), 0);
    if (buffer_[size - 1] != kFinish || static_cast<uint8_t>(sum) != buffer_[size - 2]) {
      ++bad_frames_;
      buffer_.pop_front();
      continue;
    }
    frame->assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(size));
    return true;
  }
  return false;
}

}  // namespace voltwell::field_sim
