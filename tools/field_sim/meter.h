// A live DL/T 645-2007 meter: its registers, its relay and its clock.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tools/field_sim/device.h"
#include "tools/field_sim/sheet.h"

namespace voltwell::field_sim {

class Meter : public Device {
 public:
  Meter(const ParkMeter& config, const LoadSettings& settings, Moment start);

  size_t Answer(const Request& request, Moment now, std::span<uint8_t, kMaxAnswer> out) override;
  nlohmann::json Truth(Moment now) override;
  nlohmann::json Registers(Moment now) override;

 private:
  struct PurchaseRecord {
    CivilTime time;
    uint32_t count = 0;
    int64_t fen = 0, before_fen = 0, after_fen = 0, sum_fen = 0;
  };
  // The last answer to each of the first few registers read, so that a test can compare what was stored with what was
  // really said.
  struct Said {
    uint32_t di = 0;
    uint8_t size = 0;
    uint64_t times = 0;
    int64_t wall_ns = 0;
    std::array<uint8_t, 20> data = {};
  };
  static constexpr size_t kSaidMax = 16;

  bool Read(const Request& request, Moment now, Reply* reply);
  bool ReadMore(const Request& request, Reply* reply);
  bool Write(const Request& request, Moment now, Reply* reply);
  bool WriteParameterBytes(uint32_t di, Bytes value, Moment now);
  bool ChangePassword(const Request& request, Reply* reply);
  bool Clear(const Request& request, Reply* reply);
  bool Security(const Request& request, Moment now, Reply* reply);
  void PutWallet(bool at_end, Reply* reply) const;
  // The security error word; 0: bought.
  uint16_t Purchase(bool opens, Bytes body, Moment now);
  bool ShowPurchase(uint32_t di, Sheet* sheet) const;
  // The meaning of what WriteRegister writes, out of the same state.
  bool ShowLive(uint32_t di, Moment now, Sheet* sheet) const;
  bool ShowLiveVariable(uint32_t di, Moment now, Sheet* sheet) const;
  bool ShowLiveParameter(uint32_t di, Moment now, Sheet* sheet) const;
  // Registers that WriteRegister does not have, and blocks of them.
  bool ShowOther(uint32_t di, Moment now, Sheet* sheet) const;
  bool ShowBlock(uint32_t di, Moment now, Sheet* sheet) const;
  // Load profile: the records asked for. fields gets their meaning when it is not null.
  bool ShowProfile(uint32_t di, Bytes how_many_from, Moment now, std::vector<uint8_t>* wire,
                   nlohmann::json* fields) const;
  bool Relay(const Request& request, Moment now, Reply* reply);
  // 0, or the error word of the refusal.
  uint8_t RelayAction(uint8_t action, uint8_t parameter, Moment now);
  uint8_t CheckAuthority(Bytes data) const;
  uint8_t CheckExpiry(Bytes expiry, Moment now) const;
  void SyncClock(const Request& request, Moment now);
  // Moves the relay when the time of an accepted command has come.
  void SettleRelay(Moment now);
  void CommandRelay(bool open, int64_t at_mono_ns);

  // Writes the data of a register; false when this meter does not have it. Beyond one frame it goes to long_block_.
  bool WriteRegister(uint32_t di, Moment now, Reply* reply);
  bool WriteEnergy(uint32_t di, Reply* reply);
  bool WriteVariable(uint32_t di, Moment now, Reply* reply);
  bool WriteParameter(uint32_t di, Moment now, Reply* reply);
  void WriteClock(uint32_t di, Moment now, Reply* reply);
  bool FillLongBlock(uint32_t di, Moment now);
  uint16_t StatusWord3() const;
  int64_t EnergyOf(int quantity, int tariff, int history) const;
  void Remember(uint32_t di, const Reply& reply, Moment now);
  static bool Refuse(uint8_t control, uint8_t error, Reply* reply);

  Load load_;
  bool relay_commanded_open_ = false;
  bool keep_power_ = false;
  bool alarm_ = false;
  std::optional<int64_t> relay_moves_at_;  // Monotonic.
  bool relay_moves_open_ = false;
  std::vector<uint8_t> last_relay_command_;
  uint8_t last_relay_error_ = 0;
  uint32_t long_di_ = 0;
  std::vector<uint8_t> long_block_;
  std::map<uint32_t, std::vector<uint8_t>> written_;
  uint32_t password_;
  std::map<uint8_t, uint64_t> cleared_;                 // By control code: demand 19, meter 1A, events 1B.
  std::array<std::vector<int64_t>, 2> relay_moved_at_;  // By the meter's clock, the newest first; closings, openings.
  bool opened_ = false;
  uint64_t customer_ = 0;
  uint32_t purchase_count_ = 0;
  int64_t bought_fen_ = 0;
  int64_t authenticated_until_ = 0;
  std::vector<PurchaseRecord> purchases_;  // The newest first.
  std::array<Said, kSaidMax> said_ = {};
  size_t said_count_ = 0;
};

// Answers what was recorded from a real meter, byte for byte.
class ReplayMeter : public Device {
 public:
  explicit ReplayMeter(const ParkMeter& config) : Device(config) {}

  size_t Answer(const Request& request, Moment now, std::span<uint8_t, kMaxAnswer> out) override;
  nlohmann::json Truth(Moment now) override;
};

}  // namespace voltwell::field_sim
