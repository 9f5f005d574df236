#include "tools/field_sim/load.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace voltwell::field_sim {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr int64_t kNsPerHour = 3600 * kNsPerSecond;
constexpr int64_t kMicrojoulePerCentiKwh = 36'000'000'000;  // 0.01 kWh is 36 kJ.
constexpr int64_t kRegisterWraps = 100'000'000;             // 999999.99 kWh, then 0.

// The share of each phase; they are unequal on purpose, so that a mix-up of phases shows.
constexpr std::array<int64_t, 3> kPhaseShares = {30, 33, 37};

double Slow(Moment now, double period_s, double phase) {
  return std::sin(static_cast<double>(now.mono_ns) * 1e-9 / period_s * 2 * std::numbers::pi + phase);
}

// Tariff 1 sharp, 2 peak, 3 flat, 4 valley, by the meter's own clock.
int TariffOfHour(int64_t hour) {
  if (hour < 8 || hour >= 22) return 4;
  if (hour >= 19 && hour < 21) return 1;
  if (hour < 12 || (hour >= 17 && hour < 19)) return 2;
  return 3;
}

int64_t FloorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

}  // namespace

// Howard Hinnant's civil calendar algorithms.
int64_t CivilToSeconds(const CivilTime& time) {
  const int64_t year = time.year - (time.month <= 2 ? 1 : 0);
  const int64_t era = FloorDiv(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (time.month + (time.month > 2 ? -3 : 9)) + 2) / 5 + time.day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  const int64_t days = era * 146'097 + day_of_era - 719'468;
  return days * 86'400 + time.hour * 3600 + time.minute * 60 + time.second;
}

CivilTime SecondsToCivil(int64_t seconds) {
  const int64_t all_days = FloorDiv(seconds, 86'400);
  const int64_t rest = seconds - all_days * 86'400;
  const int64_t days = all_days + 719'468;
  const int64_t era = FloorDiv(days, 146'097);
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted = (5 * day_of_year + 2) / 153;
  CivilTime out;
  out.day = static_cast<int>(day_of_year - (153 * shifted + 2) / 5 + 1);
  out.month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
  out.year = static_cast<int>(year_of_era + era * 400 + (out.month <= 2 ? 1 : 0));
  out.hour = static_cast<int>(rest / 3600);
  out.minute = static_cast<int>(rest / 60 % 60);
  out.second = static_cast<int>(rest % 60);
  out.weekday = static_cast<int>(((all_days + 4) % 7 + 7) % 7);
  return out;
}

Load::Load(const ParkMeter& meter, const LoadSettings& settings, Moment start)
    : phases_(meter.phases),
      power_dw_(meter.power_w * 10),
      voltage_dv_(meter.voltage_dv),
      phase_(Random(settings.seed ^ meter.address).Unit() * 2 * std::numbers::pi),
      energy_speed_(settings.energy_speed),
      sway_(settings.steady ? 0 : 1),
      start_centi_kwh_(meter.forward_centi_kwh),
      reverse_centi_kwh_(meter.reverse_centi_kwh),
      prepaid_(meter.remaining_fen.has_value()),
      start_fen_(meter.remaining_fen.value_or(0)),
      price_yuan_(meter.price_yuan),
      start_(start),
      last_(start),
      clock_offset_ns_((settings.clock_zone_minutes * 60 + meter.clock_offset_s) * kNsPerSecond),
      clock_set_mono_ns_(start.mono_ns),
      drift_ppm_(meter.clock_drift_ppm) {
  for (size_t i = 0; i < energy_uj_.size(); ++i) energy_uj_[i] = start_centi_kwh_[i] * kMicrojoulePerCentiKwh;
}

int64_t Load::PowerDw(Moment now) const {
  if (relay_open_) return 0;
  return std::llround(static_cast<double>(power_dw_) * (1 + 0.2 * sway_ * Slow(now, 601, phase_)));
}

void Load::Advance(Moment now) {
  while (last_.mono_ns < now.mono_ns) {
    // Not beyond the end of the meter's hour, where the tariff may change.
    const int64_t clock_ns = ClockSeconds(last_) * kNsPerSecond;
    const int64_t to_next_hour = kNsPerHour - (clock_ns % kNsPerHour + kNsPerHour) % kNsPerHour;
    const int64_t step = std::min(now.mono_ns - last_.mono_ns, to_next_hour);
    const Moment middle{last_.mono_ns + step / 2, last_.wall_ns + step / 2};
    // 0.1 W x ns = 1e-10 J = 1e-4 uJ. An hour of 80 kW is 2.9e18: it fits.
    const int64_t grown = PowerDw(middle) * step / 10'000;
    energy_uj_[static_cast<size_t>(CurrentTariff(last_) - 1)] +=
        energy_speed_ == 1 ? grown : std::llround(static_cast<double>(grown) * energy_speed_);
    last_.mono_ns += step;
    last_.wall_ns += step;
  }
  last_.wall_ns = now.wall_ns;
}

Quantities Load::Now(Moment now) const {
  Quantities out;
  const int64_t power = PowerDw(now);
  double apparent_total = 0;
  for (int i = 0; i < phases_; ++i) {
    const auto p = static_cast<size_t>(i);
    const double shift = phase_ + i * 2 * std::numbers::pi / 3;
    out.voltage_dv[p] = voltage_dv_ + std::llround(25 * sway_ * Slow(now, 307, shift));
    out.active_dw[p] = phases_ == 1 ? power : power * kPhaseShares[p] / 100;
    const double factor = 0.95 + 0.03 * sway_ * Slow(now, 907, shift);
    out.power_factor_milli[p] = std::llround(factor * 1000);
    const double apparent = static_cast<double>(out.active_dw[p]) / factor;
    apparent_total += apparent;
    out.apparent_dva[p] = std::llround(apparent);
    out.reactive_dvar[p] = std::llround(apparent * std::sqrt(1 - factor * factor));
    out.current_ma[p] = std::llround(apparent * 1000 / static_cast<double>(out.voltage_dv[p]));
    out.angle_tenths[p] = std::llround(std::acos(factor) * 1800 / std::numbers::pi);
  }
  const auto active_total = static_cast<double>(Quantities::Sum(out.active_dw));
  out.power_factor_total_milli = apparent_total > 0 ? std::llround(active_total / apparent_total * 1000) : 1000;
  out.frequency_centi_hz = 5000 + std::llround(3 * sway_ * Slow(now, 83, phase_));
  out.temperature_tenths = 250 + std::llround(40 * sway_ * Slow(now, 3607, phase_));
  return out;
}

int64_t Load::ForwardCentiKwh(int tariff, int history) const {
  if (tariff == 0) {
    int64_t sum = 0;
    for (int t = 1; t <= 4; ++t) sum += ForwardCentiKwh(t, history);
    return sum % kRegisterWraps;
  }
  const auto index = static_cast<size_t>(tariff - 1);
  if (history == 0) return energy_uj_[index] / kMicrojoulePerCentiKwh % kRegisterWraps;
  // Settlement days lie before our start: the energy grew evenly over thirteen months until then.
  return start_centi_kwh_[index] * (13 - history) / 13;
}

int64_t Load::ReverseCentiKwh(int tariff, int history) const {
  // All of it in the flat tariff; nothing feeds back while we run.
  if (tariff != 0 && tariff != 3) return 0;
  return reverse_centi_kwh_ * (13 - history) / 13;
}

int64_t Load::BalanceFen() const {
  int64_t used_uj = 0;
  for (size_t i = 0; i < energy_uj_.size(); ++i)
    used_uj += energy_uj_[i] - start_centi_kwh_[i] * kMicrojoulePerCentiKwh;
  const double kwh = static_cast<double>(used_uj) / (100.0 * static_cast<double>(kMicrojoulePerCentiKwh));
  return start_fen_ - static_cast<int64_t>(kwh * price_yuan_ * 100);
}

int64_t Load::RemainingFen() const { return std::max<int64_t>(BalanceFen(), 0); }
int64_t Load::OverdraftFen() const { return std::max<int64_t>(-BalanceFen(), 0); }

int64_t Load::ClockSeconds(Moment now) const {
  const int64_t drift_ns = (now.mono_ns - clock_set_mono_ns_) / 1'000'000 * drift_ppm_;
  return FloorDiv(now.wall_ns + clock_offset_ns_ + drift_ns, kNsPerSecond);
}

void Load::SetClock(int64_t clock_seconds, Moment now) {
  clock_offset_ns_ = clock_seconds * kNsPerSecond - now.wall_ns;
  clock_set_mono_ns_ = now.mono_ns;
}

int Load::CurrentTariff(Moment now) const { return TariffOfHour(FloorDiv(ClockSeconds(now), 3600) % 24); }

}  // namespace voltwell::field_sim
