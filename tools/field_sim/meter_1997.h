// A live DL/T 645-1997 meter: two-byte identifiers, its own control codes, no relay. From the frame and data layout of
// that edition; shares nothing with libs/codec.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tools/field_sim/device.h"
#include "tools/field_sim/sheet.h"

namespace voltwell::field_sim {

class Meter1997 : public Device {
 public:
  Meter1997(const ParkMeter& config, const LoadSettings& settings, Moment start);

  size_t Answer(const Request& request, Moment now, std::span<uint8_t, kMaxAnswer> out) override;
  nlohmann::json Truth(Moment now) override;
  nlohmann::json Registers(Moment now) override;

 private:
  bool Read(const Request& request, Moment now, Reply* reply);
  bool ReadMore(const Request& request, Reply* reply);
  bool Write(const Request& request, Moment now, Reply* reply);
  void SyncClock(const Request& request, Moment now);
  // One register; false when this meter has none of this identifier.
  bool Show(uint16_t di, Moment now, Sheet* sheet) const;
  bool ShowEnergy(uint16_t di, Sheet* sheet) const;
  bool ShowVariable(uint16_t di, Moment now, Sheet* sheet) const;
  // A register, or all of them where the last digit is F.
  bool ShowBlock(uint16_t di, Moment now, Sheet* sheet) const;
  uint8_t CheckPassword(Bytes data) const;
  static bool Refuse(uint8_t control, uint8_t error, Reply* reply);

  Load load_;
  uint32_t password_;
  std::map<uint16_t, std::vector<uint8_t>> written_;
  uint64_t demand_cleared_ = 0;
  int baud_word_ = 0;
  uint16_t long_di_ = 0;
  std::vector<uint8_t> long_block_;
};

}  // namespace voltwell::field_sim
