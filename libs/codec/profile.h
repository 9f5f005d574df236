// What a vendor does otherwise than the standard, as data: a profile is a file (deploy/profiles/*.profile), so that a
// new one needs no C++.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/codec/command.h"

namespace voltwell::codec {

// A register as this vendor has it; -1 and empty: as the standard says.
struct RegisterOverride {
  int32_t length = -1;
  int32_t scale = -1;
  int32_t is_signed = -1;
  std::string unit = {};
  std::string data_identifier = {};  // Hexadecimal.
};

// Where a CJ/T 188 status word shows valve and battery: (word & mask) == value, the first status byte lowest.
struct StatusBits {
  uint16_t valve_mask = 0x0003;
  uint16_t valve_open = 0x0000;
  uint16_t valve_closed = 0x0001;
  uint16_t valve_fault = 0x0003;
  uint16_t battery_low = 0x0004;
};

// How the wallet of a meter is filled (protocols: DL/T 645 07xxxxFF, CJ/T 188 A013).
struct PrepayRules {
  bool order_number = false;      // The body has an order number of 16 digits where others have the purchase number.
  bool zero_macs = false;         // MACs are sent as zeros when none is given; else such a command is refused.
  bool without_customer = false;  // No customer number and no second MAC.
};

struct Profile {
  std::string name = {};
  Protocol protocol = Protocol::kUnspecified;
  bool single_reads = false;  // Registers are read one by one, never as a block.
  absl::Duration turnaround = absl::Milliseconds(500);
  int32_t preambles = -1;       // FE before a request; -1: as the protocol has it.
  bool hand_on_button = false;  // Closing needs a hand on the meter's button.
  std::map<std::string, int32_t> password_levels =
      {};                                   // Action ("relay", "write", "clock", ...) to class 0..9, 98, 99 hex.
  std::vector<std::string> sentinels = {};  // Raw fields that mean "no value", as on the wire (without 33H).
  absl::flat_hash_map<std::string, RegisterOverride> registers = {};
  // CJ/T 188
  bool identifier_low_first = true;  // DI on the wire: 1F 90; false: 90 1F.
  bool check_sequence = true;        // SER must come back.
  int32_t volume_decimals = -1;
  StatusBits status = {};
  // M-Bus
  bool uses_fcb = true;
  bool reset_before_read = true;  // SND_NKE goes before REQ_UD2.
  std::string valve_open = {};    // Whole user data of SND_UD behind C and A (CI first); water flows.
  std::string valve_close = {};
  PrepayRules prepay = {};
};

using ProfileBook = absl::flat_hash_map<std::string, Profile>;

// One profile from the text of its file. BAD_PROFILE with metadata file, line, key.
absl::StatusOr<Profile> ParseProfile(absl::string_view text, absl::string_view file);

// The named one; for an empty name the standard of the protocol. UNKNOWN_PROFILE, also when it is of another protocol.
absl::StatusOr<const Profile*> FindProfile(const ProfileBook& book, absl::string_view name, Protocol protocol);

}  // namespace voltwell::codec
