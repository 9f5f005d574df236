// Parsing and building frames; see frame.h.
#include "libs/codec/dlt645/frame.h"

#include <algorithm>

#include "libs/base/check.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::codec::dlt645 {

std::optional<Frame> ParseFrame(base::ByteView bytes) {
  while (!bytes.empty() && bytes.front() == frame::kPreamble) bytes = bytes.subspan(1);
  if (bytes.size() < frame::kDlt645FrameMin || bytes[0] != frame::kDlt645Start || bytes[7] != frame::kDlt645Start) {
    return std::nullopt;
  }
  const size_t size = frame::kDlt645FrameMin + bytes[9];
  if (bytes.size() != size || bytes[size - 1] != frame::kDlt645End) return std::nullopt;
  if (frame::Sum8(bytes.first(size - 2)) != bytes[size - 2]) return std::nullopt;
  Frame parsed;
  std::copy_n(bytes.begin() + 1, kAddressSize, parsed.address.wire.begin());
  parsed.control = bytes[kControlOffset];
  parsed.data = bytes.subspan(kDataOffset, bytes[9]);
  return parsed;
}

std::string BuildFrame(const Address& address, uint8_t control, base::ByteView data) {
  VW_CHECK(data.size() <= kDataMax);
  std::string bytes;
  bytes.reserve(frame::kDlt645FrameMin + data.size());
  const auto add = [&bytes](uint8_t byte) { bytes.push_back(static_cast<char>(byte)); };
  add(frame::kDlt645Start);
  for (const uint8_t byte : address.wire) add(byte);
  add(frame::kDlt645Start);
  add(control);
  add(static_cast<uint8_t>(data.size()));
  for (const uint8_t byte : data) add(static_cast<uint8_t>(byte + kOffset));
  add(frame::Sum8(base::AsBytes(bytes)));
  add(frame::kDlt645End);
  return bytes;
}

uint32_t DataIdentifier(base::ByteView data) {
  VW_CHECK(data.size() >= kDiSize);
  const auto byte = [data](size_t i) { return uint32_t{static_cast<uint8_t>(data[i] - kOffset)} << (8 * i); };
  return byte(0) | byte(1) | byte(2) | byte(3);
}

}  // namespace voltwell::codec::dlt645
