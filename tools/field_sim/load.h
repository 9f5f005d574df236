// The electricity behind one meter: power that varies slowly, energy that grows with it, a relay that stops it, and a
// clock that drifts. Integers where a register shows them, so that phases sum to totals to the last digit.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

// mono_ns never goes back and makes energy grow; wall_ns is UTC and is what the meter's clock was once set by.
struct Moment {
  int64_t mono_ns = 0;
  int64_t wall_ns = 0;
};

// What the meter shows at one moment. Index 0 to 2 are phases A to C.
struct Quantities {
  std::array<int64_t, 3> voltage_dv = {};     // 0.1 V
  std::array<int64_t, 3> current_ma = {};     // 0.001 A
  std::array<int64_t, 3> active_dw = {};      // 0.1 W
  std::array<int64_t, 3> reactive_dvar = {};  // 0.1 var
  std::array<int64_t, 3> apparent_dva = {};   // 0.1 VA
  std::array<int64_t, 3> power_factor_milli = {};
  std::array<int64_t, 3> angle_tenths = {};  // 0.1 degree
  int64_t power_factor_total_milli = 0;
  int64_t frequency_centi_hz = 0;
  int64_t temperature_tenths = 0;  // 0.1 degree Celsius

  static int64_t Sum(const std::array<int64_t, 3>& phases) { return phases[0] + phases[1] + phases[2]; }
};

struct CivilTime {
  int year = 2000, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  int weekday = 6;  // 0 is Sunday.
};

int64_t CivilToSeconds(const CivilTime& time);
CivilTime SecondsToCivil(int64_t seconds);

struct LoadSettings {
  uint64_t seed = 1;
  int clock_zone_minutes = 480;
  double energy_speed = 1;
  bool steady = false;
};

class Load {
 public:
  Load(const ParkMeter& meter, const LoadSettings& settings, Moment start);

  // Brings the energy up to now; call before reading anything.
  void Advance(Moment now);
  void SetRelayOpen(bool open) { relay_open_ = open; }
  bool relay_open() const { return relay_open_; }

  Quantities Now(Moment now) const;
  // Tariff 1 to 4, or 0 for their sum; history 0 is now, 1 to 12 past settlement days. In 0.01 kWh.
  int64_t ForwardCentiKwh(int tariff, int history) const;
  int64_t ReverseCentiKwh(int tariff, int history) const;
  int64_t RemainingFen() const;
  int64_t OverdraftFen() const;
  void AddFen(int64_t fen) { start_fen_ += fen; }

  // Seconds since 1970 of the meter's own local clock.
  int64_t ClockSeconds(Moment now) const;
  void SetClock(int64_t clock_seconds, Moment now);
  int CurrentTariff(Moment now) const;
  int phases() const { return phases_; }
  bool prepaid() const { return prepaid_; }

 private:
  int64_t PowerDw(Moment now) const;
  int64_t BalanceFen() const;

  int phases_;
  int64_t power_dw_, voltage_dv_;
  double phase_;  // Where in the slow variation this meter stands, in radians.
  double energy_speed_;
  double sway_;  // 1; 0 when nothing varies.
  std::array<int64_t, 4> start_centi_kwh_;
  std::array<int64_t, 4> energy_uj_;  // Forward, in 0.000001 J: fine enough for any step.
  int64_t reverse_centi_kwh_;
  bool prepaid_;
  int64_t start_fen_;
  double price_yuan_;
  bool relay_open_ = false;
  Moment start_, last_;
  int64_t clock_offset_ns_;  // Of the meter's clock against UTC, at the moment it was last set.
  int64_t clock_set_mono_ns_;
  int64_t drift_ppm_;
};

}  // namespace voltwell::field_sim
