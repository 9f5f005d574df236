// Reading over DL/T 645; see dlt645_read.h.
#include "libs/codec/dlt645_read.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645_plan.h"

namespace voltwell::codec {
namespace {

// L of the longest reply that the standard allows to a read.
constexpr size_t kReadDataMax = 200;
constexpr size_t kShortReply = 64;  // Fits into a frame of any meter.
// Follow-ups of a load profile, whose length nobody knows before; as many steps as a gateway takes.
constexpr size_t kLoadProfileFollowUpsMax = 31;
constexpr uint32_t kAddressDi2007 = 0x04000401;
constexpr uint32_t kAddressDi1997 = 0xC032;
constexpr uint32_t kLoadProfileClass = 0x06;
constexpr char kAddressRegister[] = "0-0:96.1.0";

bool IsOld(const Dlt645Call& call) { return call.edition == dlt645::Edition::k1997; }
uint8_t ReadFunction(const Dlt645Call& call) { return IsOld(call) ? dlt645::kReadData1997 : dlt645::kReadData; }
uint8_t NextFunction(const Dlt645Call& call) { return IsOld(call) ? dlt645::kReadNext1997 : dlt645::kReadNext; }
size_t IdentifierSize(const Dlt645Call& call) { return IsOld(call) ? 2 : dlt645::kDiSize; }

FollowUp FollowUpOf(const Dlt645Call& call, uint32_t di, size_t steps) {
  FollowUp more;
  more.flag_offset = dlt645::kControlOffset;
  more.flag_mask = dlt645::kMoreBit;
  more.flag_value = dlt645::kMoreBit;
  more.steps.reserve(steps);
  for (size_t i = 1; i <= steps; ++i) {
    more.steps.push_back({dlt645::BuildReadNext(call.address, di, static_cast<uint8_t>(i), call.edition),
                          dlt645::ReadReplyMatcher(call.address, NextFunction(call), di, call.edition)});
  }
  return more;
}

// The longest data that may come for a read: a block has as many members as its axis.
size_t LongestReply(const PlannedRead& read) {
  if (read.instead.has_value()) return read.instead->length;
  const size_t one = dlt645::LengthOf(*read.match.row);
  return read.is_block() ? one * read.match.block->count : one;
}

Exchange EncodeRead(const Dlt645Call& call, const PlannedRead& read) {
  const size_t longest = LongestReply(read);
  Exchange exchange = MakeExchange(call, dlt645::BuildRead(call.address, read.di, call.edition),
                                   dlt645::ReadReplyMatcher(call.address, ReadFunction(call), read.di, call.edition),
                                   IdentifierSize(call) + std::min(longest, kReadDataMax));
  // Long ones come in several frames, some meters' frames being shorter than they may.
  if (longest > kReadDataMax || (longest > kShortReply && !read.is_block())) {
    const size_t frames = (longest + kReadDataMax - 1) / kReadDataMax;
    exchange.follow_up = FollowUpOf(call, read.di, std::clamp(frames, kFollowUpsMax, kLoadProfileFollowUpsMax));
  }
  return exchange;
}

ExchangeGroup EncodeReads(const Dlt645Call& call, const std::vector<PlannedRead>& reads) {
  ExchangeGroup group;
  group.exchanges.reserve(reads.size());
  for (const PlannedRead& read : reads) group.exchanges.push_back(EncodeRead(call, read));
  return group;
}

bool IsSentinel(const Dlt645Call& call, const dlt645::FieldValue& value) {
  return std::any_of(call.profile.sentinels.begin(), call.profile.sentinels.end(), [&](const std::string& sentinel) {
    return sentinel.size() == value.bytes.size() &&
           std::equal(sentinel.begin(), sentinel.end(), value.bytes.begin(), [](char plain, uint8_t sent) {
             return static_cast<uint8_t>(plain) == static_cast<uint8_t>(sent - dlt645::kOffset);
           });
  });
}

absl::Status BadValue(const RegisterValue& value) {
  return base::DataLoss("VALUE_NOT_VALID", "the meter sent digits that are no value of the register",
                        {{"register", value.reg}, {"raw", value.text}});
}

// Appends the field as a value. What is none is told, too, with the digits that came.
absl::Status AppendValue(const Dlt645Call& call, const dlt645::Field& field, std::string id, Decoded& decoded) {
  RegisterValue& value = decoded.values.emplace_back();
  value.reg = std::move(id);
  value.unit.assign(field.spec->unit.data(), field.spec->unit.size());
  if (field.time != 0) value.meter_time = dlt645::MeterTimeOf(field);
  if (field.value.kind == dlt645::FieldValue::Kind::kNoValue ||
      (!call.profile.sentinels.empty() && IsSentinel(call, field.value))) {
    value.quality = Quality::kNoValue;
    return absl::OkStatus();
  }
  if (field.value.kind == dlt645::FieldValue::Kind::kNotValid) {
    value.quality = Quality::kOutOfRange;
    value.text = base::ToHex(base::AsBytes(PlainData(field.value.bytes)));
    return BadValue(value);
  }
  if (field.value.kind == dlt645::FieldValue::Kind::kNumber) {
    value.number = field.value.number;
  } else {
    value.text = field.value.Text();
  }
  if (call.edition == dlt645::Edition::k2007 && field.di == dlt645::kRelayStatusDi) {
    decoded.relay_state = (field.value.raw & dlt645::kRelayOpenBit) != 0 ? RelayState::kOpen : RelayState::kClosed;
  }
  return absl::OkStatus();
}

// A register that the block did not hold: a phase that the meter does not have.
void AppendMissing(const WantedRegister& wanted, Decoded& decoded) {
  RegisterValue& value = decoded.values.emplace_back();
  value.reg = wanted.id;
  value.unit = std::string(wanted.match.row->value.unit);
  value.quality = Quality::kNoValue;
}

bool IsOf(const WantedRegister& wanted, const dlt645::Field& field, dlt645::Edition edition) {
  const bool of_class = wanted.match.row->di >> 24 == kLoadProfileClass && edition == dlt645::Edition::k2007;
  if (!of_class && field.di != wanted.match.di) return false;
  return wanted.match.suffix.empty() || dlt645::ValueIdOf(edition, field) == wanted.id;
}

// The first error is told; the other registers keep their values.
absl::Status AppendWanted(const Dlt645Call& call, const PlannedRead& read, const std::vector<dlt645::Field>& fields,
                          Decoded& decoded) {
  absl::Status status;
  for (const WantedRegister& wanted : read.wanted) {
    bool found = false;
    const bool simple = wanted.match.row->list.empty() && wanted.match.row->value.suffix.empty() &&
                        wanted.match.row->value.count == 1 && wanted.match.row->di >> 24 != kLoadProfileClass;
    for (const dlt645::Field& field : fields) {
      if (!IsOf(wanted, field, call.edition)) continue;
      found = true;
      status.Update(AppendValue(call, field, simple ? wanted.id : dlt645::ValueIdOf(call.edition, field), decoded));
    }
    if (!found) AppendMissing(wanted, decoded);
  }
  return status;
}

// The data of one read as fields; `data` must outlive them.
absl::Status DecodeFields(const Dlt645Call& call, const PlannedRead& read, const dlt645::ReadData& data,
                          std::vector<dlt645::Field>& fields) {
  if (data.di != read.di) {
    return dlt645::NotUnderstood("the answer has another data identifier", base::AsBytes(data.data));
  }
  // By the table's own identifier: the profile may have another one on the wire.
  switch (dlt645::DecodeData(call.edition, read.match.di, base::AsBytes(data.data), fields,
                             read.instead.has_value() ? &*read.instead : nullptr)) {
    case dlt645::ReadOutcome::kValues:
      return absl::OkStatus();
    case dlt645::ReadOutcome::kUnknownDi:
      return dlt645::NotUnderstood("the data identifier is in no table", base::AsBytes(data.data));
    case dlt645::ReadOutcome::kLengthDiffers:
      break;
  }
  return dlt645::NotUnderstood("the data are longer or shorter than the table says", base::AsBytes(data.data));
}

absl::Status AppendRead(const Dlt645Call& call, const PlannedRead& read, const ReplyFrames& frames, Decoded& decoded) {
  VW_ASSIGN_OR_RETURN(const dlt645::ReadData data, dlt645::JoinReplies(call.address, frames, call.edition));
  std::vector<dlt645::Field> fields;
  fields.reserve(read.wanted.size());
  VW_RETURN_IF_ERROR(DecodeFields(call, read, data, fields));
  return AppendWanted(call, read, fields, decoded);
}

bool IsNoSuchData(const absl::Status& status) {
  return base::ReasonOf(status) == "METER_REFUSED" && base::MetadataOf(status)["bits"] == "no_such_data";
}

// Whether the replies are those to the continuation, which reads all registers one by one. They tell
// apart by their identifiers; when all were refused, by their number (the continuation has more exchanges, since each
// block stands for two registers at least).
bool IsContinuation(const Dlt645Call& call, const std::vector<PlannedRead>& reads,
                    const std::vector<ReplyFrames>& replies) {
  if (replies.size() > reads.size()) return true;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].empty()) continue;
    const auto frame = dlt645::ParseFrame(base::AsBytes(replies[i].front()));
    if (!frame.has_value() || frame->is_abnormal() || frame->data.size() < IdentifierSize(call)) continue;
    const uint32_t di = IsOld(call) ? dlt645::DataIdentifier1997(frame->data) : dlt645::DataIdentifier(frame->data);
    if (di != reads[i].di) return true;
  }
  return false;
}

bool HasBlocks(const std::vector<PlannedRead>& reads) {
  return std::any_of(reads.begin(), reads.end(), [](const PlannedRead& read) { return read.is_block(); });
}

absl::StatusOr<PlannedRead> PlanLoadProfile(const Dlt645Call& call, const ReadLoadProfile& read) {
  if (IsOld(call)) return ActionNotSupported("DL/T 645-1997 has no read of a load profile by number");
  VW_ASSIGN_OR_RETURN(const auto wanted, FindWanted(call.edition, {read.reg}, call.profile));
  if (wanted.front().match.di >> 24 != kLoadProfileClass) {
    return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no load profile has the id ", read.reg),
                                 {{"register", read.reg}, {"position", "0"}});
  }
  return PlanReads(call.edition, wanted, /*use_blocks=*/false).front();
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645Read(const Dlt645Call& call, const ReadRegisters& read) {
  VW_ASSIGN_OR_RETURN(const auto wanted, FindWanted(call.edition, read.registers, call.profile));
  return EncodeReads(call, PlanReads(call.edition, wanted, !call.profile.single_reads));
}

Decoded DecodeDlt645Read(const Dlt645Call& call, const ReadRegisters& read, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto wanted = FindWanted(call.edition, read.registers, call.profile);
  if (!wanted.ok()) {
    decoded.error = wanted.status();
    return decoded;
  }
  std::vector<PlannedRead> reads = PlanReads(call.edition, *wanted, !call.profile.single_reads);
  if (HasBlocks(reads) && IsContinuation(call, reads, replies)) {
    reads = PlanReads(call.edition, *wanted, /*use_blocks=*/false);
  }
  decoded.values.reserve(wanted->size());
  for (size_t i = 0; i < reads.size(); ++i) {
    const absl::Status status =
        i < replies.size() ? AppendRead(call, reads[i], replies[i], decoded) : dlt645::NotUnderstood("no reply", {});
    if (reads[i].is_block() && IsNoSuchData(status)) {
      // The meter knows no blocks, or not this one; its registers may still be read one by one.
      decoded = Decoded();
      decoded.continuation = EncodeReads(call, PlanReads(call.edition, *wanted, /*use_blocks=*/false));
      return decoded;
    }
    if (decoded.error.ok()) decoded.error = status;
  }
  return decoded;
}

absl::StatusOr<ExchangeGroup> EncodeDlt645LoadProfile(const Dlt645Call& call, const ReadLoadProfile& read) {
  VW_ASSIGN_OR_RETURN(const PlannedRead plan, PlanLoadProfile(call, read));
  if (read.records < 0 || read.records > 255) {
    return base::InvalidArgument("BAD_RECORD_COUNT", "a load profile is read in 1 to 255 records; 0: as it comes",
                                 {{"records", absl::StrCat(read.records)}});
  }
  std::string data;
  dlt645::AppendIdentifier(data, plan.di, call.edition);
  // L = 4, 5 or 10: the number of records may stand without a time, a time not without a number.
  const bool timed = !read.from_local.empty();
  if (read.records > 0 || timed) data.push_back(static_cast<char>(std::max(read.records, 1)));
  if (timed) {
    VW_ASSIGN_OR_RETURN(const std::string from, dlt645::TimeBytes(read.from_local, /*with_seconds=*/false, "BAD_TIME"));
    data += from;
  }
  Exchange exchange =
      MakeExchange(call, dlt645::BuildFrame(call.address, dlt645::kReadData, base::AsBytes(data)),
                   dlt645::ReadReplyMatcher(call.address, dlt645::kReadData, plan.di), dlt645::kDiSize + kReadDataMax);
  exchange.follow_up = FollowUpOf(call, plan.di, kLoadProfileFollowUpsMax);
  return ExchangeGroup{{std::move(exchange)}};
}

Decoded DecodeDlt645LoadProfile(const Dlt645Call& call, const ReadLoadProfile& read,
                                const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto plan = PlanLoadProfile(call, read);
  if (!plan.ok()) {
    decoded.error = plan.status();
  } else {
    decoded.error =
        replies.empty() ? dlt645::NotUnderstood("no reply", {}) : AppendRead(call, *plan, replies.front(), decoded);
  }
  return decoded;
}

ExchangeGroup EncodeDlt645ReadAddress(const Dlt645Call& call) {
  if (IsOld(call)) return EncodeDlt645Search(call);
  return {{MakeExchange(call, dlt645::BuildReadAddress(call.address),
                        dlt645::ReplyMatcherOf(call.address, dlt645::kReadAddress), dlt645::kAddressSize)}};
}

Decoded DecodeDlt645ReadAddress(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto frame = TakenReply(call, IsOld(call) ? dlt645::kReadData1997 : dlt645::kReadAddress, replies);
  if (!frame.ok()) {
    decoded.error = frame.status();
    return decoded;
  }
  // The address stands in the frame's head too; some meters send other bytes in DATA.
  decoded.address = dlt645::FormatAddress(frame->address);
  RegisterValue& value = decoded.values.emplace_back();
  value.reg = kAddressRegister;
  value.text = decoded.address;
  return decoded;
}

ExchangeGroup EncodeDlt645Search(const Dlt645Call& call) {
  const uint32_t di = IsOld(call) ? kAddressDi1997 : kAddressDi2007;
  return {{MakeExchange(call, dlt645::BuildRead(call.address, di, call.edition),
                        dlt645::ReplyMatcherOf(call.address, ReadFunction(call)),
                        IdentifierSize(call) + dlt645::kAddressSize)}};
}

Decoded DecodeDlt645Search(const Dlt645Call& call, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  for (const ReplyFrames& frames : replies) {
    for (const std::string& bytes : frames) {
      // A refusal tells the address as well as an answer does.
      const auto frame = dlt645::ParseReply(call.address, ReadFunction(call), base::AsBytes(bytes));
      if (!frame.ok()) {
        decoded.collision = true;
        continue;
      }
      const std::string address = dlt645::FormatAddress(frame->address);
      if (!decoded.address.empty() && decoded.address != address) decoded.collision = true;
      decoded.address = address;
    }
  }
  return decoded;
}

}  // namespace voltwell::codec
