// The relay of a live meter: who may command it, until when, and when it moves.
#include <algorithm>

#include "tools/field_sim/meter.h"
#include "tools/field_sim/meter_fields.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kNsPerMinute = 60'000'000'000;

}  // namespace

std::optional<int64_t> ParseClock(Bytes data) {
  std::array<int, 6> v = {};
  for (size_t i = 0; i < v.size(); ++i) {
    const auto number = FromBcd(data[i]);
    if (!number.has_value()) return std::nullopt;
    v[i] = *number;
  }
  if (v[0] > 59 || v[1] > 59 || v[2] > 23 || v[3] < 1 || v[3] > 31 || v[4] < 1 || v[4] > 12) return std::nullopt;
  return CivilToSeconds({2000 + v[5], v[4], v[3], v[2], v[1], v[0]});
}

// PA P0 P1 P2 C0..C3, the password's lowest pair first.
uint8_t Meter::CheckAuthority(Bytes data) const {
  const uint32_t password = static_cast<uint32_t>(data[1] | data[2] << 8 | data[3] << 16);
  if (data[0] != config_.password_level || password != password_) return kUnauthorised;
  if (config_.operator_code.has_value() && DiOf(data.subspan(4)) != *config_.operator_code) return kUnauthorised;
  return 0;
}

uint8_t Meter::CheckExpiry(Bytes expiry, Moment now) const {
  if (!config_.expiry_checked) return 0;
  const auto until = ParseClock(expiry);
  return until.has_value() && load_.ClockSeconds(now) <= *until ? 0 : kOtherError;
}

// PA P0 P1 P2, C0..C3, N1 (action), N2, N3..N8 (expiry).
bool Meter::Relay(const Request& request, Moment now, Reply* reply) {
  ++counts_.relay_commands;
  const Bytes data = request.payload();
  last_relay_command_.assign(data.begin(), data.end());
  uint8_t error = data.size() == 16 ? CheckAuthority(data) : kOtherError;
  if (error == 0) error = CheckExpiry(data.subspan(10), now);
  if (error == 0) error = RelayAction(data[8], data[9], now);
  last_relay_error_ = error;
  if (error != 0) return Refuse(0x1C, error, reply);
  reply->control = 0x9C;
  return true;
}

uint8_t Meter::RelayAction(uint8_t action, uint8_t parameter, Moment now) {
  const int64_t due = now.mono_ns + config_.relay_delay_ms * int64_t{1'000'000};
  switch (action) {
    case 0x1A:
      if (keep_power_) return kOtherError;
      CommandRelay(true, due);
      break;
    case 0x1B:
      relay_commanded_open_ = false;
      if (!config_.permit_needs_button) CommandRelay(false, due);
      break;
    case 0x1C:
      CommandRelay(false, due);
      break;
    case 0x1D:
    case 0x1E:
      if (keep_power_) return kOtherError;
      alarm_ = true;
      CommandRelay(true, now.mono_ns + parameter * 5 * kNsPerMinute);
      break;
    case 0x2A:
      alarm_ = true;
      break;
    case 0x2B:
      alarm_ = false;
      break;
    case 0x3A:
      keep_power_ = true;
      break;
    case 0x3B:
      keep_power_ = false;
      break;
    default:
      return kOtherError;
  }
  SettleRelay(now);
  return 0;
}

void Meter::CommandRelay(bool open, int64_t at_mono_ns) {
  relay_commanded_open_ = open;
  relay_moves_open_ = open;
  relay_moves_at_ = at_mono_ns;
}

void Meter::SettleRelay(Moment now) {
  if (!relay_moves_at_.has_value() || now.mono_ns < *relay_moves_at_) return;
  // Energy until the move is counted with the relay as it stood.
  const int64_t behind = now.mono_ns - *relay_moves_at_;
  load_.Advance({*relay_moves_at_, now.wall_ns - behind});
  relay_moves_at_.reset();
  if (faults_.relay_stuck || load_.relay_open() == relay_moves_open_) return;
  load_.SetRelayOpen(relay_moves_open_);
  std::vector<int64_t>& moved = relay_moved_at_[relay_moves_open_ ? 1 : 0];
  moved.insert(moved.begin(), load_.ClockSeconds(now));
  moved.resize(std::min<size_t>(moved.size(), 10));
  relay_moves_open_ ? ++counts_.relay_opened : ++counts_.relay_closed;
}

}  // namespace voltwell::field_sim
