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
  bool order_number = false;         // The body has an order number of 16 digits where others have the purchase number.
  bool zero_macs = false;            // MACs are sent as zeros when none is given; else such a command is refused.
  bool without_customer = false;     // No customer number and no second MAC.
  bool address_as_customer = false;  // The meter's address stands where others have the customer number.
  bool number_bcd = false;           // CJ/T 188: the purchase number is BCD, not binary.
  bool energy = false;               // The wallet counts kWh: 0332 and 009001 instead of 0333 and 009002.
  // DL/T 645: what 078102FF answers behind its identifier: fields in order, each `name.codeN` with N bytes, low byte
  // first. Names: remaining, number, accumulated, last, customer, sign (1: what follows is negative), skip; codes: bin
  // (hundredths), bcd. Empty: the standard's "remaining.bin4 skip4 number.bin4 skip4 customer.bcd6 skip4"; "none": the
  // meter has no such query.
  std::string status_layout = {};
};

struct Profile {
  std::string name = {};
  Protocol protocol = Protocol::kUnspecified;
  bool single_reads = false;  // Registers are read one by one, never as a block.
  absl::Duration turnaround = absl::Milliseconds(500);
  int32_t preambles = -1;       // FE before a request; -1: as the protocol has it.
  bool hand_on_button = false;  // Closing needs a hand on the meter's button. DL/T 645-2007, CJ/T 188.
  // Action (kPasswordActions) to the class that goes out as PA: 00 to 09, 98H, 99H. Without one the password says it.
  std::map<std::string, int32_t> password_levels = {};
  std::vector<std::string> sentinels = {};  // Raw fields that mean "no value", as on the wire (without 33H).
  absl::flat_hash_map<std::string, RegisterOverride> registers = {};
  // DL/T 645; relay_codes also CJ/T 188 (open, close, permit_close)
  std::string operator_code = {};                   // 4 bytes, for commands that bring none.
  int32_t relay_channel = 0;                        // N2 of control code 1CH.
  std::vector<uint32_t> secure_identifiers = {};    // A vendor's own of 03H that Secure may send; never 0701xxxx.
  std::map<std::string, int32_t> relay_codes = {};  // Relay action (kRelayActions) to N1, where a vendor has its own.
  // CJ/T 188
  bool identifier_low_first = true;  // DI on the wire: 1F 90; false: 90 1F.
  bool check_sequence = true;        // SER must come back.
  int32_t volume_decimals = -1;
  int32_t meter_type = 0x10;    // T of addresses that are given without it (14 digits).
  bool valve_by_query = false;  // The valve is asked for by A017 with 00, not seen in 901F.
  StatusBits status = {};
  // M-Bus
  bool uses_fcb = true;
  bool reset_before_read = true;  // SND_NKE goes before REQ_UD2 and is answered.
  std::string valve_open = {};    // Whole user data of SND_UD behind C and A (CI first); water flows.
  std::string valve_close = {};
  PrepayRules prepay = {};
};

// Keys of password_levels and relay_codes.
inline constexpr absl::string_view kPasswordActions[] = {"relay",        "write",       "clock",
                                                         "clear_demand", "clear_meter", "clear_events"};
inline constexpr absl::string_view kRelayActions[] = {"open",           "permit_close", "close",
                                                      "alarm_on",       "alarm_off",    "keep_power_on",
                                                      "keep_power_off", "pre_trip",     "pre_trip_permit"};
// Overrides of registers in one profile, and sentinels: more is a mistake.
inline constexpr size_t kProfileListMax = 256;

// Identifiers of 03H that move money: Prepay sends them, with its guards, and nothing else does.
inline constexpr uint32_t kMoneyIdentifiers = 0x0701;  // The upper two bytes.

using ProfileBook = absl::flat_hash_map<std::string, Profile>;

// One profile from the text of its file. BAD_PROFILE with metadata file, line, key: also for a key that means nothing
// for the protocol, and for keys that contradict each other.
absl::StatusOr<Profile> ParseProfile(absl::string_view text, absl::string_view file);

// The named one; for an empty name the standard of the protocol. UNKNOWN_PROFILE, also when it is of another protocol.
absl::StatusOr<const Profile*> FindProfile(const ProfileBook& book, absl::string_view name, Protocol protocol);

}  // namespace voltwell::codec
