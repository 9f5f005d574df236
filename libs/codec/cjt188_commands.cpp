// Commands and answers of CJ/T 188; see cjt188_commands.h. Writing is in cjt188_write.cpp.
#include "libs/codec/cjt188_commands.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "libs/base/status.h"
#include "libs/codec/cjt188/explain.h"
#include "libs/codec/cjt188/register_table.h"
#include "libs/codec/cjt188/request.h"
#include "libs/codec/cjt188_exchange.h"
#include "libs/codec/cjt188_write.h"

namespace voltwell::codec {
namespace {

using cjt188::Reg;

constexpr uint16_t kAddressDi = 0x810A;
// Longest usual body of a reply: heat and cold.
constexpr size_t kBodyUsual = 64;

// What one register of a read is found by.
struct Wanted {
  std::string id = {};  // As it was asked for.
  const cjt188::Register* row = nullptr;
  const RegisterOverride* differs = nullptr;
};

struct PlannedRead {
  uint16_t di = 0;
  std::string body = {};
  std::vector<Wanted> wanted = {};
};

bool ShowsValve(Reg reg) { return reg == Reg::kStatus; }

// A register may stand under another identifier in a vendor's meter.
uint16_t DiOf(const cjt188::Found& found, const Profile& profile) {
  if (const RegisterOverride* const differs = OverrideOf(profile, found); differs != nullptr) {
    uint32_t di = 0;
    const std::string& text = differs->data_identifier;
    if (text.size() == 4 && absl::SimpleHexAtoi(text, &di)) return static_cast<uint16_t>(di);
  }
  if (profile.valve_by_query && ShowsValve(found.row->reg)) return kValveDi;
  return found.di();
}

absl::StatusOr<std::vector<PlannedRead>> PlanReads(const std::vector<std::string>& registers, const Profile& profile) {
  if (registers.empty()) return base::InvalidArgument("NO_REGISTERS", "a read names at least one register");
  if (registers.size() > kRegistersMax) {
    return base::InvalidArgument("TOO_MANY_REGISTERS", "a read names at most 32 registers",
                                 {{"size", absl::StrCat(registers.size())}, {"limit", absl::StrCat(kRegistersMax)}});
  }
  std::vector<PlannedRead> reads;
  for (size_t i = 0; i < registers.size(); ++i) {
    const cjt188::Found found = cjt188::FindById(registers[i]);
    const base::ErrorMetadata where = {{"register", registers[i]}, {"position", absl::StrCat(i)}};
    if (found.row == nullptr) {
      return base::InvalidArgument("UNKNOWN_REGISTER", absl::StrCat("no register has the id ", registers[i]), where);
    }
    if (found.row->di == 0) {
      return base::InvalidArgument("NOT_READABLE", absl::StrCat("the register can only be written: ", registers[i]),
                                   where);
    }
    const uint16_t di = DiOf(found, profile);
    auto read = std::find_if(reads.begin(), reads.end(), [di](const PlannedRead& planned) { return planned.di == di; });
    if (read == reads.end()) {
      reads.push_back({di, di == kValveDi ? std::string(1, kValveQuery) : "", {}});
      read = reads.end() - 1;
    }
    const bool again = std::any_of(read->wanted.begin(), read->wanted.end(),
                                   [&](const Wanted& wanted) { return wanted.id == registers[i]; });
    if (!again) read->wanted.push_back({registers[i], found.row, OverrideOf(profile, found)});
  }
  return reads;
}

ExchangeGroup EncodeReads(const Cjt188Call& call, const std::vector<PlannedRead>& reads) {
  ExchangeGroup group;
  group.exchanges.reserve(reads.size());
  uint8_t sequence = kReadSequence;
  for (const PlannedRead& read : reads) {
    const uint8_t own = sequence++;
    const bool asks_valve = read.di == kValveDi;
    group.exchanges.push_back(AskCjt188(call, read.di, read.body, asks_valve ? kQuerySequence : own, kBodyUsual));
  }
  return group;
}

// The profile names the unit of a number that comes without one; it does not turn the meter's unit into another.
std::string UnitOf(const Wanted& wanted, const cjt188::FieldValue& field) {
  const bool own = wanted.differs != nullptr && !wanted.differs->unit.empty() && !field.has_unit;
  return own ? wanted.differs->unit : std::string(field.unit);
}

RegisterValue ToValue(const Profile& profile, const Wanted& wanted, const cjt188::FieldValue* field) {
  RegisterValue value;
  value.reg = wanted.id;
  if (field == nullptr || field->kind == cjt188::FieldValue::Kind::kNoValue) {
    value.quality = Quality::kNoValue;
    return value;
  }
  switch (field->kind) {
    case cjt188::FieldValue::Kind::kNumber:
      value.number = field->number;
      value.unit = UnitOf(wanted, *field);
      break;
    case cjt188::FieldValue::Kind::kNotValid:
      value.quality = Quality::kOutOfRange;
      value.text = field->WireText();
      break;
    case cjt188::FieldValue::Kind::kBits:
      value.text = field->WireText();
      if (IsValveFault(profile.status, field->word)) value.quality = Quality::kMeterError;
      break;
    default:
      value.text = field->Text();
  }
  return value;
}

// A water meter counts no gas, and a gas meter no water, though one row of the table is both.
bool IsOfOtherMedium(const std::string& id, uint8_t meter_type) {
  const bool is_gas = meter_type >= 0x30 && meter_type <= 0x39;
  const bool is_water = meter_type >= 0x10 && meter_type <= 0x19;
  if (absl::StartsWith(id, "7-0:")) return is_water;
  return is_gas && (absl::StartsWith(id, "8-0:") || absl::StartsWith(id, "9-0:"));
}

// When the meter took the values of a freeze.
std::string FreezeTime(const cjt188::Body& body) {
  for (const Reg reg : {Reg::kD3Time, Reg::kD4Time}) {
    if (const cjt188::FieldValue* const time = body.Find(reg); time != nullptr) return time->TimeText();
  }
  return "";
}

void AppendValues(const Cjt188Call& call, const PlannedRead& read, const Cjt188Reply& reply, const cjt188::Body& body,
                  Decoded& decoded) {
  const std::string freeze_time = FreezeTime(body);
  const cjt188::FieldValue* const status = body.Find(Reg::kStatus);
  const bool has_status = status != nullptr && status->kind == cjt188::FieldValue::Kind::kBits;
  for (const Wanted& wanted : read.wanted) {
    if (wanted.row->reg == Reg::kAddress) {
      RegisterValue value;
      value.reg = wanted.id;
      value.text = cjt188::FormatSerial(reply.frame.address);
      decoded.values.push_back(std::move(value));
      continue;
    }
    const Reg shown_by = wanted.row->reg == Reg::kBattery ? Reg::kStatus : wanted.row->reg;
    const bool has_it = !IsOfOtherMedium(wanted.id, reply.frame.address.type);
    RegisterValue value = ToValue(call.profile, wanted, has_it ? body.Find(shown_by) : nullptr);
    if (wanted.row->reg == Reg::kBattery && has_status) {
      value.quality = Quality::kOk;
      value.text = (status->word & call.profile.status.battery_low) != 0 ? "low" : "ok";
    }
    if (ShowsValve(wanted.row->reg) && has_status) {
      decoded.relay_state = ValveState(call.profile.status, status->word);
    }
    value.meter_time = freeze_time;
    decoded.values.push_back(std::move(value));
  }
}

absl::StatusOr<cjt188::Body> BodyOf(const Cjt188Call& call, uint16_t di, const Cjt188Reply& reply) {
  cjt188::Body body;
  const cjt188::Use use = di >> 12 == 0xA ? cjt188::Use::kWriteReply : cjt188::Use::kReply;
  if (!cjt188::DecodeBody(di, use, reply.frame.address.type, reply.body, BodyOptionsOf(call.profile), body)) {
    return Cjt188NotUnderstood(absl::StrCat(reply.body.size(), " bytes are no body of this identifier"),
                               reply.frame.data, cjt188::kLengthOffset);
  }
  return body;
}

Decoded DecodeReads(const Cjt188Call& call, const ReadRegisters& action, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const auto reads = PlanReads(action.registers, call.profile);
  if (!reads.ok()) {
    decoded.error = reads.status();
    return decoded;
  }
  for (size_t i = 0; i < reads->size(); ++i) {
    const PlannedRead& read = (*reads)[i];
    absl::Status status = absl::OkStatus();
    if (const auto reply = TakenCjt188(call, read.di, replies, i); !reply.ok()) {
      status = reply.status();
    } else if (const auto body = BodyOf(call, read.di, *reply); !body.ok()) {
      status = body.status();
    } else {
      AppendValues(call, read, *reply, *body, decoded);
    }
    if (decoded.error.ok()) decoded.error = status;
  }
  return decoded;
}

std::vector<std::string> WalletRegisters() {
  std::vector<std::string> ids;
  for (const Reg reg : {Reg::kPurchaseNumber, Reg::kLastAmount, Reg::kAccumulated, Reg::kRemaining}) {
    ids.emplace_back(cjt188::RegisterOf(reg).id);
  }
  return ids;
}

Decoded DecodePrepaid(const Cjt188Call& call, const std::vector<ReplyFrames>& replies) {
  const std::vector<std::string> ids = WalletRegisters();
  Decoded decoded = DecodeReads(call, {ids}, replies);
  if (!decoded.error.ok() || decoded.values.size() != ids.size()) return decoded;
  // A profile may have them under several identifiers, and then they come in another order.
  const auto number = [&decoded](const std::string& id) {
    const auto of = [&id](const RegisterValue& value) { return value.reg == id; };
    return std::find_if(decoded.values.begin(), decoded.values.end(), of)->number;
  };
  PrepaidState state;
  const auto count = number(ids[0]);
  if (count.has_value() && count->scale() == 0) state.purchase_number = static_cast<uint32_t>(count->units());
  state.last_amount = number(ids[1]);
  state.accumulated = number(ids[2]);
  state.remaining = number(ids[3]);
  decoded.prepaid = state;
  return decoded;
}

Decoded DecodeAddress(const Cjt188Call& call, const std::vector<ReplyFrames>& replies, bool search) {
  Decoded decoded;
  // Answers that lie over each other are noise with a frame's beginning.
  if (search && !replies.empty() && !replies[0].empty()) {
    decoded.collision = cjt188::ParseFrame(base::AsBytes(replies[0][0])).fault != cjt188::Fault::kNone;
  }
  const auto reply = TakenCjt188(call, kAddressDi, replies);
  if (!reply.ok()) {
    decoded.error = reply.status();
    return decoded;
  }
  decoded.address = cjt188::FormatAddress(reply->frame.address);
  if (search) return decoded;
  RegisterValue value;
  value.reg = std::string(cjt188::RegisterOf(Reg::kAddress).id);
  value.text = cjt188::FormatSerial(reply->frame.address);
  decoded.values.push_back(std::move(value));
  return decoded;
}

ExchangeGroup AskOne(const Cjt188Call& call, uint16_t di) {
  return {{AskCjt188(call, di, "", kReadSequence, kBodyUsual)}};
}

RegisterInfo InfoOf(const cjt188::Register& row, std::string id) {
  RegisterInfo info;
  info.reg = std::move(id);
  info.name = std::string(row.name);
  info.title_zh = std::string(row.title_zh);
  info.title_en = std::string(row.title_en);
  info.unit = std::string(row.unit);
  info.data_identifier = absl::StrFormat("%04X", row.di != 0 ? row.di : row.write_di);
  info.format = std::string(row.format);
  info.length = row.length;
  info.readable = row.di != 0;
  info.writable = row.write_di != 0;
  info.proof = std::string(row.proof);
  info.source = std::string(row.source);
  return info;
}

}  // namespace

absl::StatusOr<ExchangeGroup> EncodeCjt188(const Command& command, const Profile& profile) {
  if (const auto* const raw = std::get_if<Raw>(&command.action)) return EncodeCjt188Raw(*raw, command, profile);
  VW_ASSIGN_OR_RETURN(const Cjt188Call call, Cjt188CallOf(command, profile));
  if (const auto* const read = std::get_if<ReadRegisters>(&command.action)) {
    VW_ASSIGN_OR_RETURN(const auto reads, PlanReads(read->registers, profile));
    return EncodeReads(call, reads);
  }
  if (std::holds_alternative<ReadAddress>(command.action) || std::holds_alternative<Search>(command.action)) {
    return AskOne(call, kAddressDi);
  }
  if (std::holds_alternative<ReadPrepaid>(command.action)) {
    VW_ASSIGN_OR_RETURN(const auto reads, PlanReads(WalletRegisters(), profile));
    return EncodeReads(call, reads);
  }
  return EncodeCjt188Write(call, command);
}

Decoded DecodeCjt188(const Answer& answer, const Profile& profile) {
  const auto call = Cjt188CallOf(answer.command, profile);
  if (std::holds_alternative<Raw>(answer.command.action)) return DecodeCjt188Raw(answer);
  Decoded decoded;
  if (!call.ok()) {
    decoded.error = call.status();
    return decoded;
  }
  const auto& action = answer.command.action;
  if (const auto* const read = std::get_if<ReadRegisters>(&action)) return DecodeReads(*call, *read, answer.replies);
  if (std::holds_alternative<ReadAddress>(action)) return DecodeAddress(*call, answer.replies, /*search=*/false);
  if (std::holds_alternative<Search>(action)) return DecodeAddress(*call, answer.replies, /*search=*/true);
  if (std::holds_alternative<ReadPrepaid>(action)) return DecodePrepaid(*call, answer.replies);
  return DecodeCjt188Write(*call, answer);
}

ExplainedBytes ExplainCjt188(base::ByteView bytes, const ExplainOptions& options) {
  cjt188::Explained explained = cjt188::Explain(bytes, options.language == Language::kChinese);
  ExplainedBytes result;
  result.protocol = Protocol::kCjt188;
  result.summary = std::move(explained.summary);
  if (explained.fault != cjt188::Fault::kNone) {
    // Without the frame, which may hold a key.
    const std::string why(cjt188::FaultText(explained.fault));
    result.error =
        base::DataLoss("FRAME_NOT_UNDERSTOOD", why, {{"why", why}, {"position", absl::StrCat(explained.position)}});
  }
  for (cjt188::Span& span : explained.spans) {
    std::string hex = base::ToHex(bytes.subspan(span.offset, span.length));
    if (span.secret && !options.show_secrets) hex.assign(hex.size(), '*');
    result.explanations.push_back(
        {span.offset, span.length, std::move(hex), std::string(span.kind), std::move(span.meaning), span.understood});
  }
  return result;
}

// Volumes are listed once for each medium: cold water, hot water, gas.
std::vector<RegisterInfo> ListCjt188Registers() {
  std::vector<RegisterInfo> registers;
  for (const cjt188::Register& row : cjt188::Registers()) {
    registers.push_back(InfoOf(row, std::string(row.id)));
    if (row.gas_id.empty()) continue;
    std::string hot = std::string(row.id);
    hot[0] = '9';
    registers.push_back(InfoOf(row, hot));
    registers.push_back(InfoOf(row, std::string(row.gas_id)));
  }
  return registers;
}

}  // namespace voltwell::codec
