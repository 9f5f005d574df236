// Commands and answers of DL/T 645-2007; see dlt645_commands.h.
#include "libs/codec/dlt645_commands.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/dlt645/explain.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/reply.h"
#include "libs/codec/dlt645/request.h"
#include "libs/codec/dlt645_plan.h"

namespace voltwell::codec {
namespace {

// A meter answers within 20 to 500 ms (Td).
constexpr absl::Duration kTurnaround = absl::Milliseconds(500);
// Start, 8 data, parity, stop.
constexpr int64_t kBitsPerByte = 11;
constexpr size_t kPreambleMax = 4;
// L of the longest reply that the standard allows to a read; an energy block may fill it.
constexpr size_t kReadDataMax = 200;
// L of an abnormal reply is 1 or 2, so even an empty normal one is waited for a little longer.
constexpr size_t kErrorDataMax = 2;
constexpr int32_t kBaudMin = 300;
constexpr int32_t kBaudMax = 115200;
constexpr char kSingleProfile[] = "single";
constexpr char kAddressRegister[] = "0-0:96.1.0";

absl::Duration ReplyTimeout(int32_t baud, size_t request_size, size_t reply_data_size) {
  if (baud == 0) return kTurnaround;
  const size_t bytes = request_size + kPreambleMax + frame::kDlt645FrameMin + reply_data_size;
  return kTurnaround + absl::Seconds(1) * (static_cast<int64_t>(bytes) * kBitsPerByte) / baud;
}

Exchange EncodeRead(const dlt645::Address& address, const PlannedRead& read, int32_t baud) {
  Exchange exchange;
  exchange.request = dlt645::BuildRead(address, read.di);
  exchange.matcher = dlt645::ReadReplyMatcher(address, dlt645::kReadData, read.di);
  size_t reply_size = dlt645::kDiSize;
  if (read.block == nullptr) {
    reply_size += read.wanted.front()->length;
  } else if (!read.block->open_ended) {
    reply_size += size_t{read.block->length} * read.block->members;
  } else {
    reply_size = kReadDataMax;
    FollowUp more;
    more.flag_offset = dlt645::kControlOffset;
    more.flag_mask = dlt645::kMoreBit;
    more.flag_value = dlt645::kMoreBit;
    for (size_t i = 1; i <= kFollowUpsMax; ++i) {
      more.steps.push_back({dlt645::BuildReadNext(address, read.di, static_cast<uint8_t>(i)),
                            dlt645::ReadReplyMatcher(address, dlt645::kReadNext, read.di)});
    }
    exchange.follow_up = std::move(more);
  }
  exchange.reply_timeout = ReplyTimeout(baud, exchange.request.size(), reply_size);
  return exchange;
}

ExchangeGroup EncodeReads(const dlt645::Address& address, const std::vector<PlannedRead>& reads, int32_t baud) {
  ExchangeGroup group;
  group.exchanges.reserve(reads.size());
  for (const PlannedRead& read : reads) group.exchanges.push_back(EncodeRead(address, read, baud));
  return group;
}

absl::StatusOr<dlt645::RelayAction> ToRelayAction(RelayAction action) {
  switch (action) {
    case RelayAction::kOpen:
      return dlt645::RelayAction::kTrip;
    case RelayAction::kPermitClose:
      return dlt645::RelayAction::kPermitClose;
    case RelayAction::kClose:
      return dlt645::RelayAction::kDirectClose;
    case RelayAction::kAlarmOn:
      return dlt645::RelayAction::kAlarmOn;
    case RelayAction::kAlarmOff:
      return dlt645::RelayAction::kAlarmOff;
    case RelayAction::kKeepPowerOn:
      return dlt645::RelayAction::kKeepPowerOn;
    case RelayAction::kKeepPowerOff:
      return dlt645::RelayAction::kKeepPowerOff;
    case RelayAction::kUnspecified:
      break;
  }
  return base::InvalidArgument("BAD_RELAY_ACTION", "no such relay action",
                               {{"action", absl::StrCat(static_cast<int>(action))}});
}

ExchangeGroup SingleExchange(std::string request, frame::ReplyMatcher matcher, int32_t baud, size_t reply_size) {
  Exchange exchange;
  exchange.reply_timeout = ReplyTimeout(baud, request.size(), reply_size);
  exchange.request = std::move(request);
  exchange.matcher = std::move(matcher);
  return {{std::move(exchange)}};
}

absl::StatusOr<ExchangeGroup> EncodeRelay(const dlt645::Address& address, const ControlRelay& relay, int32_t baud) {
  VW_ASSIGN_OR_RETURN(const dlt645::RelayAction action, ToRelayAction(relay.action));
  VW_ASSIGN_OR_RETURN(std::string request, dlt645::BuildRelay(address, {action, relay.password, relay.operator_code,
                                                                        relay.expires_local_time, /*channel=*/0}));
  return SingleExchange(std::move(request), dlt645::ReplyMatcherOf(address, dlt645::kRelayControl), baud,
                        kErrorDataMax);
}

RegisterValue ToValue(const dlt645::Field& field) {
  RegisterValue value;
  value.reg = std::string(field.row->obis);
  value.unit = std::string(field.row->unit);
  switch (field.value.kind) {
    case dlt645::FieldValue::Kind::kNumber:
      value.number = field.value.number;
      break;
    case dlt645::FieldValue::Kind::kNoValue:
      value.no_value = true;
      break;
    default:
      value.text = field.value.Text();
  }
  return value;
}

absl::Status BadValue(const dlt645::Field& field) {
  return base::DataLoss("VALUE_NOT_VALID", "the meter sent digits that are no value of the register",
                        {{"register", std::string(field.row->obis)},
                         {"raw", absl::StrFormat("%0*X", 2 * field.value.length, field.value.raw)}});
}

// Appends what one read shows of the rows wanted. A phase that a single-phase meter leaves out of a block has no value.
absl::Status AppendValues(const PlannedRead& read, const dlt645::Address& address, const ReplyFrames& frames,
                          Decoded& decoded) {
  VW_ASSIGN_OR_RETURN(const dlt645::ReadData data, dlt645::JoinReplies(address, frames));
  if (data.di != read.di) return dlt645::NotUnderstood("the reply to another read", {});
  std::vector<dlt645::Field> fields;
  if (dlt645::DecodeData(data.di, base::AsBytes(data.data), fields) != dlt645::ReadOutcome::kValues) {
    return dlt645::NotUnderstood("data of another length than the table says", base::AsBytes(frames.front()));
  }
  absl::Status status = absl::OkStatus();
  for (const dlt645::Register* const row : read.wanted) {
    const auto field = std::find_if(fields.begin(), fields.end(),
                                    [row](const dlt645::Field& candidate) { return candidate.row == row; });
    if (field == fields.end()) {
      decoded.values.push_back(ToValue({row, {.kind = dlt645::FieldValue::Kind::kNoValue}}));
    } else if (field->value.kind == dlt645::FieldValue::Kind::kNotValid) {
      if (status.ok()) status = BadValue(*field);
    } else {
      decoded.values.push_back(ToValue(*field));
      if (row->di == dlt645::kRelayStatusDi && field->value.kind == dlt645::FieldValue::Kind::kBits) {
        const bool open = (field->value.raw & dlt645::kRelayOpenBit) != 0;
        decoded.relay_state = open ? RelayState::kOpen : RelayState::kClosed;
      }
    }
  }
  return status;
}

bool IsNoSuchData(const absl::Status& status) {
  return base::ReasonOf(status) == "METER_REFUSED" && base::MetadataOf(status)["bits"] == "no_such_data";
}

// The answer may be to the plan with blocks or to its continuation, which reads all registers one by one. They tell
// apart by their identifiers; when all were refused, by their number (the continuation has more exchanges, since each
// block stands for two registers at least).
bool IsContinuation(const std::vector<PlannedRead>& reads, const std::vector<ReplyFrames>& replies) {
  if (replies.size() > reads.size()) return true;
  for (size_t i = 0; i < replies.size(); ++i) {
    if (replies[i].empty()) continue;
    const auto frame = dlt645::ParseFrame(base::AsBytes(replies[i].front()));
    if (!frame.has_value() || frame->is_abnormal() || frame->data.size() < dlt645::kDiSize) continue;
    if (dlt645::DataIdentifier(frame->data) != reads[i].di) return true;
  }
  return false;
}

Decoded DecodeReads(const Command& command, const dlt645::Address& address, const ReadRegisters& read,
                    const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto rows = FindRows(read.registers);
  if (!rows.ok()) {
    decoded.error = rows.status();
    return decoded;
  }
  std::vector<PlannedRead> reads = PlanReads(*rows, command.profile != kSingleProfile);
  if (IsContinuation(reads, replies)) reads = PlanReads(*rows, /*use_blocks=*/false);
  for (size_t i = 0; i < reads.size(); ++i) {
    const absl::Status status = i < replies.size() ? AppendValues(reads[i], address, replies[i], decoded)
                                                   : dlt645::NotUnderstood("no reply", {});
    if (reads[i].block != nullptr && IsNoSuchData(status)) {
      // The meter knows no blocks, or not this one; its registers may still be read one by one.
      decoded = Decoded();
      decoded.continuation = EncodeReads(address, PlanReads(*rows, /*use_blocks=*/false), command.baud);
      return decoded;
    }
    if (decoded.error.ok()) decoded.error = status;
  }
  return decoded;
}

Decoded DecodeSingle(const dlt645::Address& address, uint8_t function, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  if (replies.empty() || replies.front().empty()) {
    decoded.error = dlt645::NotUnderstood("no reply", {});
    return decoded;
  }
  const auto frame = dlt645::ParseReply(address, function, base::AsBytes(replies.front().front()));
  if (!frame.ok()) {
    decoded.error = frame.status();
  } else if (frame->is_abnormal()) {
    decoded.error = dlt645::MeterRefused(*frame);
  } else if (function == dlt645::kReadAddress) {
    // The address stands in the frame's head too; some meters send other bytes in DATA.
    RegisterValue value;
    value.reg = kAddressRegister;
    value.text = dlt645::FormatAddress(frame->address);
    decoded.values.push_back(std::move(value));
  }
  return decoded;
}

absl::StatusOr<dlt645::Address> CheckCommon(const Command& command) {
  if (!command.profile.empty() && command.profile != kSingleProfile) {
    return base::InvalidArgument("UNKNOWN_PROFILE", "no profile has this name", {{"profile", command.profile}});
  }
  if (command.baud != 0 && (command.baud < kBaudMin || command.baud > kBaudMax)) {
    return base::InvalidArgument("BAD_BAUD", "a bus runs at 300 to 115200 bit/s; 0 means without wire time",
                                 {{"baud", absl::StrCat(command.baud)}});
  }
  return dlt645::ParseAddress(command.address);
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeDlt645(const Command& command) {
  VW_ASSIGN_OR_RETURN(const dlt645::Address address, CheckCommon(command));
  if (const auto* const read = std::get_if<ReadRegisters>(&command.action)) {
    VW_ASSIGN_OR_RETURN(const auto rows, FindRows(read->registers));
    return EncodeReads(address, PlanReads(rows, command.profile != kSingleProfile), command.baud);
  }
  if (const auto* const relay = std::get_if<ControlRelay>(&command.action)) {
    return EncodeRelay(address, *relay, command.baud);
  }
  if (std::holds_alternative<ReadAddress>(command.action)) {
    return SingleExchange(dlt645::BuildReadAddress(address), dlt645::ReplyMatcherOf(address, dlt645::kReadAddress),
                          command.baud, dlt645::kAddressSize);
  }
  return base::InvalidArgument("ACTION_MISSING", "the command says nothing to do");
}

Decoded DecodeDlt645(const Answer& answer) {
  Decoded decoded;
  const auto address = CheckCommon(answer.command);
  if (!address.ok()) {
    decoded.error = address.status();
    return decoded;
  }
  if (const auto* const read = std::get_if<ReadRegisters>(&answer.command.action)) {
    return DecodeReads(answer.command, *address, *read, answer.replies);
  }
  if (std::holds_alternative<ControlRelay>(answer.command.action)) {
    return DecodeSingle(*address, dlt645::kRelayControl, answer.replies);
  }
  if (std::holds_alternative<ReadAddress>(answer.command.action)) {
    return DecodeSingle(*address, dlt645::kReadAddress, answer.replies);
  }
  decoded.error = base::InvalidArgument("ACTION_MISSING", "the command says nothing to do");
  return decoded;
}

ExplainedBytes ExplainDlt645(base::ByteView bytes, bool show_secrets) {
  dlt645::Explained explained = dlt645::Explain(bytes);
  ExplainedBytes result;
  result.summary = std::move(explained.summary);
  for (dlt645::Span& span : explained.spans) {
    std::string hex = base::ToHex(bytes.subspan(span.offset, span.length));
    if (span.secret && !show_secrets) hex.assign(hex.size(), '*');
    result.explanations.push_back(
        {span.offset, span.length, std::move(hex), std::string(span.kind), std::move(span.meaning)});
  }
  return result;
}

std::vector<RegisterInfo> ListDlt645Registers() {
  std::vector<RegisterInfo> registers;
  for (const dlt645::Register& row : dlt645::Registers()) {
    RegisterInfo info;
    info.reg = std::string(row.obis);
    info.name = std::string(row.name);
    info.title_zh = std::string(row.title_zh);
    info.title_en = std::string(row.title_en);
    info.unit = std::string(row.unit);
    info.data_identifier = absl::StrFormat("%08X", row.di);
    info.format = std::string(row.notation);
    info.length = row.length;
    info.proven = !row.proof.empty();
    info.source = std::string(row.source);
    info.writable = row.writable;
    registers.push_back(std::move(info));
  }
  return registers;
}

}  // namespace voltwell::codec
