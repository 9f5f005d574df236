#include "tools/field_sim/frame.h"

#include <algorithm>
#include <cstring>

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kStart = 0x68;
constexpr uint8_t kEnd = 0x16;
constexpr uint8_t kOffset = 0x33;
constexpr size_t kHeader = 10;  // 68, six address bytes, 68, C, L.

uint8_t Sum(const uint8_t* bytes, size_t size) {
  uint8_t sum = 0;
  for (size_t i = 0; i < size; ++i) sum = static_cast<uint8_t>(sum + bytes[i]);
  return sum;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<Address> ParseAddress(absl::string_view digits) {
  if (digits.size() != 12) return std::nullopt;
  Address address = 0;
  for (const char c : digits) {
    const int digit = HexDigit(c);
    if (digit < 0) return std::nullopt;
    address = address << 4 | static_cast<Address>(digit);
  }
  return address;
}

std::string AddressText(Address address) {
  std::string text(12, '0');
  for (int i = 11; i >= 0; --i, address >>= 4) text[static_cast<size_t>(i)] = "0123456789ABCDEF"[address & 0xF];
  return text;
}

bool AddressMatches(Address requested, Address own) {
  for (int shift = 0; shift < 48; shift += 8) {
    const uint64_t byte = requested >> shift & 0xFF;
    if (byte != 0xAA && byte != (own >> shift & 0xFF)) return false;
  }
  return true;
}

bool HasWildcard(Address requested) {
  for (int shift = 0; shift < 48; shift += 8) {
    if ((requested >> shift & 0xFF) == 0xAA) return true;
  }
  return false;
}

void FrameCutter::Append(Bytes bytes) {
  if (bytes.size() > buffer_.size()) bytes = bytes.last(buffer_.size());
  if (end_ + bytes.size() > buffer_.size()) {
    const size_t keep = std::min(end_ - begin_, buffer_.size() - bytes.size());
    std::memmove(buffer_.data(), buffer_.data() + end_ - keep, keep);
    begin_ = 0;
    end_ = keep;
  }
  std::memcpy(buffer_.data() + end_, bytes.data(), bytes.size());
  end_ += bytes.size();
}

bool FrameCutter::Next(Request* request) {
  while (begin_ < end_) {
    const uint8_t* at = buffer_.data() + begin_;
    const size_t have = end_ - begin_;
    if (*at != kStart) {
      ++begin_;
      continue;
    }
    if (have < kHeader) return false;
    const size_t size = at[9];
    if (at[7] != kStart) {
      ++begin_;
      continue;
    }
    const size_t total = kHeader + size + 2;
    if (have < total) return false;
    if (at[total - 1] != kEnd || Sum(at, total - 2) != at[total - 2]) {
      ++bad_frames_;
      ++begin_;
      continue;
    }
    request->address = 0;
    for (size_t i = 6; i >= 1; --i) request->address = request->address << 8 | at[i];
    request->control = at[8];
    request->size = size;
    for (size_t i = 0; i < size; ++i) request->data[i] = static_cast<uint8_t>(at[kHeader + i] - kOffset);
    std::memcpy(request->raw.data(), at, total);
    request->raw_size = total;
    begin_ += total;
    if (begin_ == end_) Clear();
    return true;
  }
  Clear();
  return false;
}

void Reply::Put(Bytes bytes) {
  std::copy(bytes.begin(), bytes.end(), data.begin() + static_cast<std::ptrdiff_t>(size));
  size += bytes.size();
}

void Reply::PutBcd(int64_t value, size_t bytes) {
  const bool negative = value < 0;
  uint64_t rest = static_cast<uint64_t>(negative ? -value : value);
  for (size_t i = 0; i < bytes; ++i, rest /= 100) Put(ToBcd(static_cast<int>(rest % 100)));
  if (negative) data[size - 1] |= 0x80;
}

void Reply::PutDi(uint32_t di) {
  for (int shift = 0; shift < 32; shift += 8) Put(static_cast<uint8_t>(di >> shift));
}

size_t BuildFrame(Address address, const Reply& reply, uint8_t* out) {
  size_t at = 0;
  out[at++] = kStart;
  for (int shift = 0; shift < 48; shift += 8) out[at++] = static_cast<uint8_t>(address >> shift);
  out[at++] = kStart;
  out[at++] = reply.control;
  out[at++] = static_cast<uint8_t>(reply.size);
  for (size_t i = 0; i < reply.size; ++i) out[at++] = static_cast<uint8_t>(reply.data[i] + kOffset);
  out[at] = Sum(out, at);
  ++at;
  out[at++] = kEnd;
  return at;
}

uint8_t ToBcd(int value) { return static_cast<uint8_t>(value / 10 % 10 << 4 | value % 10); }

std::optional<int> FromBcd(uint8_t byte) {
  if ((byte >> 4) > 9 || (byte & 0xF) > 9) return std::nullopt;
  return (byte >> 4) * 10 + (byte & 0xF);
}

}  // namespace voltwell::field_sim
