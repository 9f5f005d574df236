// Headers and packets; see port_stream.h.
#include "services/collector_gateway/domain/port_stream.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/match.h"
#include "libs/base/status.h"
#include "libs/codec/frame/checksum.h"
#include "libs/codec/frame/frame_kind.h"

namespace voltwell::gateway {
namespace {

using namespace codec::frame;  // NOLINT: the constants of frames.

constexpr size_t kHeaderMax = 16;
constexpr size_t kPreamblesMax = 16;

absl::Status Bad(absl::string_view why) {
  return base::InvalidArgument("BAD_DIALECT", "a packet's header cannot be read", {{"why", std::string(why)}});
}

// One whole frame, whose sum from `from` on is right. `kMore` while bytes are missing.
PacketHeader::Match::Kind Whole(base::ByteView bytes, size_t size, size_t from) {
  using Kind = PacketHeader::Match::Kind;
  if (bytes.size() < size) return Kind::kMore;
  const bool right = bytes[size - 1] == kDlt645End && Sum8(bytes.subspan(from, size - 2 - from)) == bytes[size - 2];
  return right ? Kind::kWhole : Kind::kNo;
}

struct Frame {
  PacketHeader::Match::Kind kind = PacketHeader::Match::Kind::kNo;
  size_t size = 0;
};

// The frame, of any protocol, that these bytes begin with.
Frame FrameAt(base::ByteView bytes) {
  using Kind = PacketHeader::Match::Kind;
  if (bytes.empty()) return {Kind::kMore};
  if (bytes[0] == kMbusAck) return {Kind::kWhole, 1};
  if (bytes[0] == kMbusShortStart) return {Whole(bytes, kMbusShortSize, 1), kMbusShortSize};
  if (bytes[0] != kDlt645Start) return {};
  Frame best;
  const auto look = [&](bool fits, size_t size, size_t from) {
    const Kind kind = fits ? Whole(bytes, size, from) : Kind::kNo;
    if (kind == Kind::kWhole && best.kind != Kind::kWhole) best = {kind, size};
    if (kind == Kind::kMore && best.kind == Kind::kNo) best = {kind, 0};
  };
  constexpr size_t kTellsApart = 11;  // By then all three have shown their length.
  if (bytes.size() >= 4)
    look(bytes[3] == kDlt645Start && bytes[1] == bytes[2] && bytes[1] >= kMbusLengthMin, bytes[1] + kMbusLongAround, 4);
  if (bytes.size() >= 10) look(bytes[7] == kDlt645Start, kDlt645FrameMin + bytes[9], 0);
  if (bytes.size() >= kTellsApart) look(true, kCjt188FrameMin + bytes[10], 0);
  if (best.kind == Kind::kNo && bytes.size() < kTellsApart) best.kind = Kind::kMore;
  return best;
}

}  // namespace

absl::StatusOr<PacketHeader> PacketHeader::Parse(absl::string_view text) {
  PacketHeader header;
  bool has_port = false;
  while (!text.empty()) {
    if (text[0] != '{') {
      VW_ASSIGN_OR_RETURN(const char byte, TakeTemplateByte(text));
      header.form_ += byte;
      continue;
    }
    const size_t end = text.find('}');
    if (end == absl::string_view::npos) return Bad("a brace that is not closed");
    const absl::string_view name = text.substr(1, end - 1);
    text.remove_prefix(end + 1);
    if (name == "port" && !has_port) {
      has_port = true;
      header.port_at_ = header.form_.size();
      header.form_ += '\0';
    } else if ((name == "length:1" || name == "length:2" || name == "length:2le") && header.length_bytes_ == 0) {
      header.length_at_ = header.form_.size();
      header.length_bytes_ = name == "length:1" ? 1 : 2;
      header.low_first_ = name == "length:2le";
      header.form_.append(header.length_bytes_, '\0');
    } else {
      return Bad("in braces stands port, length:1, length:2 or length:2le, each once");
    }
  }
  if (!has_port) return Bad("{port} is missing");
  if (header.form_.size() > kHeaderMax) return Bad("more than 16 bytes");
  return header;
}

std::string PacketHeader::Write(uint8_t port, size_t data_size) const {
  std::string bytes = form_;
  bytes[port_at_] = static_cast<char>(port);
  for (size_t i = 0; i < length_bytes_; ++i) {
    const size_t shift = low_first_ ? i : length_bytes_ - 1 - i;
    bytes[length_at_ + i] = static_cast<char>((data_size >> (8 * shift)) & 0xFF);
  }
  return bytes;
}

PacketHeader::Match PacketHeader::At(base::ByteView bytes) const {
  Match match;
  for (size_t i = 0; i < form_.size(); ++i) {
    const bool open = i == port_at_ || (i >= length_at_ && i < length_at_ + length_bytes_);
    if (i >= bytes.size()) return {Match::Kind::kMore};
    if (!open && bytes[i] != static_cast<uint8_t>(form_[i])) return {};
    if (i == port_at_) match.port = bytes[i];
  }
  for (size_t i = 0; i < length_bytes_; ++i) {
    const size_t shift = low_first_ ? i : length_bytes_ - 1 - i;
    match.data_size |= size_t{bytes[length_at_ + i]} << (8 * shift);
  }
  match.kind = Match::Kind::kWhole;
  return match;
}

void PortStream::Push(base::ByteView bytes, Instant now) {
  bytes_.erase(0, begin_);
  begin_ = 0;
  if (now >= last_byte_ + kPortPause) lost_ = false;
  if (now >= last_byte_ + kPortPacketTimeout) stale_ = bytes_.size();
  last_byte_ = now;
  bytes_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

PortStream::Piece PortStream::Take(Piece::Kind kind, size_t size, size_t skip, uint8_t port) {
  const base::ByteView bytes = base::AsBytes(bytes_).subspan(begin_ + skip, size - skip);
  begin_ += size;
  return {kind, port, bytes};
}

PortStream::Piece PortStream::Lose() {
  lost_ = true;
  return Take(Piece::Kind::kNoise, pending());
}

PortStream::Piece PortStream::Next(const PacketHeader& header, const Keepalives& keepalives) {
  if (const size_t stale = std::exchange(stale_, 0); stale > 0) return Take(Piece::Kind::kNoise, stale);
  if (pending() == 0) return {};
  if (lost_) return Lose();
  const base::ByteView bytes = base::AsBytes(bytes_).subspan(begin_);
  const Keepalives::Start start = keepalives.AtStart(bytes);
  if (start.length > 0)
    return Take(start.heartbeat ? Piece::Kind::kHeartbeat : Piece::Kind::kRegistration, start.length);
  if (start.may_be) return {};
  const PacketHeader::Match match = header.At(bytes);
  if (match.kind == PacketHeader::Match::Kind::kMore) return {};
  if (match.kind == PacketHeader::Match::Kind::kNo) return Lose();
  if (!header.has_length()) return ports_[match.port] ? NextFrame(header, match.port) : Lose();
  if (match.data_size > kPortPacketMax) return Lose();
  const size_t size = header.size() + match.data_size;
  // Of a port that the box has not a length is believed only when it is borne out.
  if (bytes.size() < size) return ports_[match.port] ? Piece() : Lose();
  const bool known = ports_[match.port] && match.data_size > 0;
  return Take(known ? Piece::Kind::kData : Piece::Kind::kUnknownPort, size, known ? header.size() : 0, match.port);
}

PortStream::Piece PortStream::NextFrame(const PacketHeader& header, uint8_t port) {
  const base::ByteView bytes = base::AsBytes(bytes_).subspan(begin_ + header.size());
  size_t preambles = 0;
  while (preambles < bytes.size() && preambles < kPreamblesMax && bytes[preambles] == kPreamble) ++preambles;
  const Frame frame = FrameAt(bytes.subspan(preambles));
  if (frame.kind == PacketHeader::Match::Kind::kMore) return {};
  if (frame.kind == PacketHeader::Match::Kind::kNo) return Lose();
  return Take(Piece::Kind::kData, header.size() + preambles + frame.size, header.size(), port);
}

}  // namespace voltwell::gateway
