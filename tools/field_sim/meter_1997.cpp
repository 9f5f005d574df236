#include "tools/field_sim/meter_1997.h"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "libs/base/bytes.h"
#include "tools/field_sim/meter_fields.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kRead = 0x01, kReadMore = 0x02, kReadAgain = 0x03, kWrite = 0x04, kTimeSync = 0x08;
constexpr uint8_t kWriteAddress = 0x0A, kBaud = 0x0C, kPassword = 0x0F, kClearDemand = 0x10;
constexpr uint8_t kReplyBit = 0x80, kMoreBit = 0x20, kAbnormal = 0xC0;
constexpr uint8_t kIllegal = 0x01;
constexpr size_t kMaxReadData = 200;
constexpr int64_t kMaxSyncSeconds = 300;
constexpr int kTariffs = 4;

// Registers that nobody simulates: made up, the same in each run. The last digit counts along the first axis.
constexpr SheetRow kMadeUp[] = {
    {0xA010, "0:5 10:3", "b3.4:kW"},
    {0xA020, "0:5 10:3", "b3.4:kW"},
    {0xA110, "0:5 10:3", "b3.4:kvar"},
    {0xA120, "0:5 10:3", "b3.4:kvar"},
    {0xB010, "0:5 10:3", "c:mhDM"},
    {0xB020, "0:5 10:3", "c:mhDM"},
    {0xB110, "0:5 10:3", "c:mhDM"},
    {0xB120, "0:5 10:3", "c:mhDM"},
    {0xB210, "0:2", "c:mhDM"},
    {0xB212, "0:2", "b2.0"},
    {0xB214, "", "b3.0:min"},
    {0xB310, "0:4", "b2.0"},
    {0xB320, "0:4", "b3.0:min"},
    {0xB330, "0:4 4:2", "c:mhDM"},
    {0xB634, "0:2", "b2.2:kW"},
    {0xC020, "0:3", "w1"},
    {0xC030, "", "b3.0:imp/kWh"},
    {0xC031, "", "b3.0:imp/kvarh"},
    {0xC033, "0:2", "n6"},
    {0xC111, "0:2", "b1.0:min"},
    {0xC113, "0:2", "b1.0:s"},
    {0xC115, "0:2", "b1.0"},
    {0xC117, "", "c:hD"},
    {0xC118, "", "b1.0"},
    {0xC119, "", "b4.1:kWh"},
    {0xC11A, "", "b4.1:kvarh"},
    {0xC211, "", "b2.0:ms"},
    {0xC310, "0:5", "b1.0"},
    {0xC321, "0:14", "c:NDM"},
    {0xC331, "0:10 4:8", "c:Nmh"},
    {0xC411, "0:13", "c:NDM"},
    {0xC41E, "", "b1.0"},
    {0xC510, "", "c:mhDM"},
    {0xC511, "", "b2.0:min"},
};

// Parameters may be written; what was measured may not.
bool IsParameter(uint16_t di) { return di >> 12 == 0xC || di == 0xB634 || di == 0xB635; }

uint16_t Di(Bytes data) { return static_cast<uint16_t>(data[0] | data[1] << 8); }

// The name under which the registry's readings are kept: the same quantity has the same one in both editions.
std::string IdOf(uint16_t di) {
  const int kind = di >> 12, month = di >> 10 & 3, reactive = di >> 8 & 3, quantity = di >> 4 & 0xF, tariff = di & 0xF;
  if (kind == 9 || kind == 0xA || (kind == 0xB && (di >> 8 & 3) < 2)) {
    constexpr int kReactive[] = {0, 3, 4, 5, 8, 6, 7};  // Forward, reverse, quadrants I, IV, II, III.
    const int code = reactive == 1 ? kReactive[quantity] : quantity;
    std::string id = absl::StrFormat("1-0:%d.%d.%d", code, kind == 9 ? 8 : 6, tariff);
    if (month > 0) absl::StrAppendFormat(&id, "*%d", month);
    return kind == 0xB ? id + "/time" : id;
  }
  if (di >> 8 == 0xB6 && (di & 0xF) < 4) {
    constexpr int kFirst[] = {0, 12, 11, 1, 3, 13};
    return absl::StrFormat("1-0:%d.7.0", kFirst[quantity] + 20 * (di & 0xF));
  }
  constexpr std::pair<uint16_t, const char*> kNamed[] = {
      {0xB210, "0-0:96.2.1"}, {0xB212, "0-0:96.2.0"}, {0xB214, "0-0:96.6.0"}, {0xC010, "0-0:0.9.2"},
      {0xC011, "0-0:0.9.1"},  {0xC030, "1-0:0.3.0"},  {0xC031, "1-0:0.3.1"},  {0xC032, "0-0:96.1.1"},
      {0xC034, "0-0:96.1.0"}, {0xC111, "1-0:0.8.0"}};
  for (const auto& [named, id] : kNamed) {
    if (named == di) return id;
  }
  return absl::StrFormat("0-0:198.%d.%d", di >> 8, di & 0xFF);
}

}  // namespace

Meter1997::Meter1997(const ParkMeter& config, const LoadSettings& settings, Moment start)
    : Device(config), load_(config, settings, start), password_(config.password) {}

bool Meter1997::Refuse(uint8_t control, uint8_t error, Reply* reply) {
  reply->control = control | kAbnormal;
  reply->size = 0;
  reply->Put(error);
  return true;
}

size_t Meter1997::Answer(const Request& request, Moment now, std::span<uint8_t, kMaxAnswer> out) {
  ++counts_.requests;
  load_.Advance(now);
  Reply reply;
  reply.control = request.control | kReplyBit;
  const Bytes data = request.payload();
  bool answers = false;
  switch (request.control) {
    case kRead:
    case kReadAgain:
      answers = Read(request, now, &reply);
      break;
    case kReadMore:
      answers = ReadMore(request, &reply);
      break;
    case kWrite:
      answers = Write(request, now, &reply);
      break;
    case kTimeSync:
      SyncClock(request, now);
      break;
    case kBaud:
      answers = data.size() == 1 ? (baud_word_ = data[0], reply.Put(data[0]), true) : Refuse(kBaud, kIllegal, &reply);
      break;
    case kPassword:
      if (data.size() != 8 || CheckPassword(data) != 0) {
        answers = Refuse(kPassword, data.size() == 8 ? kUnauthorised : kIllegal, &reply);
        break;
      }
      password_ = static_cast<uint32_t>(data[5] | data[6] << 8 | data[7] << 16);
      reply.Put(data.subspan(4));
      answers = true;
      break;
    case kClearDemand:
      ++demand_cleared_;
      answers = true;
      break;
    case kWriteAddress:
      answers = Refuse(kWriteAddress, kIllegal, &reply);  // Needs a hand on the meter's button.
      break;
    default:
      break;  // Codes of the other edition are not heard.
  }
  // This edition has no question for the address: C032 is read from 99..99, and the meter answers.
  const bool asks_all = request.address == kBroadcast && request.control == kRead;
  if (!answers || (request.address == kBroadcast && !asks_all)) return 0;
  (reply.control & 0x40) != 0 ? ++counts_.errors_served : ++counts_.reads_served;
  return BuildFrame(config_.address, reply, out.data());
}

bool Meter1997::Read(const Request& request, Moment now, Reply* reply) {
  if (request.size < 2) return Refuse(kRead, kIllegal, reply);
  const uint16_t di = Di(request.payload());
  reply->control = kRead | kReplyBit;
  reply->Put(request.payload().first(2));
  if (const auto written = written_.find(di); written != written_.end()) {
    reply->Put(written->second);
    return true;
  }
  Sheet sheet;
  if (!ShowBlock(di, now, &sheet)) return Refuse(kRead, kNoSuchData, reply);
  long_di_ = di;
  long_block_ = sheet.wire();
  const size_t first = std::min(long_block_.size(), kMaxReadData - 2);
  reply->Put(Bytes(long_block_).first(first));
  if (first < long_block_.size()) reply->control |= kMoreBit;
  return true;
}

// Answers with what the first frame left; one frame holds it for every block that we have.
bool Meter1997::ReadMore(const Request& request, Reply* reply) {
  constexpr size_t kFirst = kMaxReadData - 2;
  if (request.size < 2 || Di(request.payload()) != long_di_ || long_block_.size() <= kFirst) {
    return Refuse(kReadMore, kNoSuchData, reply);
  }
  reply->Put(request.payload().first(2));
  reply->Put(Bytes(long_block_).subspan(kFirst));
  return true;
}

uint8_t Meter1997::CheckPassword(Bytes data) const {
  const uint32_t password = static_cast<uint32_t>(data[1] | data[2] << 8 | data[3] << 16);
  return data[0] == config_.password_level && password == password_ ? 0 : kUnauthorised;
}

// DI, PA P0 P1 P2, data.
bool Meter1997::Write(const Request& request, Moment now, Reply* reply) {
  if (request.size < 7) return Refuse(kWrite, kIllegal, reply);
  const Bytes data = request.payload();
  const uint16_t di = Di(data);
  const Bytes value = data.subspan(6);
  Sheet old;
  if (!IsParameter(di) || !Show(di, now, &old) || old.wire().size() != value.size()) {
    return Refuse(kWrite, kIllegal, reply);
  }
  if (CheckPassword(data.subspan(2)) != 0) return Refuse(kWrite, kUnauthorised, reply);
  if (di == 0xC010 || di == 0xC011) {
    const CivilTime shown = SecondsToCivil(load_.ClockSeconds(now));
    std::array<uint8_t, 6> fields = {ToBcd(shown.second), ToBcd(shown.minute), ToBcd(shown.hour),
                                     ToBcd(shown.day),    ToBcd(shown.month),  ToBcd(shown.year % 100)};
    di == 0xC010 ? std::copy(value.begin() + 1, value.end(), fields.begin() + 3)
                 : std::copy(value.begin(), value.end(), fields.begin());
    const auto seconds = ParseClock(fields);
    if (!seconds.has_value()) return Refuse(kWrite, kIllegal, reply);
    load_.SetClock(*seconds, now);
    ++counts_.clock_set;
    return true;
  }
  written_[di].assign(value.begin(), value.end());
  return true;
}

void Meter1997::SyncClock(const Request& request, Moment now) {
  if (request.size != 6) return;
  const auto seconds = ParseClock(request.payload());
  if (!seconds.has_value() || std::abs(*seconds - load_.ClockSeconds(now)) > kMaxSyncSeconds) return;
  load_.SetClock(*seconds, now);
  ++counts_.clock_set;
}

// 9xyz: forward and reverse are what flows; reactive quantities are fixed shares of it, each another.
bool Meter1997::ShowEnergy(uint16_t di, Sheet* sheet) const {
  const int month = di >> 10 & 3, reactive = di >> 8 & 3, quantity = di >> 4 & 0xF, tariff = di & 0xF;
  if (month > 2 || reactive > 1 || quantity < 1 || quantity > (reactive == 1 ? 6 : 2) || tariff > kTariffs)
    return false;
  if (reactive == 0) {
    sheet->Bcd(quantity == 1 ? load_.ForwardCentiKwh(tariff, month) : load_.ReverseCentiKwh(tariff, month), 4, 2,
               "kWh");
  } else {
    sheet->Bcd(load_.ForwardCentiKwh(tariff, month) / (4 + quantity), 4, 2, "kvarh");
  }
  return true;
}

// B61x to B65x: integers of a volt, 0.01 A, 0.0001 kW, 0.01 kvar, 0.001.
bool Meter1997::ShowVariable(uint16_t di, Moment now, Sheet* sheet) const {
  const int quantity = di >> 4 & 0xF, phase = di & 0xF;
  if (quantity < 1 || quantity > 5 || phase > 3 || (phase == 0 && quantity < 3)) return false;
  constexpr size_t kBytes[] = {0, 2, 2, 3, 2, 2};
  if (phase > load_.phases()) return false;
  const Quantities q = load_.Now(now);
  const auto of = [&](const std::array<int64_t, 3>& values) {
    return phase == 0 ? Quantities::Sum(values) : values[static_cast<size_t>(phase - 1)];
  };
  const size_t bytes = kBytes[quantity];
  if (quantity == 1) sheet->Bcd(of(q.voltage_dv) / 10, bytes, 0, "V");
  if (quantity == 2) sheet->Bcd(of(q.current_ma) / 10, bytes, 2, "A");
  if (quantity == 3) sheet->Bcd(of(q.active_dw), bytes, 4, "kW");
  if (quantity == 4) sheet->Bcd(of(q.reactive_dvar) / 100, bytes, 2, "kvar");
  if (quantity == 5) sheet->Bcd(phase == 0 ? q.power_factor_total_milli : of(q.power_factor_milli), bytes, 3, "");
  return true;
}

bool Meter1997::Show(uint16_t di, Moment now, Sheet* sheet) const {
  if (di >> 12 == 9) return ShowEnergy(di, sheet);
  if (di >> 8 == 0xB6 && (di & 0xF) < 4) return ShowVariable(di, now, sheet);
  const CivilTime clock = SecondsToCivil(load_.ClockSeconds(now));
  const size_t before = sheet->wire().size();
  if (di == 0xC010) sheet->Civil("WDMY", clock);
  if (di == 0xC011) sheet->Civil("smh", clock);
  if (di == 0xC032) sheet->Word(config_.address, 6);
  if (sheet->wire().size() > before) return true;
  for (const SheetRow& row : kMadeUp) {
    if (!RowHas(row, di)) continue;
    sheet->Invent(row.layout, config_.address << 16 | di);
    return true;
  }
  return false;
}

bool Meter1997::ShowBlock(uint16_t di, Moment now, Sheet* sheet) const {
  if (Show(di, now, sheet)) return true;
  if ((di & 0xF) != 0xF) return false;
  // B634 and B635 are limits of the power, not powers.
  const uint16_t end = di >> 8 == 0xB6 ? static_cast<uint16_t>((di & 0xFFF0) + 4) : di;
  for (uint16_t member = di & 0xFFF0; member != end; ++member) Show(member, now, sheet);
  return !sheet->wire().empty();
}

nlohmann::json Meter1997::Truth(Moment now) {
  load_.Advance(now);
  nlohmann::json out = CommonTruth();
  out["kind"] = "live";
  for (int t = 0; t <= kTariffs; ++t) {
    out["energy_kwh"][t == 0 ? "total" : absl::StrFormat("t%d", t)] = Fixed(load_.ForwardCentiKwh(t, 0), 2);
  }
  out["reverse_kwh"] = Fixed(load_.ReverseCentiKwh(0, 0), 2);
  out["demand_cleared"] = demand_cleared_;
  out["baud_word"] = baud_word_;
  for (const auto& [di, value] : written_) out["written"][absl::StrFormat("%04X", di)] = base::ToHex(value);
  return out;
}

nlohmann::json Meter1997::Registers(Moment now) {
  load_.Advance(now);
  nlohmann::json out = nlohmann::json::array();
  for (uint32_t di = 0x9000; di <= 0xC5FF; ++di) {
    Sheet sheet;
    const auto identifier = static_cast<uint16_t>(di);
    if (written_.contains(identifier) || !Show(identifier, now, &sheet)) continue;
    out.push_back({{"id", IdOf(identifier)}, {"di", absl::StrFormat("%04X", di)}, {"fields", sheet.fields()}});
  }
  return out;
}

}  // namespace voltwell::field_sim
