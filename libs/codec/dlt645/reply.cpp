// Decoding replies; see reply.h.
#include "libs/codec/dlt645/reply.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "libs/base/status.h"

namespace voltwell::codec::dlt645 {
namespace {

// ERR of ordinary replies, bit 0 first.
constexpr absl::string_view kErrorBits[] = {
    "other",
    "no_such_data",
    "password_or_authority",
    "baud_rate",
    "too_many_year_zones",
    "too_many_day_periods",
    "too_many_tariffs",
    "reserved",
};

// The two-byte word of replies to 1CH (State Grid meters of 2014 and later), bit 0 first.
constexpr absl::string_view kRelayErrorBits[] = {
    "suspended",        "mac",
    "password",         "not_authenticated",
    "expiry",           "keep_power_refuses_trip",
    "keep_power_alarm", "pre_trip_duration_zero",
    "already_tripped",
};

void DecodeMembers(const Block& block, base::ByteView data, std::vector<Field>& fields) {
  for (uint8_t i = 0; i < block.members && data.size() >= block.length; ++i, data = data.subspan(block.length)) {
    const Register* const row = FindByDi(block.first + i * 0x100U);
    fields.push_back({row, DecodeField(data.first(block.length), row->format, row->scale)});
  }
}

}  // namespace

ReadOutcome DecodeData(uint32_t di, base::ByteView data, std::vector<Field>& fields) {
  if (const Register* const row = FindByDi(di); row != nullptr) {
    if (data.size() != row->length) return ReadOutcome::kLengthDiffers;
    fields.push_back({row, DecodeField(data, row->format, row->scale)});
    return ReadOutcome::kValues;
  }
  const Block* const block = FindBlock(di);
  if (block == nullptr) return ReadOutcome::kUnknownDi;
  const bool too_long = !block->open_ended && data.size() > size_t{block->length} * block->members;
  if (data.empty() || data.size() % block->length != 0 || too_long) return ReadOutcome::kLengthDiffers;
  DecodeMembers(*block, data, fields);
  return ReadOutcome::kValues;
}

bool DecodeReadReply(base::ByteView bytes, std::vector<Field>& fields) {
  const auto frame = ParseFrame(bytes);
  if (!frame.has_value() || frame->control != (kReadData | kReplyBit) || frame->data.size() <= kDiSize) return false;
  return DecodeData(DataIdentifier(frame->data), frame->data.subspan(kDiSize), fields) == ReadOutcome::kValues;
}

absl::StatusOr<Frame> ParseReply(const Address& address, uint8_t function, base::ByteView bytes) {
  const auto frame = ParseFrame(bytes);
  if (!frame.has_value()) return NotUnderstood("no frame with a right checksum", bytes);
  if (!frame->is_reply()) return NotUnderstood("a request, not a reply", bytes);
  if (frame->function() != function) return NotUnderstood("the reply to another function", bytes);
  if (!AnswersTo(address, frame->address)) return NotUnderstood("the reply of another meter", bytes);
  return *frame;
}

absl::StatusOr<ReadData> JoinReplies(const Address& address, const std::vector<std::string>& frames) {
  if (frames.empty()) return NotUnderstood("no reply", {});
  ReadData joined;
  for (size_t i = 0; i < frames.size(); ++i) {
    const base::ByteView bytes = base::AsBytes(frames[i]);
    VW_ASSIGN_OR_RETURN(const Frame frame, ParseReply(address, i == 0 ? kReadData : kReadNext, bytes));
    if (frame.is_abnormal()) return MeterRefused(frame);
    const size_t tail = i == 0 ? 0 : 1;  // The sequence number stands behind the data of a reply to 12H.
    if (frame.data.size() < kDiSize + tail) return NotUnderstood("too short for a data identifier", bytes);
    const uint32_t di = DataIdentifier(frame.data);
    if (i == 0) {
      joined.di = di;
    } else {
      if (di != joined.di) return NotUnderstood("a follow-up of other data", bytes);
      const auto sequence = static_cast<uint8_t>(frame.data.back() - kOffset);
      if (sequence != i) return NotUnderstood("a follow-up out of sequence", bytes);
    }
    joined.data += base::ToString(frame.data.subspan(kDiSize, frame.data.size() - kDiSize - tail));
    const bool last = i + 1 == frames.size();
    if (last && frame.more_follows()) return NotUnderstood("more data was announced than came", bytes);
  }
  return joined;
}

std::vector<std::string> ErrorBitNames(uint8_t function, base::ByteView data) {
  uint32_t word = 0;
  for (size_t i = 0; i < std::min<size_t>(data.size(), 2); ++i) {
    word |= uint32_t{static_cast<uint8_t>(data[i] - kOffset)} << (8 * i);
  }
  const bool relay_word = function == kRelayControl && data.size() == 2;
  const std::span<const absl::string_view> names =
      relay_word ? std::span<const absl::string_view>(kRelayErrorBits) : std::span<const absl::string_view>(kErrorBits);
  std::vector<std::string> bits;
  for (size_t i = 0; i < 16; ++i) {
    if ((word >> i & 1) == 0) continue;
    bits.push_back(i < names.size() ? std::string(names[i]) : absl::StrCat("bit_", i));
  }
  // Seen in the wild: an abnormal reply whose word is zero, or absent.
  if (bits.empty()) bits.push_back("unspecified");
  return bits;
}

absl::Status MeterRefused(const Frame& frame) {
  std::string word;
  for (const uint8_t byte : frame.data.first(std::min<size_t>(frame.data.size(), 8))) {
    word.push_back(static_cast<char>(byte - kOffset));
  }
  const std::string bits = absl::StrJoin(ErrorBitNames(frame.function(), frame.data), ",");
  return base::FailedPrecondition("METER_REFUSED", absl::StrCat("the meter refused: ", bits),
                                  {{"bits", bits}, {"word", base::ToHex(base::AsBytes(word))}});
}

absl::Status NotUnderstood(absl::string_view why, base::ByteView bytes) {
  constexpr size_t kShown = 64;
  return base::DataLoss(
      "FRAME_NOT_UNDERSTOOD", absl::StrCat("the reply is not understood: ", why),
      {{"why", std::string(why)}, {"frame", base::ToHex(bytes.first(std::min(bytes.size(), kShown)))}});
}

}  // namespace voltwell::codec::dlt645
