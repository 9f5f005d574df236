// Envelope and addresses; see frame.h.
#include "libs/codec/cjt188/frame.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::cjt188 {
namespace {

constexpr size_t kShortDigits = 14;
constexpr size_t kLongDigits = 16;

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char upper = absl::ascii_toupper(static_cast<unsigned char>(c));
  return upper >= 'A' && upper <= 'F' ? upper - 'A' + 10 : -1;
}

bool IsBcd(uint8_t byte) { return (byte >> 4) <= 9 && (byte & 0x0F) <= 9; }

absl::Status BadAddress(size_t position, absl::string_view text) {
  return base::InvalidArgument("BAD_METER_ADDRESS",
                               "a CJ/T 188 address is 14 digits, or 16 with the meter type; AA stands for any two",
                               {{"position", absl::StrCat(position)}, {"address", std::string(text.substr(0, 32))}});
}

}  // namespace

bool IsWildcard(uint8_t byte) { return byte == 0xAA || byte == 0xFF || byte == 0xDD; }

absl::StatusOr<Address> ParseAddress(absl::string_view text, uint8_t type_of_14_digits) {
  Address address;
  address.type = type_of_14_digits;
  if (text.size() != kShortDigits && text.size() != kLongDigits) {
    return BadAddress(std::min(text.size(), kLongDigits), text);
  }
  const size_t pairs = text.size() / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const int high = HexDigit(text[2 * i]);
    const int low = HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return BadAddress(2 * i + (high < 0 ? 0 : 1), text);
    const auto byte = static_cast<uint8_t>(high << 4 | low);
    const bool is_type = pairs > kAddressSize && i == 0;
    if (!IsBcd(byte) && !IsWildcard(byte)) return BadAddress(2 * i, text);
    if (is_type) {
      address.type = byte;
    } else {
      address.wire[pairs - 1 - i] = byte;
    }
  }
  return address;
}

std::string FormatSerial(const Address& address) {
  std::string text;
  for (size_t i = kAddressSize; i > 0; --i) absl::StrAppendFormat(&text, "%02X", address.wire[i - 1]);
  return text;
}

std::string FormatAddress(const Address& address) {
  return absl::StrFormat("%02X", address.type) + FormatSerial(address);
}

bool AnswersTo(const Address& asked, const Address& answered) {
  for (size_t i = 0; i < kAddressSize; ++i) {
    if (!IsWildcard(asked.wire[i]) && asked.wire[i] != answered.wire[i]) return false;
  }
  return true;
}

absl::string_view FaultText(Fault fault) {
  switch (fault) {
    case Fault::kNone:
      return "whole";
    case Fault::kBadStart:
      return "no 68H where the frame should begin";
    case Fault::kTruncated:
      return "the frame ends too early";
    case Fault::kBadLength:
      return "the length does not fit the bytes that came";
    case Fault::kBadEnd:
      return "no 16H where the frame should end";
    case Fault::kBadChecksum:
      return "wrong checksum";
  }
  return "";
}

Parsed ParseFrame(base::ByteView bytes) {
  Parsed parsed;
  size_t begin = 0;
  while (begin < bytes.size() && bytes[begin] == frame::kPreamble) ++begin;
  const base::ByteView rest = bytes.subspan(begin);
  const auto fail = [&parsed, begin](Fault fault, size_t position) {
    parsed.fault = fault;
    parsed.position = begin + position;
    return parsed;
  };
  if (rest.empty()) return fail(Fault::kTruncated, 0);
  if (rest[0] != kStart) return fail(Fault::kBadStart, 0);
  if (rest.size() <= kLengthOffset) return fail(Fault::kTruncated, rest.size());
  parsed.frame.address.type = rest[kTypeOffset];
  std::copy_n(rest.begin() + kAddressOffset, kAddressSize, parsed.frame.address.wire.begin());
  parsed.frame.control = rest[kControlOffset];
  const size_t length = rest[kLengthOffset];
  const size_t size = kFrameMin + length;
  if (rest.size() < size) {
    // A shorter frame that is right in itself tells that the length lies; else bytes are missing.
    const bool closed = rest.size() >= kFrameMin && rest.back() == kEnd &&
                        frame::Sum8(rest.first(rest.size() - 2)) == rest[rest.size() - 2];
    if (closed) return fail(Fault::kBadLength, kLengthOffset);
    parsed.frame.data = rest.subspan(kDataOffset, std::min(length, rest.size() - kDataOffset));
    return fail(Fault::kTruncated, rest.size());
  }
  parsed.frame.data = rest.subspan(kDataOffset, length);
  parsed.size = begin + size;
  if (rest[size - 1] != kEnd) return fail(Fault::kBadEnd, size - 1);
  if (frame::Sum8(rest.first(size - 2)) != rest[size - 2]) return fail(Fault::kBadChecksum, size - 2);
  return parsed;
}

std::string BuildFrame(const Address& address, uint8_t control, base::ByteView data) {
  std::string out;
  out.reserve(kFrameMin + data.size());
  out.push_back(static_cast<char>(kStart));
  out.push_back(static_cast<char>(address.type));
  for (const uint8_t byte : address.wire) out.push_back(static_cast<char>(byte));
  out.push_back(static_cast<char>(control));
  out.push_back(static_cast<char>(data.size()));
  for (const uint8_t byte : data) out.push_back(static_cast<char>(byte));
  out.push_back(static_cast<char>(frame::Sum8(base::AsBytes(out))));
  out.push_back(static_cast<char>(kEnd));
  return out;
}

uint16_t LowFirst(base::ByteView data) { return static_cast<uint16_t>(data[0] | data[1] << 8); }
uint16_t HighFirst(base::ByteView data) { return static_cast<uint16_t>(data[0] << 8 | data[1]); }

}  // namespace voltwell::codec::cjt188
