// Exchanges of CJ/T 188; see cjt188_exchange.h.
#include "libs/codec/cjt188_exchange.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/request.h"

namespace voltwell::codec {
namespace {

constexpr int64_t kBitsPerByte = 11;  // Start, 8 data, even parity, stop.
constexpr int32_t kBaudMin = 300;
constexpr int32_t kBaudMax = 115200;
constexpr int32_t kPreambles = 3;  // Wakes level converters of M-Bus and optical heads.
constexpr char kPreamble = '\xFE';
constexpr size_t kReplyPreambles = 4;

absl::Duration ReplyTimeout(const Cjt188Call& call, size_t request_size, size_t reply_size) {
  if (call.baud == 0) return call.profile.turnaround;
  const size_t bytes = request_size + kReplyPreambles + cjt188::kFrameMin + cjt188::kHeadSize + reply_size;
  return call.profile.turnaround + absl::Seconds(1) * (static_cast<int64_t>(bytes) * kBitsPerByte) / call.baud;
}

// SER ST ST, or DI DI SER error; what else came is shown raw. None of it says why: a status word tells how the meter is
// (its battery may be low), not what it refused, and nobody has a table of the error byte.
absl::Status Refused(base::ByteView data) {
  base::ErrorMetadata metadata = {{"bits", "unspecified"},
                                  {"word", base::ToHex(data.first(std::min<size_t>(data.size(), 8)))}};
  if (data.size() == cjt188::kHeadSize) {
    metadata["status"] = base::ToHex(data.subspan(1));
  } else if (data.size() == cjt188::kHeadSize + 1) {
    metadata["error"] = base::ToHex(data.last(1));
  }
  return base::FailedPrecondition("METER_REFUSED", "the meter refused, and does not say why", metadata);
}

}  // namespace

RelayState ValveState(const StatusBits& bits, uint16_t word) {
  const auto valve = static_cast<uint16_t>(word & bits.valve_mask);
  if (valve == bits.valve_open) return RelayState::kClosed;  // Water flows: supply is on.
  return valve == bits.valve_closed ? RelayState::kOpen : RelayState::kUnspecified;
}

bool IsValveFault(const StatusBits& bits, uint16_t word) {
  const auto valve = static_cast<uint16_t>(word & bits.valve_mask);
  return valve == bits.valve_fault && bits.valve_fault != bits.valve_open && bits.valve_fault != bits.valve_closed;
}

absl::Status Cjt188NotUnderstood(absl::string_view why, base::ByteView bytes, size_t position) {
  constexpr size_t kShown = 64;
  return base::DataLoss("FRAME_NOT_UNDERSTOOD", absl::StrCat("the reply is not understood: ", why),
                        {{"why", std::string(why)},
                         {"position", absl::StrCat(position)},
                         {"frame", base::ToHex(bytes.first(std::min(bytes.size(), kShown)))}});
}

absl::StatusOr<Cjt188Call> Cjt188CallOf(const Command& command, const Profile& profile) {
  if (command.baud != 0 && (command.baud < kBaudMin || command.baud > kBaudMax)) {
    return base::InvalidArgument("BAD_BAUD", "a bus runs at 300 to 115200 bit/s; 0 means without wire time",
                                 {{"baud", absl::StrCat(command.baud)}});
  }
  VW_ASSIGN_OR_RETURN(const cjt188::Address address,
                      cjt188::ParseAddress(command.address, static_cast<uint8_t>(profile.meter_type)));
  return Cjt188Call{address, command.baud, profile};
}

Exchange AskCjt188(const Cjt188Call& call, uint16_t di, const std::string& body, uint8_t sequence, size_t reply_size) {
  Exchange exchange;
  const int32_t preambles = call.profile.preambles < 0 ? kPreambles : call.profile.preambles;
  exchange.request =
      std::string(static_cast<size_t>(preambles), kPreamble) +
      cjt188::BuildRequest(call.address, di, base::AsBytes(body), {call.profile.identifier_low_first, sequence});
  exchange.frame_kind = frame::FrameKind::kCjt188;
  exchange.matcher =
      cjt188::MatcherOf(call.address, di, call.profile.check_sequence ? std::optional(sequence) : std::nullopt);
  exchange.reply_timeout = ReplyTimeout(call, exchange.request.size(), reply_size);
  return exchange;
}

absl::StatusOr<Cjt188Reply> TakenCjt188(const Cjt188Call& call, uint16_t di, const std::vector<ReplyFrames>& replies,
                                        size_t place) {
  if (place >= replies.size() || replies[place].empty()) return Cjt188NotUnderstood("no reply", {}, 0);
  const base::ByteView bytes = base::AsBytes(replies[place].front());
  const cjt188::Parsed parsed = cjt188::ParseFrame(bytes);
  if (parsed.fault != cjt188::Fault::kNone) {
    return Cjt188NotUnderstood(cjt188::FaultText(parsed.fault), bytes, parsed.position);
  }
  const cjt188::Frame& frame = parsed.frame;
  const size_t begin = static_cast<size_t>(frame.data.data() - bytes.data()) - cjt188::kDataOffset;
  if (!frame.is_reply()) return Cjt188NotUnderstood("a request, not a reply", bytes, begin + cjt188::kControlOffset);
  if (frame.function() != cjt188::FunctionOf(di)) {
    return Cjt188NotUnderstood("the reply to another function", bytes, begin + cjt188::kControlOffset);
  }
  if (!cjt188::AnswersTo(call.address, frame.address)) {
    return Cjt188NotUnderstood("the reply of another meter", bytes, begin + cjt188::kAddressOffset);
  }
  if (frame.is_abnormal()) return Refused(frame.data);
  if (frame.data.size() < cjt188::kDiSize) {
    return Cjt188NotUnderstood("too short for a data identifier", bytes, begin + cjt188::kLengthOffset);
  }
  if (cjt188::LowFirst(frame.data) != di && cjt188::HighFirst(frame.data) != di) {
    return Cjt188NotUnderstood("the reply to another identifier", bytes, begin + cjt188::kDataOffset);
  }
  const size_t head = std::min(frame.data.size(), cjt188::kHeadSize);
  return Cjt188Reply{frame, frame.data.subspan(head)};
}

cjt188::BodyOptions BodyOptionsOf(const Profile& profile) {
  cjt188::BodyOptions options;
  options.volume_decimals = profile.volume_decimals;
  options.number_bcd = profile.prepay.number_bcd;
  options.sentinels = profile.sentinels;
  for (const auto& [id, differs] : profile.registers) {
    const cjt188::Found found = cjt188::FindById(id);
    const cjt188::Register* const row = found.row;
    if (row == nullptr) continue;
    const auto index = static_cast<size_t>(row->reg);
    if (differs.scale >= 0) options.scale[index] = static_cast<int8_t>(differs.scale);
    if (differs.length > 0 && differs.length <= std::numeric_limits<int8_t>::max()) {
      options.length[index] = static_cast<int8_t>(differs.length);
    }
  }
  return options;
}

const RegisterOverride* OverrideOf(const Profile& profile, const cjt188::Found& found) {
  if (profile.registers.empty() || found.row == nullptr) return nullptr;
  const auto differs = profile.registers.find(cjt188::IdFor(*found.row, cjt188::kColdWater, found.n));
  return differs == profile.registers.end() ? nullptr : &differs->second;
}

}  // namespace voltwell::codec
