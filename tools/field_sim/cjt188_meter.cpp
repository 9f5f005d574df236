#include "tools/field_sim/cjt188_meter.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_format.h"
#include "libs/base/bytes.h"
#include "tools/field_sim/sheet.h"

namespace voltwell::field_sim {
namespace {

constexpr uint8_t kReadData = 0x01, kReadAddress = 0x03, kWriteData = 0x04, kReadKey = 0x09;
constexpr uint8_t kWriteAddress = 0x15, kWriteBase = 0x16;
constexpr uint8_t kReplyBit = 0x80, kAbnormal = 0xC0;
constexpr int64_t kNsPerMs = 1'000'000;
constexpr int64_t kSecondsPerDay = 86'400;
constexpr int64_t kFreezes = 12;  // Records of each kind of freeze that the meter keeps.
constexpr int64_t kMicrolitresPerLitre = 1'000'000;
constexpr int64_t kMilliwattSecondsPerWh = 3'600'000;

uint16_t WireDi(uint8_t first, uint8_t second, bool low_first) {
  return static_cast<uint16_t>(low_first ? first | second << 8 : first << 8 | second);
}

int64_t FromPairs(const std::vector<uint8_t>& bytes, size_t from, size_t count) {
  int64_t number = 0;
  for (size_t i = from + count; i > from; --i) number = number * 100 + FromBcd(bytes[i - 1]).value_or(0);
  return number;
}

nlohmann::json ShownText(const std::string& id, const std::string& text) {
  return {{"id", id}, {"fields", nlohmann::json::array({{{"text", text}}})}};
}

}  // namespace

Cjt188Meter::Cjt188Meter(const ParkMeter& config, const LoadSettings& settings, Moment start)
    : Device(config),
      clock_(config, settings, start),
      speed_(settings.energy_speed),
      last_(start),
      micro_litres_(config.fluid.start_litres * kMicrolitresPerLitre),
      milliwatt_seconds_(config.fluid.start_heat_wh * kMilliwattSecondsPerWh),
      number_(config.cjt188.purchase_number),
      last_fen_(config.cjt188.last_fen),
      accumulated_fen_(config.cjt188.accumulated_fen) {
  ParseCjt188Address(config.address_text, &address_);
}

// What flows is counted with the valve as it stood: a motor that arrives in between is settled at its own time.
void Cjt188Meter::Advance(Moment now) {
  SettleValve(now);
  const int64_t passed_ns = now.mono_ns - last_.mono_ns;
  last_ = now;
  if (passed_ns <= 0 || (config_.fluid.has_valve && !valve_open_)) return;
  const double hours = static_cast<double>(passed_ns) / 3.6e12 * speed_;
  micro_litres_ += static_cast<int64_t>(hours * static_cast<double>(config_.fluid.litres_per_hour) * 1e6);
  milliwatt_seconds_ += static_cast<int64_t>(hours * static_cast<double>(config_.fluid.heat_w) * 3.6e6);
}

void Cjt188Meter::SettleValve(Moment now) {
  if (!valve_moves_at_.has_value() || now.mono_ns < *valve_moves_at_) return;
  const int64_t behind = now.mono_ns - *valve_moves_at_;
  const Moment then{*valve_moves_at_, now.wall_ns - behind};
  valve_moves_at_.reset();
  Advance(then);
  if (faults_.relay_stuck || valve_open_ == valve_target_open_) return;
  valve_open_ = valve_target_open_;
  // An open valve is a closed relay.
  valve_open_ ? ++counts_.relay_closed : ++counts_.relay_opened;
}

int64_t Cjt188Meter::RemainingFen() const {
  const auto used = static_cast<double>(litres() - config_.fluid.start_litres) / 1000.0;
  const auto cost = static_cast<int64_t>(used * config_.price_yuan * 100);
  return std::max<int64_t>(config_.remaining_fen.value_or(0) + bought_fen_ - cost, 0);
}

std::string Cjt188Meter::VolumeId(const char* water, const char* gas) const {
  if (address_.type >= 0x30 && address_.type <= 0x39) return gas;
  std::string id = water;
  if (address_.type == 0x11) id[0] = '9';
  return id;
}

void Cjt188Meter::PutNumber(const std::string& id, int64_t value, size_t bytes, int scale, const std::string& unit,
                            Page* page) const {
  int64_t rest = value;
  for (size_t i = 0; i < bytes; ++i, rest /= 100) page->wire.push_back(ToBcd(static_cast<int>(rest % 100)));
  nlohmann::json field = {{"value", Fixed(value, scale)}, {"unit", unit}};
  page->shown.push_back({{"id", id}, {"fields", nlohmann::json::array({field})}});
}

void Cjt188Meter::PutVolume(const std::string& id, int64_t volume_litres, Page* page) const {
  if (config_.cjt188.litres) {
    PutNumber(id, volume_litres % 100'000'000, 4, 0, "L", page);
    page->wire.push_back(0x29);
  } else {
    PutNumber(id, volume_litres / 10 % 100'000'000, 4, 2, "m3", page);
    page->wire.push_back(0x2C);
  }
}

void Cjt188Meter::PutHeat(const std::string& id, int64_t watt_hours, Page* page) const {
  PutNumber(id, watt_hours / 10 % 100'000'000, 4, 2, "kWh", page);
  page->wire.push_back(0x05);
}

void Cjt188Meter::PutClock(const std::string& id, int64_t seconds, Page* page) const {
  const CivilTime time = SecondsToCivil(seconds);
  std::vector<uint8_t> bytes = {ToBcd(time.second), ToBcd(time.minute),     ToBcd(time.hour),      ToBcd(time.day),
                                ToBcd(time.month),  ToBcd(time.year % 100), ToBcd(time.year / 100)};
  if (config_.cjt188.century_first) std::reverse(bytes.begin(), bytes.end());
  page->wire.insert(page->wire.end(), bytes.begin(), bytes.end());
  page->shown.push_back(ShownText(id, absl::StrFormat("%04d-%02d-%02dT%02d:%02d:%02d", time.year, time.month, time.day,
                                                      time.hour, time.minute, time.second)));
}

std::array<uint8_t, 2> Cjt188Meter::Status() const {
  const bool closed = config_.fluid.has_valve && !valve_open_;
  uint8_t first = 0;
  if (config_.cjt188.mirrored_status) {
    first = static_cast<uint8_t>((closed ? 0x40 : 0) | (config_.fluid.battery_low ? 0x20 : 0));
  } else {
    first = static_cast<uint8_t>((closed ? 0x01 : 0) | (config_.fluid.battery_low ? 0x04 : 0));
  }
  return {first, 0x00};
}

void Cjt188Meter::PutStatus(Page* page) const {
  const auto status = Status();
  page->wire.insert(page->wire.end(), status.begin(), status.end());
  page->shown.push_back(ShownText("0-0:96.3.10", base::ToHex(status)));
}

void Cjt188Meter::ShowMetering(Page* page) {
  const std::string id = VolumeId("8-0:1.0.0", "7-0:3.0.0");
  if (config_.cjt188.short_body) {
    PutNumber(id, litres() / 10 % 100'000'000, 4, 2, "m3", page);
    PutStatus(page);
    return;
  }
  PutVolume(id, litres(), page);
  PutVolume(VolumeId("8-0:1.2.0", "7-0:3.2.0"), config_.fluid.settled_litres, page);
  PutClock("0-0:1.0.0", clock_.ClockSeconds(last_), page);
  PutStatus(page);
}

// 2004: power and flow of 4 bytes, temperatures and hours of 3. 2018: 3, 3, 2 and 4.
void Cjt188Meter::ShowHeat(bool with_cold, Page* page) {
  const bool wide = !config_.cjt188.edition_2018 && !with_cold;
  const ParkFluid& fluid = config_.fluid;
  const bool flows = !fluid.has_valve || valve_open_;
  PutHeat("6-0:1.2.0", fluid.settled_heat_wh, page);
  if (with_cold) PutHeat("5-0:1.2.0", fluid.settled_heat_wh / 10, page);
  const int64_t heat_wh = milliwatt_seconds_ / kMilliwattSecondsPerWh;
  PutHeat("6-0:1.0.0", heat_wh, page);
  if (with_cold) PutHeat("5-0:1.0.0", heat_wh / 10, page);
  PutNumber("6-0:8.0.0", flows ? fluid.heat_w / 10 : 0, wide ? 4 : 3, 2, "kW", page);
  page->wire.push_back(0x17);
  const int64_t flow = flows ? fluid.litres_per_hour : 0;  // 0.001 m3/h.
  const int scale = wide ? 2 : with_cold ? 4 : 3;
  PutNumber("6-0:9.0.0", scale == 2 ? flow / 10 : scale == 3 ? flow : flow * 10, wide ? 4 : 3, scale, "m3/h", page);
  page->wire.push_back(0x35);
  PutNumber("6-0:2.0.0", litres() / 10 % 100'000'000, 4, 2, "m3", page);
  page->wire.push_back(0x2C);
  const size_t narrow = wide ? 3 : 2;
  PutNumber("6-0:10.0.0", fluid.supply_centi_c, narrow, 2, "°C", page);
  PutNumber("6-0:11.0.0", fluid.return_centi_c, narrow, 2, "°C", page);
  if (with_cold) {
    PutNumber("cjt188:supply_pressure", 60, 2, 2, "", page);
    PutNumber("cjt188:return_pressure", 35, 2, 2, "", page);
  }
  PutNumber("0-0:96.8.0", 12'345, wide ? 3 : 4, 0, "h", page);
  PutClock("0-0:1.0.0", clock_.ClockSeconds(last_), page);
  PutStatus(page);
}

// Records end at midnights of the days before today; each day used the same.
void Cjt188Meter::ShowFreeze(uint16_t di, Page* page) {
  const int64_t record = (di & 0xFF) + 1;
  const char* const kind = di >> 8 == 0xD3 ? "cjt188:D3" : "cjt188:D4";
  const auto id = [&](const char* what) { return absl::StrFormat("%s.%s*%d", kind, what, record); };
  const int64_t clock = clock_.ClockSeconds(last_);
  const int64_t midnight = clock - clock % kSecondsPerDay - (record - 1) * kSecondsPerDay;
  PutClock(id("time"), midnight, page);
  PutVolume(id("volume"), config_.fluid.settled_litres * (13 - record) / 13, page);
  PutNumber(id("flow"), config_.fluid.litres_per_hour * 10, 4, 4, "m3/h", page);
  page->wire.push_back(0x35);
  PutNumber(id("temperature"), 1'850, 3, 2, "°C", page);
  PutNumber(id("pressure"), 32, 3, 2, "", page);
}

void Cjt188Meter::ShowPurchase(Page* page) {
  page->wire.push_back(number_);
  nlohmann::json number = {{"value", Fixed(number_, 0)}, {"unit", ""}};
  page->shown.push_back({{"id", "cjt188:purchase_number"}, {"fields", nlohmann::json::array({number})}});
  PutNumber("cjt188:last_amount", last_fen_, 4, 2, "CNY", page);
  PutNumber("cjt188:accumulated_amount", accumulated_fen_, 4, 2, "CNY", page);
  PutNumber("0-0:19.10.0", RemainingFen(), 4, 2, "CNY", page);
  const auto status = Status();
  page->wire.insert(page->wire.end(), status.begin(), status.end());
}

void Cjt188Meter::ShowPrices(Page* page) {
  const std::vector<uint8_t> table(prices_.begin(), prices_.end());
  constexpr const char* kNames[] = {"price1", "step1", "price2", "step2", "price3"};
  for (size_t i = 0; i < std::size(kNames); ++i) {
    const bool price = i % 2 == 0;
    PutNumber(absl::StrFormat("cjt188:%s", kNames[i]), FromPairs(table, 3 * i, 3), 3, price ? 2 : 0,
              price ? "CNY" : "m3", page);
  }
}

bool Cjt188Meter::ServesRead(uint8_t function, uint16_t di) const {
  if (di == 0x810A) return function == kReadAddress;
  if (di == 0x8106) return function == kReadKey;
  return function == kReadData;
}

bool Cjt188Meter::Show(uint16_t di, Page* page) {
  const int64_t record = (di & 0xFF) - (di >> 8 == 0xD1 ? 0x20 : 0) + 1;
  const bool kept = record >= 1 && record <= kFreezes;
  const auto day = [&](uint8_t bcd, const char* id) { PutNumber(id, FromBcd(bcd).value_or(0), 1, 0, "", page); };
  switch (di >> 8) {
    case 0xD1:
      if (!kept) return false;
      if (is_heat()) {
        PutHeat(absl::StrFormat("6-0:1.0.0*%d", record), config_.fluid.settled_heat_wh * (13 - record) / 13, page);
      } else {
        PutVolume(VolumeId("8-0:1.0.0", "7-0:3.0.0") + absl::StrFormat("*%d", record),
                  config_.fluid.settled_litres * (13 - record) / 13, page);
      }
      return true;
    case 0xD2:
      if (!kept) return false;
      if (is_heat()) {
        PutHeat(absl::StrFormat("cjt188:D2.heat*%d", record), config_.fluid.settled_heat_wh * (13 - record) / 13, page);
        PutHeat(absl::StrFormat("cjt188:D2.cold*%d", record), config_.fluid.settled_heat_wh / 10, page);
        PutVolume(absl::StrFormat("cjt188:D2.heat_volume*%d", record), config_.fluid.settled_litres, page);
      } else {
        PutVolume(absl::StrFormat("cjt188:D2.volume*%d", record), config_.fluid.settled_litres * (13 - record) / 13,
                  page);
      }
      return true;
    case 0xD3:
    case 0xD4:
      if (!kept || is_heat()) return false;
      ShowFreeze(di, page);
      return true;
    default:
      break;
  }
  switch (di) {
    case 0x901F:
      is_heat() ? ShowHeat(/*with_cold=*/false, page) : ShowMetering(page);
      return true;
    case 0x911F:
      if (address_.type != 0x22) return false;
      ShowHeat(/*with_cold=*/true, page);
      return true;
    case 0x907F:
      PutClock("cjt188:clock", clock_.ClockSeconds(last_), page);
      return true;
    case 0x8102:
      ShowPrices(page);
      return true;
    case 0x8103:
      day(settlement_day_, "cjt188:settlement_day");
      return true;
    case 0x8104:
      day(reading_day_, "cjt188:reading_day");
      return true;
    case 0x8105:
      if (!config_.remaining_fen.has_value()) return false;
      ShowPurchase(page);
      return true;
    case 0x8106: {
      page->wire.push_back(key_version_);
      nlohmann::json version = {{"value", Fixed(key_version_, 0)}, {"unit", ""}};
      page->shown.push_back({{"id", "cjt188:key_version"}, {"fields", nlohmann::json::array({version})}});
      return true;
    }
    case 0x810A:
      page->shown.push_back(ShownText("0-0:96.1.0", Cjt188AddressText(address_).substr(2)));
      return true;
    default:
      return false;
  }
}

bool Cjt188Meter::SetClock(const std::vector<uint8_t>& body) {
  if (body.size() != 7) return false;
  std::array<int, 7> part = {};
  for (size_t i = 0; i < part.size(); ++i) {
    const auto pair = FromBcd(body[i]);
    if (!pair.has_value()) return false;
    part[i] = *pair;
  }
  if (part[0] > 59 || part[1] > 59 || part[2] > 23 || part[3] < 1 || part[3] > 31 || part[4] < 1 || part[4] > 12) {
    return false;
  }
  clock_.SetClock(CivilToSeconds({part[6] * 100 + part[5], part[4], part[3], part[2], part[1], part[0]}), last_);
  ++counts_.clock_set;
  return true;
}

// The next number buys; the same number with the same amount is confirmed again and buys nothing; all else is refused.
std::optional<std::vector<uint8_t>> Cjt188Meter::Purchase(const std::vector<uint8_t>& body) {
  if (body.size() != 5 || !config_.remaining_fen.has_value()) return std::nullopt;
  const int64_t fen = FromPairs(body, 1, 4);
  if (body[0] == number_ && fen == last_fen_) return body;
  if (body[0] != static_cast<uint8_t>(number_ + 1) || fen == 0) return std::nullopt;
  number_ = body[0];
  last_fen_ = fen;
  accumulated_fen_ += fen;
  bought_fen_ += fen;
  return body;
}

std::optional<std::vector<uint8_t>> Cjt188Meter::MoveValve(uint8_t action) {
  const bool query = action == 0x00 && config_.cjt188.answers_query;
  if (!query) {
    ++counts_.relay_commands;
    const bool opens = action == 0x55 || action == 0x66, closes = action == 0x99 || action == 0x77;
    if (!config_.fluid.has_valve || (!opens && !closes)) return std::nullopt;
    valve_target_open_ = opens;
    valve_moves_at_ = last_.mono_ns + config_.relay_delay_ms * kNsPerMs;
    SettleValve(last_);
  }
  const auto status = Status();
  return std::vector<uint8_t>(status.begin(), status.end());
}

std::optional<std::vector<uint8_t>> Cjt188Meter::Write(uint8_t function, uint16_t di,
                                                       const std::vector<uint8_t>& body) {
  const std::vector<uint8_t> done;
  const auto status = Status();
  const std::vector<uint8_t> with_status(status.begin(), status.end());
  if (di == 0xA016) {
    if (function != kWriteBase || !factory_state_ || (body.size() != 4 && body.size() != 5)) return std::nullopt;
    const bool whole_litres = body.size() == 5 && body[4] == 0x29;
    micro_litres_ = FromPairs(body, 0, 4) * (whole_litres ? 1 : 10) * kMicrolitresPerLitre;
    return with_status;
  }
  if (di == 0xA018) {
    if (function != kWriteAddress || !factory_state_ || body.size() != 7) return std::nullopt;
    std::copy(body.begin(), body.end(), address_.wire.begin());
    return done;
  }
  if (function != kWriteData) return std::nullopt;
  switch (di) {
    case 0xA010:
      if (body.size() != prices_.size()) return std::nullopt;
      std::copy(body.begin(), body.end(), prices_.begin());
      return with_status;
    case 0xA011:
    case 0xA012:
      if (body.size() != 1) return std::nullopt;
      (di == 0xA011 ? settlement_day_ : reading_day_) = body[0];
      return done;
    case 0xA013:
      return Purchase(body);
    case 0xA014:
      if (body.size() != 9) return std::nullopt;
      key_version_ = body[0];
      return std::vector<uint8_t>{key_version_};
    case 0xA015:
      return SetClock(body) ? std::optional(done) : std::nullopt;
    case 0xA017:
      return body.size() == 1 ? MoveValve(body[0]) : std::nullopt;
    case 0xA019:
      factory_state_ = false;
      return done;
    default:
      return std::nullopt;
  }
}

size_t Cjt188Meter::Hear(Bytes frame, Moment now, std::span<uint8_t, kMaxAnswer> out) {
  const Cjt188Request request = TakeCjt188(frame);
  const bool broadcast = IsCjt188Broadcast(request.address);
  if (!broadcast && !Cjt188Matches(request.address, address_)) return 0;
  if ((request.control & kReplyBit) != 0 || request.data.size() < 3) return 0;
  ++counts_.requests;
  Advance(now);
  const uint8_t first = request.data[0], second = request.data[1];
  // Identifiers end in F, or begin with 8, A or D; the byte that does so is the high one.
  const auto is_high = [](uint8_t byte) {
    return byte >> 4 == 0x8 || byte >> 4 == 0x9 || byte >> 4 == 0xA || byte >> 4 == 0xD;
  };
  const bool low_first = is_high(second);
  const uint16_t di = WireDi(first, second, low_first);
  const uint8_t sequence =
      config_.cjt188.fixed_sequence < 0 ? request.data[2] : static_cast<uint8_t>(config_.cjt188.fixed_sequence);
  const std::vector<uint8_t> body(request.data.begin() + 3, request.data.end());
  const bool writes = di >> 12 == 0xA;
  std::optional<std::vector<uint8_t>> answer;
  if (writes) {
    answer = Write(request.control, di, body);
  } else if (ServesRead(request.control, di)) {
    Page page;
    if (Show(di, &page)) answer = page.wire;
  }
  if (broadcast) return 0;
  std::vector<uint8_t> data;
  if (!answer.has_value()) {
    ++counts_.errors_served;
    const auto status = Status();
    data = {sequence, status[0], status[1]};
    return BuildCjt188(address_, request.control | kAbnormal, data, out.data());
  }
  ++counts_.reads_served;
  data = {first, second, sequence};
  data.insert(data.end(), answer->begin(), answer->end());
  return BuildCjt188(address_, request.control | kReplyBit, data, out.data());
}

nlohmann::json Cjt188Meter::Truth(Moment now) {
  Advance(now);
  nlohmann::json out = CommonTruth();
  out["kind"] = "live";
  out["address"] = Cjt188AddressText(address_);
  out["litres"] = litres();
  out["heat_wh"] = milliwatt_seconds_ / kMilliwattSecondsPerWh;
  out["valve"] = {{"open", valve_open_}, {"commanded_open", valve_target_open_}};
  out["relay"] = {{"open", !valve_open_}};
  out["purchase"] = {{"number", number_},
                     {"last_fen", last_fen_},
                     {"accumulated_fen", accumulated_fen_},
                     {"remaining_fen", RemainingFen()}};
  out["key_version"] = key_version_;
  out["factory_state"] = factory_state_;
  return out;
}

nlohmann::json Cjt188Meter::Registers(Moment now) {
  Advance(now);
  nlohmann::json out = nlohmann::json::array();
  std::vector<uint16_t> identifiers = {0x901F, 0x911F, 0x907F, 0x8102, 0x8103, 0x8104, 0x8105, 0x8106, 0x810A};
  for (const int base : {0xD120, 0xD200, 0xD300, 0xD400}) {
    for (int i = 0; i < kFreezes; ++i) identifiers.push_back(static_cast<uint16_t>(base + i));
  }
  std::set<std::string> seen;  // A quantity of several bodies is that of the first.
  for (const uint16_t di : identifiers) {
    Page page;
    if (!Show(di, &page)) continue;
    for (nlohmann::json& one : page.shown) {
      if (!seen.insert(one["id"]).second) continue;
      one["di"] = absl::StrFormat("%04X", di);
      out.push_back(std::move(one));
    }
  }
  return out;
}

std::unique_ptr<Cutter> MakeCjt188Cutter() { return std::make_unique<Cjt188Cutter>(); }

bool IsCjt188MeterAddress(absl::string_view text) {
  Cjt188Address address;
  return ParseCjt188Address(text, &address) && address.type != 0xAA && !IsCjt188Broadcast(address) &&
         std::find(address.wire.begin(), address.wire.end(), 0xAA) == address.wire.end();
}

void ReadCjt188Fields(ObjectReader& fields, ParkMeter* meter) {
  ParkCjt188& own = meter->cjt188;
  own.litres = fields.Flag("litres", false);
  own.short_body = fields.Flag("short_body", false);
  own.edition_2018 = fields.Flag("edition_2018", false);
  own.mirrored_status = fields.Flag("mirrored_status", false);
  own.answers_query = fields.Flag("answers_query", false);
  own.century_first = fields.Flag("century_first", false);
  own.fixed_sequence = static_cast<int>(fields.Int("fixed_sequence", -1, -1, 255));
  own.purchase_number = static_cast<uint8_t>(fields.Int("purchase_number", 0, 0, 255));
  own.last_fen = fields.Decimal("last_purchase_yuan", 0, 2, 99'999'999);
  own.accumulated_fen = fields.Decimal("accumulated_yuan", 0, 2, 99'999'999);
}

void WriteCjt188Fields(const ParkMeter& meter, nlohmann::json* out) {
  const ParkCjt188& own = meter.cjt188;
  (*out)["litres"] = own.litres;
  (*out)["short_body"] = own.short_body;
  (*out)["edition_2018"] = own.edition_2018;
  (*out)["mirrored_status"] = own.mirrored_status;
  (*out)["answers_query"] = own.answers_query;
  (*out)["century_first"] = own.century_first;
  (*out)["fixed_sequence"] = own.fixed_sequence;
  (*out)["purchase_number"] = own.purchase_number;
  (*out)["last_purchase_yuan"] = Fixed(own.last_fen, 2);
  (*out)["accumulated_yuan"] = Fixed(own.accumulated_fen, 2);
}

}  // namespace voltwell::field_sim
