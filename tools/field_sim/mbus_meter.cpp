#include "tools/field_sim/mbus_meter.h"

#include <algorithm>
#include <numeric>

#include "absl/strings/str_format.h"
#include "tools/field_sim/sheet.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kSelectedAddress = 0xFD, kAllAnswer = 0xFE, kAllSilent = 0xFF;
constexpr uint8_t kAcknowledge = 0xE5;
constexpr int64_t kMicrolitresPerLitre = 1'000'000;
constexpr int64_t kMilliwattSecondsPerWh = 3'600'000;
constexpr uint16_t kManufacturer = ('V' - 64) << 10 | ('W' - 64) << 5 | ('S' - 64);

uint8_t MediumOf(const std::string& supply) {
  if (supply == "heat") return 0x04;
  if (supply == "gas") return 0x03;
  return supply == "hot_water" ? 0x06 : 0x07;
}

// p5 has no identification of its own: one is made up.
MbusIdentity IdentityOf(const ParkMeter& config) {
  MbusIdentity own;
  own.primary = static_cast<uint8_t>(config.mbus.primary);
  own.manufacturer = kManufacturer;
  own.medium = MediumOf(config.supply);
  const std::string& text = config.address_text;
  if (text[0] == 'p') {
    own.primary = static_cast<uint8_t>(std::stoi(text.substr(1)));
    own.id = 0x10000000 + static_cast<uint32_t>(ToBcd(own.primary % 100)) + 0x100U * (own.primary / 100U);
    return own;
  }
  own.id = static_cast<uint32_t>(std::stoul(text.substr(0, 8), nullptr, 16));
  if (text.size() == 16) {
    const auto byte = [&](size_t at) { return static_cast<uint8_t>(std::stoul(text.substr(at, 2), nullptr, 16)); };
    own.manufacturer = static_cast<uint16_t>(byte(8) | byte(10) << 8);
    own.version = byte(12);
    own.medium = byte(14);
  }
  return own;
}

void PutInteger(int64_t value, size_t bytes, std::vector<uint8_t>* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// A minus sign is the digit F in front.
void PutDigits(int64_t value, size_t bytes, std::vector<uint8_t>* out) {
  int64_t rest = value < 0 ? -value : value;
  for (size_t i = 0; i < bytes; ++i, rest /= 100) out->push_back(ToBcd(static_cast<int>(rest % 100)));
  if (value < 0) out->back() |= 0xF0;
}

std::vector<uint8_t> TypeG(const CivilTime& time) {
  const int year = time.year % 100;
  return {static_cast<uint8_t>(time.day | (year & 7) << 5), static_cast<uint8_t>(time.month | year >> 3 << 4)};
}

std::string Date(const CivilTime& time) { return absl::StrFormat("%04d-%02d-%02d", time.year, time.month, time.day); }

}  // namespace

MbusMeter::MbusMeter(const ParkMeter& config, const LoadSettings& settings, Moment start)
    : Device(config),
      clock_(config, settings, start),
      own_(IdentityOf(config)),
      speed_(settings.energy_speed),
      last_(start),
      micro_litres_(config.fluid.start_litres * kMicrolitresPerLitre),
      milliwatt_seconds_(config.fluid.start_heat_wh * kMilliwattSecondsPerWh) {}

void MbusMeter::Advance(Moment now) {
  const int64_t passed_ns = now.mono_ns - last_.mono_ns;
  last_ = now;
  if (passed_ns <= 0 || !valve_open_) return;
  const double hours = static_cast<double>(passed_ns) / 3.6e12 * speed_;
  micro_litres_ += static_cast<int64_t>(hours * static_cast<double>(config_.fluid.litres_per_hour) * 1e6);
  milliwatt_seconds_ += static_cast<int64_t>(hours * static_cast<double>(config_.fluid.heat_w) * 3.6e6);
}

std::string MbusMeter::VolumeId() const {
  if (own_.medium == 0x03) return "7-0:3.0.0";
  return own_.medium == 0x06 || own_.medium == 0x15 ? "9-0:1.0.0" : "8-0:1.0.0";
}

// Volume in litres, the stored one with its date, flow, valve, error flags.
std::vector<MbusMeter::Shown> MbusMeter::WaterRecords() const {
  const CivilTime now = SecondsToCivil(clock_.ClockSeconds(last_));
  const CivilTime stored = {.year = now.year, .month = now.month, .day = 1};
  const int64_t litres = micro_litres_ / kMicrolitresPerLitre;
  std::vector<Shown> records(6);
  records[0].wire = {0x0C, 0x13};
  PutDigits(litres, 4, &records[0].wire);
  records[0].id = VolumeId();
  records[0].value = Fixed(litres, 3);
  records[0].unit = "m3";
  records[1].wire = {0x44, 0x13};
  PutInteger(config_.fluid.settled_litres, 4, &records[1].wire);
  records[1].id = VolumeId() + "*1";
  records[1].value = Fixed(config_.fluid.settled_litres, 3);
  records[1].unit = "m3";
  records[1].taken_at = Date(stored) + "T00:00";
  records[2].wire = {0x42, 0x6C};
  for (const uint8_t byte : TypeG(stored)) records[2].wire.push_back(byte);
  records[2].id = "mbus:1.0.0:6C";
  records[2].text = Date(stored);
  records[3].wire = {0x02, 0x3B};
  const int64_t flow = valve_open_ ? config_.fluid.litres_per_hour : 0;
  PutInteger(flow, 2, &records[3].wire);
  records[3].id = own_.medium == 0x03 ? "7-0:43.0.0" : VolumeId().substr(0, 4) + "2.0.0";
  records[3].value = Fixed(flow, 3);
  records[3].unit = "m3/h";
  records[4].wire = {0x02, 0xFD, 0x17, static_cast<uint8_t>(config_.fluid.battery_low ? 4 : 0), 0x00};
  records[4].id = "0-0:97.97.0";
  records[4].text = config_.fluid.battery_low ? "0004" : "0000";
  records[5].wire = {0x01, 0xFD, 0x1A, static_cast<uint8_t>(valve_open_ ? 1 : 0)};
  records[5].id = "mbus:0.0.0:FD1A";
  records[5].text = valve_open_ ? "01" : "00";
  return records;
}

// Energy in kWh, volume, power, temperatures; negative differences are BCD with F in front.
std::vector<MbusMeter::Shown> MbusMeter::HeatRecords() const {
  const ParkFluid& fluid = config_.fluid;
  const int64_t kwh = milliwatt_seconds_ / kMilliwattSecondsPerWh / 1000;
  const int64_t centilitres = micro_litres_ / kMicrolitresPerLitre / 10;
  const int64_t supply = fluid.supply_centi_c / 10, back = fluid.return_centi_c / 10;
  struct Number {
    std::vector<uint8_t> head;
    int64_t value;
    size_t bytes;
    bool bcd;
    const char* id;
    int scale;
    const char* unit;
    int64_t shown;
  };
  const Number numbers[] = {
      {{0x04, 0x06}, kwh, 4, false, "6-0:1.0.0", 0, "kWh", kwh},
      {{0x0C, 0x14}, centilitres, 4, true, "6-0:2.0.0", 2, "m3", centilitres},
      {{0x44, 0x06}, fluid.settled_heat_wh / 1000, 4, false, "6-0:1.0.0*1", 0, "kWh", fluid.settled_heat_wh / 1000},
      {{0x02, 0x2B}, fluid.heat_w, 2, false, "6-0:8.0.0", 3, "kW", fluid.heat_w},
      {{0x02, 0x3B}, fluid.litres_per_hour, 2, false, "6-0:9.0.0", 3, "m3/h", fluid.litres_per_hour},
      {{0x0A, 0x5A}, supply, 2, true, "6-0:10.0.0", 1, "°C", supply},
      {{0x0A, 0x5E}, back, 2, true, "6-0:11.0.0", 1, "°C", back},
      {{0x0A, 0x62}, supply - back, 2, true, "6-0:12.0.0", 1, "K", supply - back},
      {{0x94, 0x10, 0x2B}, fluid.heat_w * 2, 4, false, "mbus:max:0.1.0:2B", 3, "kW", fluid.heat_w * 2},
  };
  std::vector<Shown> records;
  for (const Number& number : numbers) {
    Shown& record = records.emplace_back();
    record.wire = number.head;
    number.bcd ? PutDigits(number.value, number.bytes, &record.wire)
               : PutInteger(number.value, number.bytes, &record.wire);
    record.id = number.id;
    record.value = Fixed(number.shown, number.scale);
    record.unit = number.unit;
  }
  return records;
}

std::vector<MbusMeter::Shown> MbusMeter::Records() const {
  std::vector<Shown> records = own_.medium == 0x04 || own_.medium == 0x0C ? HeatRecords() : WaterRecords();
  Shown number;
  number.wire = {0x0C, 0x78};
  PutInteger(own_.id, 4, &number.wire);
  number.id = "0-0:96.1.0";
  number.text = absl::StrFormat("%08X", own_.id);
  records.push_back(number);
  const CivilTime now = SecondsToCivil(clock_.ClockSeconds(last_));
  Shown clock;
  clock.wire = {0x04, 0x6D, static_cast<uint8_t>(now.minute), static_cast<uint8_t>(now.hour)};
  for (const uint8_t byte : TypeG(now)) clock.wire.push_back(byte);
  clock.id = "0-0:1.0.0";
  clock.text = absl::StrFormat("%sT%02d:%02d", Date(now), now.hour, now.minute);
  records.push_back(clock);
  return records;
}

// The records in equal parts; all but the last end in 1FH.
std::vector<uint8_t> MbusMeter::Telegram(size_t index) const {
  const std::vector<Shown> records = Records();
  const auto count = static_cast<size_t>(config_.mbus.telegrams);
  std::vector<uint8_t> user;
  PutInteger(own_.id, 4, &user);
  PutInteger(own_.manufacturer, 2, &user);
  user.push_back(own_.version);
  user.push_back(own_.medium);
  user.push_back(static_cast<uint8_t>(reads_));
  user.push_back(config_.fluid.battery_low ? 0x04 : 0x00);
  user.push_back(0);
  user.push_back(0);
  for (size_t i = records.size() * index / count; i < records.size() * (index + 1) / count; ++i) {
    user.insert(user.end(), records[i].wire.begin(), records[i].wire.end());
  }
  if (index + 1 < count) user.push_back(0x1F);
  return user;
}

bool MbusMeter::IsForMe(uint8_t address) const {
  return address == own_.primary || address == kAllAnswer || address == kAllSilent ||
         (address == kSelectedAddress && selected_);
}

// id 4, manufacturer 2, version, medium; nibbles F of the id and bytes FF of the rest fit anything.
bool MbusMeter::Select(Bytes mask) {
  for (size_t i = 0; i < 4; ++i) {
    const auto own = static_cast<uint8_t>(own_.id >> (8 * i));
    if ((mask[i] >> 4) != 0xF && (mask[i] >> 4) != (own >> 4)) return false;
    if ((mask[i] & 0xF) != 0xF && (mask[i] & 0xF) != (own & 0xF)) return false;
  }
  const uint8_t rest[] = {static_cast<uint8_t>(own_.manufacturer), static_cast<uint8_t>(own_.manufacturer >> 8),
                          own_.version, own_.medium};
  // Two bytes of the manufacturer are one field: FFFF, and nothing else, is any.
  if ((mask[4] != 0xFF || mask[5] != 0xFF) && (mask[4] != rest[0] || mask[5] != rest[1])) return false;
  return (mask[6] == 0xFF || mask[6] == rest[2]) && (mask[7] == 0xFF || mask[7] == rest[3]);
}

bool MbusMeter::IsNew(uint8_t control) {
  const bool fcb = (control & 0x20) != 0;
  if ((control & 0x10) == 0 || config_.mbus.ignores_fcb) return true;
  const bool is_new = last_fcb_ != fcb;
  last_fcb_ = fcb;
  return is_new;
}

size_t MbusMeter::HearShort(uint8_t control, uint8_t address, std::span<uint8_t, kMaxAnswer> out) {
  const uint8_t function = control & 0x4F;
  if (function == 0x40) {
    last_fcb_.reset();
    telegram_ = 0;
    if (address == kSelectedAddress) selected_ = false;
    out[0] = kAcknowledge;
    return config_.mbus.silent_reset ? 0 : 1;
  }
  if (function == 0x4A) {
    out[0] = kAcknowledge;  // No alarms.
    return 1;
  }
  if (function != 0x4B) return 0;
  const bool first = !last_fcb_.has_value();
  if (IsNew(control) && !config_.mbus.ignores_fcb) {
    telegram_ = first ? 0 : (telegram_ + 1) % static_cast<size_t>(config_.mbus.telegrams);
    if (telegram_ == 0) ++reads_;
  }
  ++counts_.reads_served;
  const std::vector<uint8_t> user = Telegram(telegram_);
  const auto length = static_cast<uint8_t>(user.size() + 3);
  const uint8_t head[] = {0x68, length, length, 0x68, 0x08, own_.primary, 0x72};
  std::copy(std::begin(head), std::end(head), out.begin());
  std::copy(user.begin(), user.end(), out.begin() + 7);
  const size_t size = user.size() + 7;
  out[size] =
      static_cast<uint8_t>(std::accumulate(out.begin() + 4, out.begin() + static_cast<std::ptrdiff_t>(size), 0));
  out[size + 1] = 0x16;
  return size + 2;
}

void MbusMeter::Write(Bytes records) {
  const auto is = [&](std::initializer_list<uint8_t> head, size_t data) {
    return records.size() == head.size() + data && std::equal(head.begin(), head.end(), records.begin());
  };
  if (is({0x01, 0x7A}, 1) && records[2] <= 250) own_.primary = records[2];
  if (is({0x0C, 0x79}, 4)) {
    own_.id = 0;
    for (size_t i = 6; i > 2; --i) own_.id = own_.id << 8 | records[i - 1];
  }
  if (is({0x01, 0xFD, 0x1A}, 1)) {
    ++counts_.relay_commands;
    const bool open = records[3] != 0;
    if (config_.fluid.has_valve && open != valve_open_) {
      valve_open_ = open;
      // A relay that is open cuts the supply, as a valve that is closed does.
      ++(open ? counts_.relay_closed : counts_.relay_opened);
    }
  }
  if (is({0x04, 0x6D}, 4)) {
    const int year = (records[4] >> 5) | (records[5] >> 4 << 3);
    clock_.SetClock(CivilToSeconds({.year = 2000 + year,
                                    .month = records[5] & 0x0F,
                                    .day = records[4] & 0x1F,
                                    .hour = records[3] & 0x1F,
                                    .minute = records[2] & 0x3F}),
                    last_);
    ++counts_.clock_set;
  }
}

size_t MbusMeter::HearData(uint8_t control, uint8_t address, Bytes user, std::span<uint8_t, kMaxAnswer> out) {
  const uint8_t ci = user[0];
  if (address == kSelectedAddress && ci == 0x52) {
    selected_ = user.size() == 9 && Select(user.subspan(1));
    if (!selected_) return 0;
    last_fcb_.reset();
    telegram_ = 0;
    out[0] = kAcknowledge;
    return 1;
  }
  if (!IsForMe(address)) return 0;
  ++counts_.requests;
  // What is repeated is acknowledged again and not done again.
  if (IsNew(control) && ci == 0x51) Write(user.subspan(1));
  if (ci == 0x50) telegram_ = 0;
  out[0] = kAcknowledge;
  return address == kAllSilent ? 0 : 1;
}

size_t MbusMeter::Hear(Bytes frame, Moment now, std::span<uint8_t, kMaxAnswer> out) {
  Advance(now);
  const bool is_short = frame[0] == 0x10;
  const uint8_t control = frame[is_short ? 1 : 4], address = frame[is_short ? 2 : 5];
  if ((control & 0x40) == 0) return 0;  // Another slave's answer.
  if (!is_short)
    return (control & 0x4F) == 0x43 ? HearData(control, address, frame.subspan(6, frame.size() - 8), out) : 0;
  if (!IsForMe(address)) return 0;
  ++counts_.requests;
  const size_t size = HearShort(control, address, out);
  return address == kAllSilent ? 0 : size;
}

nlohmann::json MbusMeter::Truth(Moment now) {
  Advance(now);
  nlohmann::json out = CommonTruth();
  out["kind"] = "live";
  out["primary"] = own_.primary;
  out["id"] = absl::StrFormat("%08X", own_.id);
  out["litres"] = micro_litres_ / kMicrolitresPerLitre;
  out["heat_wh"] = milliwatt_seconds_ / kMilliwattSecondsPerWh;
  out["valve"] = {{"open", valve_open_}, {"commanded_open", valve_open_}};
  out["relay"] = {{"open", !valve_open_}};
  return out;
}

nlohmann::json MbusMeter::Registers(Moment now) {
  Advance(now);
  nlohmann::json out = nlohmann::json::array();
  for (const Shown& record : Records()) {
    nlohmann::json field;
    if (record.value.empty()) {
      field["text"] = record.text;
    } else {
      field["value"] = record.value;
      field["unit"] = record.unit;
      if (!record.taken_at.empty()) field["time"] = record.taken_at;
    }
    out.push_back({{"id", record.id}, {"di", ""}, {"fields", nlohmann::json::array({field})}});
  }
  return out;
}

}  // namespace voltwell::field_sim
