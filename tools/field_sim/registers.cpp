// The registers of a live meter: which data a DI names, and how it looks on the wire.
#include <algorithm>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/field_sim/meter.h"

namespace voltwell::field_sim {
namespace {

constexpr int kTariffs = 4;
constexpr int kSettlementDays = 12;
constexpr uint8_t kBlock = 0xFF;

uint8_t Byte(uint32_t di, int index) { return static_cast<uint8_t>(di >> (8 * index)); }

// Sent last character first, padded with zeros.
void PutAscii(absl::string_view text, size_t size, Reply* reply) {
  for (size_t i = size; i > 0; --i) reply->Put(i <= text.size() ? static_cast<uint8_t>(text[i - 1]) : uint8_t{0});
}

void PutWord(uint16_t word, Reply* reply) {
  reply->Put(static_cast<uint8_t>(word));
  reply->Put(static_cast<uint8_t>(word >> 8));
}

// A quantity that has phases and perhaps a total: total is DI1 00, phases are 01 to 03, FF is all of them.
struct Phased {
  std::array<int64_t, 3> values;
  int64_t total;
  bool has_total;
  size_t bytes;
};

// A phase that a single-phase meter does not have is FF in a block, and no such data on its own.
bool PutPhased(const Phased& quantity, int phases, uint8_t which, Reply* reply) {
  const auto missing = [&] {
    for (size_t i = 0; i < quantity.bytes; ++i) reply->Put(uint8_t{0xFF});
  };
  if (which == kBlock) {
    if (quantity.has_total) reply->PutBcd(quantity.total, quantity.bytes);
    for (int p = 0; p < 3; ++p) {
      p < phases ? reply->PutBcd(quantity.values[static_cast<size_t>(p)], quantity.bytes) : missing();
    }
    return true;
  }
  if (which == 0 && quantity.has_total) {
    reply->PutBcd(quantity.total, quantity.bytes);
    return true;
  }
  if (which < 1 || which > phases) return false;
  reply->PutBcd(quantity.values[which - 1U], quantity.bytes);
  return true;
}

}  // namespace

// Quantities: 0 combined (the sum of both directions, the usual combination word 05), 1 forward, 2 reverse, 3 and 4
// combined reactive (a fifth of the active energy, and nothing).
int64_t Meter::EnergyOf(int quantity, int tariff, int history) const {
  switch (quantity) {
    case 0:
      return load_.ForwardCentiKwh(tariff, history) + load_.ReverseCentiKwh(tariff, history);
    case 1:
      return load_.ForwardCentiKwh(tariff, history);
    case 2:
      return load_.ReverseCentiKwh(tariff, history);
    case 3:
      return load_.ForwardCentiKwh(tariff, history) / 5;
    default:
      return 0;
  }
}

bool Meter::WriteEnergy(uint32_t di, Reply* reply) {
  const uint8_t quantity = Byte(di, 2), tariff = Byte(di, 1), history = Byte(di, 0);
  if (quantity == 0x90) {
    if (tariff != 0x02 || history > 1 || !load_.prepaid()) return false;
    reply->PutBcd(history == 0 ? load_.RemainingFen() : load_.OverdraftFen(), 4);
    return true;
  }
  if (quantity > 4) return false;
  if (tariff != kBlock && tariff > kTariffs) return false;
  if (history != kBlock && history > kSettlementDays) return false;
  const int last_tariff = tariff == kBlock ? kTariffs : tariff;
  const int last_history = history == kBlock ? kSettlementDays : history;
  for (int h = history == kBlock ? 0 : history; h <= last_history; ++h) {
    for (int t = tariff == kBlock ? 0 : tariff; t <= last_tariff; ++t) reply->PutBcd(EnergyOf(quantity, t, h), 4);
  }
  return true;
}

bool Meter::WriteVariable(uint32_t di, Moment now, Reply* reply) {
  const Quantities q = load_.Now(now);
  const uint8_t item = Byte(di, 2), which = Byte(di, 1);
  if (item == 0x80 && which == 0) {
    switch (Byte(di, 0)) {
      case 0x01:
        reply->PutBcd(0, 3);
        return true;  // Neutral current.
      case 0x02:
        reply->PutBcd(q.frequency_centi_hz, 2);
        return true;
      case 0x03:
      case 0x04:
        reply->PutBcd(Quantities::Sum(q.active_dw), 3);
        return true;
      case 0x07:
        reply->PutBcd(q.temperature_tenths, 2);
        return true;
      case 0x08:
        reply->PutBcd(365, 2);
        return true;  // Clock battery, 3.65 V.
      default:
        return false;
    }
  }
  if (Byte(di, 0) != 0) return false;
  const auto put = [&](const std::array<int64_t, 3>& values, int64_t total, bool has_total, size_t bytes) {
    return PutPhased({values, total, has_total, bytes}, load_.phases(), which, reply);
  };
  switch (item) {
    case 0x01:
      return put(q.voltage_dv, 0, false, 2);
    case 0x02:
      return put(q.current_ma, 0, false, 3);
    case 0x03:
      return put(q.active_dw, Quantities::Sum(q.active_dw), true, 3);
    case 0x04:
      return put(q.reactive_dvar, Quantities::Sum(q.reactive_dvar), true, 3);
    case 0x05:
      return put(q.apparent_dva, Quantities::Sum(q.apparent_dva), true, 3);
    case 0x06:
      return put(q.power_factor_milli, q.power_factor_total_milli, true, 2);
    case 0x07:
      return put(q.angle_tenths, 0, false, 2);
    default:
      return false;
  }
}

void Meter::WriteClock(uint32_t di, Moment now, Reply* reply) {
  const CivilTime time = SecondsToCivil(load_.ClockSeconds(now));
  const auto put_time = [&] {
    for (const int part : {time.second, time.minute, time.hour}) reply->Put(ToBcd(part));
  };
  const auto put_date = [&] {
    for (const int part : {time.weekday, time.day, time.month, time.year % 100}) reply->Put(ToBcd(part));
  };
  // 0400010C is YYMMDDWWhhmmss: read from the right, as each field goes lowest first.
  if (di != 0x04000101) put_time();
  if (di != 0x04000102) put_date();
}

// Bit 4 is the relay, bit 6 its command; both are set when supply is cut.
uint16_t Meter::StatusWord3() const {
  uint16_t word = 0;
  if (load_.relay_open()) word |= 1U << 4;
  if (relay_commanded_open_) word |= 1U << 6;
  if (alarm_) word |= 1U << 7;
  if (load_.prepaid()) word |= 2U << 8;  // Money prepaid.
  if (keep_power_) word |= 1U << 12;
  return word;
}

bool Meter::WriteParameter(uint32_t di, Moment now, Reply* reply) {
  switch (di) {
    case 0x04000101:
    case 0x04000102:
    case 0x0400010C:
      WriteClock(di, now, reply);
      return true;
    case 0x04000103:
      reply->PutBcd(15, 1);
      return true;
    case 0x04000204:
      reply->PutBcd(kTariffs, 1);
      return true;
    case 0x04000306:
    case 0x04000307:
      reply->PutBcd(1, 3);
      return true;
    case 0x04000401:
    case 0x04000402:
      reply->PutDi(static_cast<uint32_t>(config_.address));
      PutWord(static_cast<uint16_t>(config_.address >> 32), reply);
      return true;
    case 0x04000404:
      PutAscii("220V", 6, reply);
      return true;
    case 0x04000409:
      reply->PutBcd(1200, 3);
      return true;  // Pulses per kWh.
    case 0x0400040B:
      PutAscii("VW-SIM", 10, reply);
      return true;
    case 0x0400040D:
      PutAscii("DL/T645-2007", 16, reply);
      return true;
    case 0x04000503:
      PutWord(StatusWord3(), reply);
      return true;
    case 0x040005FF:
      for (int word = 1; word <= 7; ++word) PutWord(word == 3 ? StatusWord3() : uint16_t{0}, reply);
      return true;
    default:
      break;
  }
  if (di >= 0x04000501 && di <= 0x04000507) {
    PutWord(0, reply);
    return true;
  }
  return false;
}

bool Meter::WriteRegister(uint32_t di, Moment now, Reply* reply) {
  switch (Byte(di, 3)) {
    case 0x00:
      return WriteEnergy(di, reply);
    case 0x02:
      return WriteVariable(di, now, reply);
    case 0x04:
      return WriteParameter(di, now, reply);
    case 0x1D:
    case 0x1E:
      if ((di & 0xFFFFFF) != 1) return false;
      reply->PutBcd(static_cast<int64_t>(Byte(di, 3) == 0x1D ? counts_.relay_opened : counts_.relay_closed), 3);
      return true;
    default:
      return false;
  }
}

// Blocks longer than one frame, so that the road of follow-up frames can be walked: all tariffs of all settlement days
// (260 bytes: two frames), and the record of the day tables' last programming (682 bytes: four frames).
bool Meter::FillLongBlock(uint32_t di, Moment now) {
  const bool energies = Byte(di, 3) == 0 && Byte(di, 2) <= 4 && (di & 0xFFFF) == 0xFFFF;
  if (!energies && di != 0x03300501) return false;
  long_di_ = di;
  long_block_.clear();
  const auto append = [&](const Reply& part) {
    long_block_.insert(long_block_.end(), part.data.begin(),
                       part.data.begin() + static_cast<std::ptrdiff_t>(part.size));
  };
  if (energies) {
    for (uint32_t history = 0; history <= kSettlementDays; ++history) {
      Reply part;
      WriteEnergy((di & 0xFFFFFF00) | history, &part);
      append(part);
    }
    return true;
  }
  Reply head;
  WriteClock(0x04000102, now, &head);
  const CivilTime time = SecondsToCivil(load_.ClockSeconds(now));
  for (const int part : {time.day, time.month, time.year % 100}) head.Put(ToBcd(part));
  head.PutDi(config_.operator_code.value_or(0));
  append(head);
  // Two sets of eight tables of fourteen periods: tariff number, minute, hour.
  for (int period = 0; period < 2 * 8 * 14; ++period) {
    Reply row;
    for (const int part : {period % kTariffs + 1, period % 2 * 30, period % 24}) row.Put(ToBcd(part));
    append(row);
  }
  return true;
}

}  // namespace voltwell::field_sim
