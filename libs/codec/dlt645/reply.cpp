// Decoding replies; see reply.h.
#include "libs/codec/dlt645/reply.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/error_words.h"
#include "libs/codec/dlt645/load_profile.h"

namespace voltwell::codec::dlt645 {
namespace {

constexpr uint8_t kSeparator = 0xAA + kOffset;  // Between the members of a block, of meters that send it.

// Takes the fields of one register off the front of the data. False when the data ends within a field, or before the
// first one; a record may end behind any of its fields.
bool TakeRegister(const Match& match, std::span<const FieldSpec> specs, base::ByteView& data,
                  std::vector<Field>& fields) {
  if (data.empty()) return false;
  uint64_t time = 0;
  const size_t begin = fields.size();
  for (const FieldSpec& spec : specs) {
    for (uint16_t i = 0; spec.count == 0 ? !data.empty() : i < spec.count; ++i) {
      // A record of an older meter is shorter; a demand without its time is another thing.
      if (data.empty() && specs.size() > 2) return true;
      if (spec.length == 0 || data.size() < spec.length) return false;
      const FieldValue value = DecodeField(data.first(spec.length), spec);
      data = data.subspan(spec.length);
      if (spec.is_time) {
        time = value.kind == FieldValue::Kind::kText ? value.raw : 0;
      } else {
        fields.push_back({match.row, &spec, match.di, i, value, time});
      }
    }
  }
  for (size_t i = begin; i < fields.size(); ++i) fields[i].time = time;
  return true;
}

}  // namespace

ReadOutcome DecodeData(Edition edition, uint32_t di, base::ByteView data, std::vector<Field>& fields,
                       const FieldSpec* instead) {
  const Match match = FindByDi(edition, di);
  if (!match) return ReadOutcome::kUnknownDi;
  // The hot path: one value of its own length.
  const FieldSpec& only = instead != nullptr ? *instead : match.row->value;
  if (match.block == nullptr && match.row->list.empty() && only.count == 1 && data.size() == only.length &&
      match.row->di >> 24 != kLoadProfileClass) {
    fields.push_back({match.row, &only, di, 0, DecodeField(data, only), 0});
    return ReadOutcome::kValues;
  }
  const std::span<const FieldSpec> specs = instead != nullptr ? std::span(instead, 1) : match.row->fields();
  const size_t begin = fields.size();
  const auto fail = [&fields, begin] {
    fields.resize(begin);
    return ReadOutcome::kLengthDiffers;
  };
  if (match.row->di >> 24 == kLoadProfileClass && edition == Edition::k2007) {
    return DecodeLoadProfile(match, data, fields) ? ReadOutcome::kValues : fail();
  }
  if (match.block == nullptr) {
    // Meters of 1997 may end a single value with the separator as well.
    if (!TakeRegister(match, specs, data, fields)) return fail();
    if (data.size() == 1 && data[0] == kSeparator) data = {};
    return data.empty() ? ReadOutcome::kValues : fail();
  }
  for (size_t place = 0; !data.empty(); ++place) {
    const Match member = MemberOf(edition, match, place);
    if (!member || !TakeRegister(member, specs, data, fields)) return fail();
    if (!data.empty() && data[0] == kSeparator) data = data.subspan(1);
  }
  return fields.size() > begin ? ReadOutcome::kValues : fail();
}

bool DecodeReadReply(base::ByteView bytes, std::vector<Field>& fields) {
  const auto frame = ParseFrame(bytes);
  if (!frame.has_value()) return false;
  const base::ByteView data = frame->data;
  if (frame->control == (kReadData | kReplyBit)) {
    return data.size() > kDiSize &&
           DecodeData(Edition::k2007, DataIdentifier(data), data.subspan(kDiSize), fields) == ReadOutcome::kValues;
  }
  if (frame->control == (kReadData1997 | kReplyBit)) {
    return data.size() > kDiSize1997 && DecodeData(Edition::k1997, DataIdentifier1997(data), data.subspan(kDiSize1997),
                                                   fields) == ReadOutcome::kValues;
  }
  return false;
}

std::string ValueIdOf(Edition edition, const Field& field) {
  std::string id = IdOf(edition, {field.row, field.di});
  if (field.spec->suffix.empty()) return id;
  return absl::StrCat(
      id, absl::StrReplaceAll(field.spec->suffix, {{"{i}", absl::StrCat(field.spec->first + field.repetition)}}));
}

std::string ValueTitleOf(const Field& field, Language language) {
  const bool chinese = language == Language::kChinese;
  std::string title = TitleOf({field.row, field.di}, language);
  const absl::string_view own = chinese ? field.spec->zh : field.spec->en;
  if (own.empty()) return title;
  const std::string number = absl::StrCat(field.spec->first + field.repetition);
  return absl::StrCat(title, chinese ? "：" : ": ", absl::StrReplaceAll(own, {{"{i}", number}}));
}

std::string MeterTimeOf(const Field& field) {
  if (field.time == 0) return "";
  FieldValue time;
  time.kind = FieldValue::Kind::kText;
  time.format = Format::kDateTime;
  time.raw = field.time;
  return time.Text();
}

uint32_t DataIdentifier1997(base::ByteView data) {
  return static_cast<uint32_t>(static_cast<uint8_t>(data[1] - kOffset) << 8 | static_cast<uint8_t>(data[0] - kOffset));
}

absl::StatusOr<Frame> ParseReply(const Address& address, uint8_t function, base::ByteView bytes) {
  const auto frame = ParseFrame(bytes);
  if (!frame.has_value()) return NotUnderstood("no frame with a right checksum", bytes);
  if (!frame->is_reply()) return NotUnderstood("a request, not a reply", bytes);
  if (frame->function() != function) return NotUnderstood("the reply to another function", bytes);
  if (!AnswersTo(address, frame->address)) return NotUnderstood("the reply of another meter", bytes);
  return *frame;
}

absl::StatusOr<ReadData> JoinReplies(const Address& address, const std::vector<std::string>& frames, Edition edition) {
  if (frames.empty()) return NotUnderstood("no reply", {});
  const bool is_2007 = edition == Edition::k2007;
  const size_t di_size = is_2007 ? kDiSize : kDiSize1997;
  const uint8_t first = is_2007 ? kReadData : kReadData1997;
  const uint8_t next = is_2007 ? kReadNext : kReadNext1997;
  ReadData joined;
  for (size_t i = 0; i < frames.size(); ++i) {
    const base::ByteView bytes = base::AsBytes(frames[i]);
    VW_ASSIGN_OR_RETURN(const Frame frame, ParseReply(address, i == 0 ? first : next, bytes));
    if (frame.is_abnormal()) return MeterRefused(frame);
    // The sequence number stands behind the data of a reply to 12H; 1997 has none.
    const size_t tail = i > 0 && is_2007 ? 1 : 0;
    if (frame.data.size() < di_size + tail) return NotUnderstood("too short for a data identifier", bytes);
    const uint32_t di = is_2007 ? DataIdentifier(frame.data) : DataIdentifier1997(frame.data);
    if (i == 0) {
      joined.di = di;
    } else {
      if (di != joined.di) return NotUnderstood("a follow-up of other data", bytes);
      const auto sequence = static_cast<uint8_t>(frame.data.back() - kOffset);
      if (is_2007 && sequence != i) return NotUnderstood("a follow-up out of sequence", bytes);
    }
    joined.data += base::ToString(frame.data.subspan(di_size, frame.data.size() - di_size - tail));
    const bool last = i + 1 == frames.size();
    if (last && frame.more_follows()) return NotUnderstood("more data was announced than came", bytes);
  }
  return joined;
}

std::vector<std::string> ErrorBitNames(uint8_t function, base::ByteView data) {
  const uint32_t word = ErrorWord(data);
  const std::span<const ErrorBit> names = ErrorBitsOf(function, data.size());
  std::vector<std::string> bits;
  for (size_t i = 0; i < 16 && !names.empty(); ++i) {
    if ((word >> i & 1) == 0) continue;
    bits.push_back(i < names.size() ? std::string(names[i].name) : absl::StrCat("bit_", i));
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
