// A live M-Bus meter (EN 13757): water, heat, gas. Answers at its primary address and, once selected, at FDH; keeps the
// frame count bit, so that a readout of several telegrams goes on only when the master toggles it; its valve is the
// digital output FD 1AH. Written on its own; shares nothing with libs/codec.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/field_sim/device.h"
#include "tools/field_sim/dialect.h"

namespace voltwell::field_sim {

// Who a meter is on the link layer.
struct MbusIdentity {
  uint8_t primary = 0;
  uint32_t id = 0;  // Eight digits, the first in the highest nibble.
  uint16_t manufacturer = 0;
  uint8_t version = 1;
  uint8_t medium = 0;
};

class MbusMeter : public Device {
 public:
  MbusMeter(const ParkMeter& config, const LoadSettings& settings, Moment start);

  size_t Hear(Bytes frame, Moment now, std::span<uint8_t, kMaxAnswer> out) override;
  nlohmann::json Truth(Moment now) override;
  nlohmann::json Registers(Moment now) override;

 private:
  // A record on the wire, and what it shows; {} where it shows nothing of its own.
  struct Shown {
    std::vector<uint8_t> wire;
    std::string id, value, unit, text, taken_at;
  };

  void Advance(Moment now);
  std::vector<Shown> Records() const;
  std::vector<Shown> WaterRecords() const;
  std::vector<Shown> HeatRecords() const;
  // Bytes of the user data of one telegram of the readout.
  std::vector<uint8_t> Telegram(size_t index) const;
  bool IsForMe(uint8_t address) const;
  bool Select(Bytes mask);
  // Whether C's frame count bit says that this is a new question.
  bool IsNew(uint8_t control);
  size_t HearShort(uint8_t control, uint8_t address, std::span<uint8_t, kMaxAnswer> out);
  size_t HearData(uint8_t control, uint8_t address, Bytes user, std::span<uint8_t, kMaxAnswer> out);
  void Write(Bytes records);
  std::string VolumeId() const;

  Load clock_;
  MbusIdentity own_;
  double speed_;
  Moment last_;
  int64_t micro_litres_;
  int64_t milliwatt_seconds_;
  bool valve_open_ = true;
  uint32_t reads_ = 0;
  bool selected_ = false;
  std::optional<bool> last_fcb_;
  size_t telegram_ = 0;  // Of the readout, sent last.
};

// For the row of dialect.cpp.
std::unique_ptr<Cutter> MakeMbusCutter();
bool IsMbusMeterAddress(absl::string_view text);
void ReadMbusFields(ObjectReader& fields, ParkMeter* meter);
void WriteMbusFields(const ParkMeter& meter, nlohmann::json* out);

}  // namespace voltwell::field_sim
