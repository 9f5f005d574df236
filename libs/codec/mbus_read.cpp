// Telegrams to values; see mbus_read.h.
#include "libs/codec/mbus_read.h"

#include <algorithm>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/mbus/obis.h"
#include "libs/codec/mbus/telegram.h"
#include "libs/codec/mbus/value.h"
#include "libs/codec/mbus_commands.h"

namespace voltwell::codec {
namespace {

using mbus::Record;
using mbus::Telegram;
using mbus::ValueKind;

constexpr char kStatusRegister[] = "mbus:status";
constexpr char kPrimaryRegister[] = "mbus:primary";

// Units as a bill shows them. Exact: only the exponent moves.
struct DisplayUnit {
  absl::string_view from;
  absl::string_view to;
  int8_t shift;
};
constexpr DisplayUnit kDisplayUnits[] = {{"Wh", "kWh", -3}, {"MWh", "kWh", 3},   {"J", "GJ", -9}, {"W", "kW", -3},
                                         {"MW", "kW", 3},   {"J/h", "GJ/h", -9}, {"C", "°C", 0},  {"F", "°F", 0}};

// A value with the names it goes by.
struct Named {
  RegisterValue value;
  std::string own_id;
  uint64_t storage = 0;
};

bool IsSentinel(const Profile& profile, base::ByteView data) {
  return std::any_of(profile.sentinels.begin(), profile.sentinels.end(),
                     [&](const std::string& sentinel) { return base::ToString(data) == sentinel; });
}

// Digits that are no number: all F is "none", other letters are the meter's error display.
void SetErrorDigits(const Record& record, base::ByteView frame, RegisterValue& value) {
  value.text = mbus::HexOf(record, frame);
  const bool is_none = value.text.find_first_not_of('F') == std::string::npos;
  value.quality = is_none ? Quality::kNoValue : Quality::kMeterError;
  if (is_none) value.text.clear();
}

// 80 00 .. 00: type B's sign for "not valid" (EN 13757-3, annex A), and no meter's reading.
bool IsLowestBinary(const Record& record) {
  if (record.kind != ValueKind::kNumber || (record.data_size != 4 && record.data_size != 8)) return false;
  return record.units ==
         (record.data_size == 4 ? int64_t{std::numeric_limits<int32_t>::min()} : std::numeric_limits<int64_t>::min());
}

void SetNumber(const Record& record, base::ByteView frame, RegisterValue& value) {
  const bool is_identification = absl::string_view(mbus::RowOf(record).name) == "fabrication_no";
  const bool is_digits = mbus::DataLength(frame[record.offset]) < mbus::kVariable && (frame[record.offset] & 8) != 0;
  if (is_identification && is_digits && record.units >= 0) {
    value.text = mbus::HexOf(record, frame);  // Its leading zeros belong to it.
    return;
  }
  if (!IsLowestBinary(record)) value.number = mbus::NumberOf(record);
  if (value.number.has_value()) return;
  value.text = record.kind == ValueKind::kFloat ? mbus::FloatText(record) : mbus::HexOf(record, frame);
  value.quality = Quality::kOutOfRange;
}

void SetValue(const Record& record, base::ByteView frame, RegisterValue& value) {
  switch (record.kind) {
    case ValueKind::kNumber:
    case ValueKind::kFloat:
      SetNumber(record, frame, value);
      break;
    case ValueKind::kDate:
    case ValueKind::kDateTime:
    case ValueKind::kDateTimeLong:
    case ValueKind::kTime:
      value.text = mbus::TimeText(mbus::TimeOf(record));
      if (value.text.empty()) value.quality = Quality::kNoValue;
      break;
    case ValueKind::kText:
      value.text = mbus::CharactersOf(record, frame);
      break;
    case ValueKind::kErrorDigits:
      SetErrorDigits(record, frame, value);
      break;
    case ValueKind::kBits:
    case ValueKind::kBytes:
    case ValueKind::kManufacturer:
      value.text = mbus::HexOf(record, frame);
      break;
    case ValueKind::kNone:
      value.quality = Quality::kNoValue;
      break;
  }
}

// The record as the profile and the unit that is shown have it.
Record Adjusted(const Record& record, const RegisterOverride* differs, base::ByteView frame, std::string& unit) {
  Record adjusted = record;
  unit = mbus::UnitOf(record, frame);
  const absl::string_view from = mbus::UnitText(record.unit);
  for (const DisplayUnit& row : kDisplayUnits) {
    if (row.from != from || from.empty()) continue;
    adjusted.exponent = static_cast<int8_t>(adjusted.exponent + row.shift);
    unit = absl::StrCat(row.to, unit.substr(from.size()));
  }
  if (differs == nullptr) return adjusted;
  if (differs->scale >= 0) adjusted.exponent = static_cast<int8_t>(-differs->scale);
  // A unit alone only names it: it does not turn what the meter says it counts into something else.
  if (!differs->unit.empty() && (unit.empty() || differs->scale >= 0)) unit = differs->unit;
  if (differs->is_signed == 0 && adjusted.kind == ValueKind::kNumber && adjusted.data_size < 8) {
    adjusted.units &= (int64_t{1} << (8 * adjusted.data_size)) - 1;
  }
  return adjusted;
}

// A register's id promises its unit: kWh may come as GJ (neither is the other exactly), all else has the table's unit
// or keeps its own id, so that gallons are never billed as cubic metres.
bool HasUnitOf(const std::string& id, absl::string_view unit) {
  const mbus::ObisRow* const row = mbus::FindObisRow(id);
  const absl::string_view promised = row == nullptr ? "" : row->unit;
  if (promised.empty() || unit == promised) return true;
  return (promised == "kWh" && unit == "GJ") || (promised == "kW" && unit == "GJ/h");
}

Named Name(const Record& record, base::ByteView frame, uint8_t medium, const Profile& profile) {
  Named named;
  named.own_id = mbus::OwnId(record, frame);
  named.storage = record.storage;
  RegisterValue& value = named.value;
  value.reg = mbus::RegisterId(record, frame, medium);
  auto differs = profile.registers.find(value.reg);
  if (differs == profile.registers.end()) differs = profile.registers.find(named.own_id);
  const Record adjusted =
      Adjusted(record, differs == profile.registers.end() ? nullptr : &differs->second, frame, value.unit);
  if (!HasUnitOf(value.reg, value.unit)) value.reg = named.own_id;
  if ((record.flags & mbus::kNoValueFlag) != 0 ||
      IsSentinel(profile, frame.subspan(record.data_offset, record.data_size))) {
    value.quality = Quality::kNoValue;
    return named;
  }
  SetValue(adjusted, frame, value);
  if (record.function == mbus::Function::kDuringError && value.quality == Quality::kOk) {
    value.quality = Quality::kMeterError;
  }
  return named;
}

// When the values of a storage were taken: the time point that is stored with them. That of a maximum, of an error, of
// another tariff or unit is another moment.
void SetMeterTimes(std::vector<Named>& values) {
  absl::flat_hash_map<uint64_t, std::string> times;
  for (const Named& named : values) {
    const std::string of_storage = absl::StrCat("mbus:", named.storage, ".0.0:6");
    const bool is_time = named.own_id == of_storage + "C" || named.own_id == of_storage + "D";
    if (is_time && named.storage > 0 && named.value.text.size() >= 10)
      times.try_emplace(named.storage, named.value.text);
  }
  for (Named& named : values) {
    const auto found = times.find(named.storage);
    if (found == times.end() || found->second == named.value.text) continue;
    named.value.meter_time = found->second;
    if (found->second.size() == 10) named.value.meter_time += "T00:00";
  }
}

// Two records of one readout never share an id: the second has its own, the third a number.
void MakeUnique(std::vector<Named>& values) {
  absl::flat_hash_set<std::string> seen;
  for (Named& named : values) {
    if (seen.insert(named.value.reg).second) continue;
    named.value.reg = named.own_id;
    for (int i = 2; !seen.insert(named.value.reg).second; ++i) named.value.reg = absl::StrCat(named.own_id, "#", i);
  }
}

absl::Status TelegramError(const mbus::Error& error, const Telegram& telegram, base::ByteView frame) {
  if (error.fault == mbus::Fault::kApplicationError) {
    const std::string words(mbus::ApplicationErrorText(telegram.application_error, /*zh=*/false));
    return base::FailedPrecondition("METER_REFUSED", absl::StrCat("the meter reports: ", words),
                                    {{"bits", words}, {"word", absl::StrCat(telegram.application_error)}});
  }
  if (!error.ok()) return MbusNotUnderstood(mbus::FaultText(error.fault), frame, error.position);
  if (!telegram.encrypted) return absl::OkStatus();
  return base::FailedPrecondition("TELEGRAM_ENCRYPTED", "the telegram is encrypted; only its header can be read",
                                  {{"mode", absl::StrCat(mbus::CipherMode(telegram.header.signature))}});
}

// Whether the telegram is from the meter that was asked.
bool IsFrom(const MbusCall& call, const Telegram& telegram) {
  if (call.link_address == mbus::kEveryoneAnswers) return true;
  if (!call.address.is_secondary) return telegram.link.address == call.address.primary;
  mbus::SecondaryAddress meter = mbus::AddressOf(telegram.header);
  if (!telegram.header.has_id) return true;
  mbus::SecondaryAddress mask = call.address.secondary;
  if (!telegram.header.has_maker) mask = {.id = mask.id};  // The fixed structure tells no more than the id.
  return mbus::Covers(mask, meter);
}

// A slave's RSP_UD; a request with user data (on some lines our own comes back) has the same shape.
bool IsReply(const Telegram& telegram) { return (telegram.link.control & mbus::kReplyMask) == mbus::kRspUd; }

// A readout: the telegrams that came, and what was wrong with one of them.
struct Readout {
  std::vector<Named> values;
  mbus::Header header;
  mbus::Link link;
  bool has_telegram = false;
  bool more_follow = false;
  size_t telegrams = 0;
  absl::Status error = absl::OkStatus();
};

void ReadTelegram(const MbusCall& call, base::ByteView frame, Readout& readout) {
  Telegram telegram;
  const mbus::Error error = mbus::DecodeTelegram(frame, telegram);
  readout.error = TelegramError(error, telegram, frame);
  readout.more_follow = telegram.more_follow && error.ok();
  ++readout.telegrams;
  if (telegram.link.shape != mbus::Shape::kLong && telegram.link.shape != mbus::Shape::kControl) return;
  if (!IsReply(telegram)) {
    readout.error = MbusNotUnderstood("a request, not a reply", frame, 4);
    readout.more_follow = false;
    return;
  }
  if (!IsFrom(call, telegram)) {
    readout.error = MbusNotUnderstood("another meter's telegram", frame, 5);
    return;
  }
  readout.has_telegram = true;
  readout.header = telegram.header;
  readout.link = telegram.link;
  for (const Record& record : telegram.records()) {
    readout.values.push_back(Name(record, frame, telegram.header.medium, call.profile));
  }
}

Readout ReadAll(const MbusCall& call, const std::vector<ReplyFrames>& replies, size_t first) {
  Readout readout;
  const std::string* previous = nullptr;
  for (size_t i = first; i < replies.size(); ++i) {
    if (replies[i].empty()) continue;
    const std::string& frame = replies[i].front();
    if (previous != nullptr && frame == *previous) {
      readout.error = base::DataLoss(
          "TELEGRAM_REPEATED", "the meter sent the same telegram again where more should follow; it may not heed FCB",
          {{"telegram", absl::StrCat(readout.telegrams)}});
      readout.more_follow = false;
      break;
    }
    previous = &frame;
    ReadTelegram(call, base::AsBytes(frame), readout);
    if (!readout.error.ok()) break;
  }
  if (readout.telegrams == 0) readout.error = MbusNotUnderstood("no reply", {}, 0);
  return readout;
}

// The status word of a valve: what one of the profile's two writes would have set. A maximum or an error's value is no
// state.
RelayState ValveState(const MbusCall& call, base::ByteView frame, const Telegram& telegram) {
  for (const bool opens : {true, false}) {
    const std::string& user = opens ? call.profile.valve_open : call.profile.valve_close;
    if (user.empty()) continue;
    const std::string written = mbus::BuildLong(mbus::kSndUd, 0, base::AsBytes(user));
    Telegram wanted;
    if (!mbus::DecodeTelegram(base::AsBytes(written), wanted).ok() || wanted.count == 0) continue;
    const Record& set = wanted.buffer[0];
    const base::ByteView set_vif = base::AsBytes(written).subspan(set.vif_offset, set.vif_size);
    for (const Record& record : telegram.records()) {
      const base::ByteView vif = frame.subspan(record.vif_offset, record.vif_size);
      const bool same = record.function == set.function && record.storage == set.storage &&
                        record.tariff == set.tariff && record.subunit == set.subunit &&
                        std::equal(vif.begin(), vif.end(), set_vif.begin(), set_vif.end());
      const bool has_value = (record.flags & mbus::kNoValueFlag) == 0 && record.kind == set.kind;
      if (same && has_value && record.units == set.units) return opens ? RelayState::kClosed : RelayState::kOpen;
    }
  }
  return RelayState::kUnspecified;
}

RelayState ValveOf(const MbusCall& call, const std::vector<ReplyFrames>& replies, size_t first) {
  RelayState state = RelayState::kUnspecified;
  for (size_t i = first; i < replies.size(); ++i) {
    Telegram telegram;
    if (replies[i].empty()) continue;
    const base::ByteView frame = base::AsBytes(replies[i].front());
    if (!mbus::DecodeTelegram(frame, telegram).ok() || !IsReply(telegram) || !IsFrom(call, telegram)) continue;
    if (const RelayState found = ValveState(call, frame, telegram); found != RelayState::kUnspecified) state = found;
  }
  return state;
}

// Cold and hot water meters, and heat and cooling meters, are often set up as one another: the same quantity under the
// neighbour's group is what was meant. Not so where a meter counts both.
std::string Neighbour(absl::string_view id, uint8_t medium) {
  constexpr absl::string_view kPairs[][2] = {{"8-0:", "9-0:"}, {"9-0:", "8-0:"}, {"5-0:", "6-0:"}, {"6-0:", "5-0:"}};
  if (medium == mbus::kHeatAndCoolingMedium) return "";
  for (const auto& pair : kPairs) {
    if (absl::StartsWith(id, pair[0])) return absl::StrCat(pair[1], id.substr(pair[0].size()));
  }
  return "";
}

RegisterValue Pick(const Readout& readout, const std::string& wanted, RelayState valve) {
  const std::vector<Named>& values = readout.values;
  if (wanted == mbus::kValveRegister) {
    RegisterValue value = {.reg = wanted};
    value.text = valve == RelayState::kUnspecified ? "" : valve == RelayState::kOpen ? "open" : "closed";
    if (valve == RelayState::kUnspecified) value.quality = Quality::kNoValue;
    return value;
  }
  const auto find = [&values](const std::string& id) {
    return std::find_if(values.begin(), values.end(),
                        [&id](const Named& named) { return named.value.reg == id || named.own_id == id; });
  };
  auto found = find(wanted);
  if (found == values.end()) found = find(Neighbour(wanted, readout.header.medium));
  RegisterValue value = found == values.end() ? RegisterValue{.quality = Quality::kNoValue} : found->value;
  value.reg = wanted;
  return value;
}

// Who answered, as an address of this protocol.
std::string AddressText(const Readout& readout) {
  if (readout.header.has_id && readout.header.has_maker) {
    return mbus::FormatSecondary(mbus::AddressOf(readout.header));
  }
  if (readout.header.has_id) return mbus::FormatSecondary(mbus::AddressOf(readout.header)).substr(0, 8);
  return absl::StrCat("p", readout.link.address);
}

}  // namespace

ExchangeGroup MbusReadout(const MbusCall& call, size_t telegrams) {
  ExchangeGroup group = MbusOpening(call);
  for (size_t turn = 0; turn < telegrams; ++turn) AddMbusRequest(call, turn, group);
  return group;
}

Decoded DecodeMbusReadout(const MbusCall& call, const std::vector<std::string>& registers,
                          const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  Readout readout = ReadAll(call, replies, MbusOpeningSize(call));
  decoded.error = readout.error;
  if (readout.more_follow) {
    if (readout.telegrams < kMbusTelegramsMax) {
      decoded.continuation = MbusReadout(call, readout.telegrams + 1);
      return decoded;
    }
    decoded.error = base::ResourceExhausted("TOO_MANY_TELEGRAMS", "the readout does not end after 16 telegrams",
                                            {{"limit", absl::StrCat(kMbusTelegramsMax)}});
  }
  if (!readout.has_telegram) return decoded;
  SetMeterTimes(readout.values);
  MakeUnique(readout.values);
  decoded.relay_state = ValveOf(call, replies, MbusOpeningSize(call));
  for (const std::string& wanted : registers) {
    if (wanted != mbus::kAllRegisters) {
      decoded.values.push_back(Pick(readout, wanted, decoded.relay_state));
      continue;
    }
    for (Named& named : readout.values) decoded.values.push_back(named.value);
    const uint8_t status[] = {readout.header.status};
    decoded.values.push_back({.reg = kStatusRegister, .text = base::ToHex(status)});
  }
  return decoded;
}

Decoded DecodeMbusAddress(const MbusCall& call, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const Readout readout = ReadAll(call, replies, MbusOpeningSize(call));
  if (!readout.has_telegram) {
    decoded.error = readout.error;
    return decoded;
  }
  decoded.address = AddressText(readout);
  decoded.values.push_back({.reg = kPrimaryRegister, .text = absl::StrCat("p", readout.link.address)});
  return decoded;
}

Decoded DecodeMbusSearch(const MbusCall& call, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  if (replies.empty()) return decoded;  // Nobody was selected.
  const Readout readout = ReadAll(call, replies, MbusOpeningSize(call));
  if (!readout.has_telegram || !readout.header.has_id) {
    decoded.collision = true;
    return decoded;
  }
  return DecodeMbusAddress(call, replies);
}

Decoded DecodeMbusValve(const MbusCall& call, const std::vector<ReplyFrames>& replies) {
  Decoded decoded;
  const size_t first = MbusOpeningSize(call) + 1;  // Behind the write's E5H.
  const Readout readout = ReadAll(call, replies, first);
  decoded.error = readout.error;
  if (base::ReasonOf(decoded.error) == "TELEGRAM_REPEATED") decoded.error = absl::OkStatus();
  decoded.relay_state = ValveOf(call, replies, first);
  return decoded;
}

}  // namespace voltwell::codec
