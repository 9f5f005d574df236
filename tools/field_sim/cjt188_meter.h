// A live CJ/T 188 meter: water, gas or heat. Volume grows while its valve is open, the valve moves by a motor,
// purchases are taken in their order. Identifiers are heard in either byte order and answered in the one that was
// asked. Shares nothing with libs/codec.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/field_sim/cjt188_frame.h"
#include "tools/field_sim/device.h"

namespace voltwell::field_sim {

class Cjt188Meter : public Device {
 public:
  Cjt188Meter(const ParkMeter& config, const LoadSettings& settings, Moment start);

  size_t Hear(Bytes frame, Moment now, std::span<uint8_t, kMaxAnswer> out) override;
  nlohmann::json Truth(Moment now) override;
  nlohmann::json Registers(Moment now) override;

 private:
  // The body of an answer, and what it means.
  struct Page {
    std::vector<uint8_t> wire;
    nlohmann::json shown = nlohmann::json::array();  // {"id", "fields": [...]}
  };
  struct Answered {
    uint8_t control = 0;
    std::vector<uint8_t> data;
  };

  void Advance(Moment now);
  void SettleValve(Moment now);
  bool ServesRead(uint8_t function, uint16_t di) const;
  // False: this meter does not have it.
  bool Show(uint16_t di, Page* page);
  void ShowMetering(Page* page);
  void ShowHeat(bool with_cold, Page* page);
  void ShowFreeze(uint16_t di, Page* page);
  void ShowPurchase(Page* page);
  void ShowPrices(Page* page);
  // The bytes behind the identifier and sequence of a good answer; nothing: refused.
  std::optional<std::vector<uint8_t>> Write(uint8_t function, uint16_t di, const std::vector<uint8_t>& body);
  std::optional<std::vector<uint8_t>> Purchase(const std::vector<uint8_t>& body);
  std::optional<std::vector<uint8_t>> MoveValve(uint8_t action);
  bool SetClock(const std::vector<uint8_t>& body);

  void PutNumber(const std::string& id, int64_t value, size_t bytes, int scale, const std::string& unit,
                 Page* page) const;
  void PutVolume(const std::string& id, int64_t litres, Page* page) const;
  void PutHeat(const std::string& id, int64_t watt_hours, Page* page) const;
  void PutClock(const std::string& id, int64_t seconds, Page* page) const;
  void PutStatus(Page* page) const;
  std::array<uint8_t, 2> Status() const;
  std::string VolumeId(const char* water, const char* gas) const;
  bool is_heat() const { return address_.type >= 0x20 && address_.type <= 0x29; }
  int64_t litres() const { return micro_litres_ / 1'000'000; }
  int64_t RemainingFen() const;

  Load clock_;
  Cjt188Address address_;
  double speed_;
  Moment last_;
  int64_t micro_litres_;
  int64_t milliwatt_seconds_;
  bool valve_open_ = true, valve_target_open_ = true;
  std::optional<int64_t> valve_moves_at_;
  uint8_t number_;
  int64_t last_fen_, accumulated_fen_, bought_fen_ = 0;
  std::array<uint8_t, 16> prices_ = {0x50, 0x02, 0x00, 0x20, 0x00, 0x00, 0x75, 0x03,
                                     0x00, 0x30, 0x00, 0x00, 0x00, 0x06, 0x00, 0x01};
  uint8_t settlement_day_ = 0x25, reading_day_ = 0x26;
  uint8_t key_version_ = 0;
  bool factory_state_ = true;
};

// For the row of dialect.cpp.
std::unique_ptr<Cutter> MakeCjt188Cutter();
bool IsCjt188MeterAddress(absl::string_view text);
void ReadCjt188Fields(ObjectReader& fields, ParkMeter* meter);
void WriteCjt188Fields(const ParkMeter& meter, nlohmann::json* out);

}  // namespace voltwell::field_sim
