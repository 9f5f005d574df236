// The park file: which collectors, buses and meters the simulated field has. JSON, described in README.md.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "tools/field_sim/faults.h"
#include "tools/field_sim/frame.h"

namespace voltwell::field_sim {

// More than any machine of ours can serve; a typing error in a count must not eat the memory.
inline constexpr int64_t kMaxLinks = 100'000;
inline constexpr int64_t kMaxMeters = 1'000'000;
inline constexpr int64_t kMaxMetersOfBus = 256;

struct RecordedExchange {
  std::string request;   // Bytes. Empty: the answer to each request of this function without a recorded answer.
  std::string reply;     // Bytes, with the preamble that was recorded.
  uint8_t function = 0;  // Of the reply.
};

// What stands before each packet of a box that carries several buses over one connection, in both directions.
enum class PortHeader : uint8_t { kNone, kByte, kByteAndLength };

enum class MeterKind { kLive, kReplay };
enum class MeterProtocol : uint8_t { kDlt645_2007, kDlt645_1997, kCjt188, kMbus };
// What a replay meter does when asked for what was not recorded.
enum class Unrecorded { kNoSuchData, kSilence };

// What flows through a water, heat or gas meter. Volumes are in litres, so that a register of any resolution can show
// them exactly.
struct ParkFluid {
  int64_t start_litres = 0;
  int64_t settled_litres = 0;   // At the last settlement day.
  int64_t litres_per_hour = 0;  // Flows while the valve is open.
  int64_t start_heat_wh = 0;    // Heat meters.
  int64_t settled_heat_wh = 0;
  int64_t heat_w = 0;
  int64_t supply_centi_c = 6500;  // 0.01 degree Celsius.
  int64_t return_centi_c = 4000;
  bool has_valve = true;
  bool battery_low = false;
};

// How one CJ/T 188 meter differs from the standard.
struct ParkCjt188 {
  bool litres = false;           // Volumes in whole litres with unit 29H; else 0.01 m3 with 2CH.
  bool short_body = false;       // 901F answers 4 bytes of volume without unit, and the status.
  bool edition_2018 = false;     // Heat meters: the shorter body of 2018.
  bool mirrored_status = false;  // Valve in bits 7 and 6, battery in bit 5.
  bool answers_query = false;    // A017 with 00 asks for the valve's state.
  bool century_first = false;    // The clock goes CC YY MM DD hh mm ss.
  int fixed_sequence = -1;       // SER of all answers; -1: that of the request.
  uint8_t purchase_number = 0;   // Of the last purchase.
  int64_t last_fen = 0;
  int64_t accumulated_fen = 0;
};

// How one M-Bus meter is set up.
struct ParkMbus {
  int primary = 0;            // Its primary address, where the park's address is the secondary one.
  int telegrams = 1;          // A readout is so many.
  bool ignores_fcb = false;   // Sends its first telegram whenever it is asked.
  bool silent_reset = false;  // SND_NKE gets no answer.
};

struct ParkMeter {
  MeterKind kind = MeterKind::kLive;
  MeterProtocol protocol = MeterProtocol::kDlt645_2007;
  // As its protocol prints it, and as the registry has it; unique on a bus.
  std::string address_text;
  Address address = 0;  // DL/T 645: the same as a number. Others: any number that differs from meter to meter.
  // For those who load the park as a tenant; the simulator itself does not use them. Supply is electricity, water, heat
  // or gas.
  std::string name, site, model, ratio = "1", profile, supply = "electricity";

  int phases = 1;
  std::array<int64_t, 4> forward_centi_kwh = {};  // Tariffs 1 to 4, in 0.01 kWh; their sum is the total.
  int64_t reverse_centi_kwh = 0;
  int64_t power_w = 800;
  int64_t voltage_dv = 2200;             // 0.1 V.
  std::optional<int64_t> remaining_fen;  // Present: a prepaid meter that shows its balance.
  double price_yuan = 0.56;              // A kWh.
  std::string customer;                  // Twelve digits of whom the wallet was opened for; empty: nobody yet.
  uint32_t purchase_count = 0;
  std::optional<uint32_t> wallet_mac;   // Present: a purchase with other MACs is refused.
  bool wallet_authenticates = false;    // A purchase needs 070000FF before it.
  std::optional<int64_t> hoarding_fen;  // Present: more than that does not go into the wallet.
  uint8_t password_level = 2;
  uint32_t password = 0;                  // Six BCD digits, 0x123456 is 123456.
  std::optional<uint32_t> operator_code;  // Present: a relay command of another operator is refused.
  bool expiry_checked = true;
  bool permit_needs_button = false;  // After 1B the relay waits for a finger.
  int relay_delay_ms = 0;
  int64_t clock_offset_s = 0;
  int64_t clock_drift_ppm = 0;
  ParkFluid fluid;
  ParkCjt188 cjt188;
  ParkMbus mbus;
  Faults faults;

  std::vector<RecordedExchange> recorded;
  std::string recorded_file;
  Unrecorded unrecorded = Unrecorded::kNoSuchData;
};

struct ParkBus {
  int number = 1;
  std::string registration_id;  // As loaders tell the registry.
  std::string registration;     // Bytes sent once after each connect.
  // By the collector's dialect (talk.h).
  bool registration_each = false;   // And before each packet.
  std::string registration_answer;  // Nothing goes up before this has come.
  std::string heartbeat;            // Bytes; empty: none.
  std::string heartbeat_answer;     // Without it the box dials anew.
  PortHeader ports = PortHeader::kNone;
  int port = 0;  // In the packets of the collector's one connection.
  int baud = 2400;
  bool wire_time = true;     // False: as fast as possible.
  int turnaround_ms = 30;    // From the last byte of the request to the first of the answer.
  int packet_gap_ms = 20;    // The quiet after which a collector takes the answer for complete.
  bool echo = false;         // The collector hears its own request.
  int babble_period_ms = 0;  // Unasked random bytes so often; 0 is never.
  int babble_bytes = 12;
  std::vector<ParkMeter> meters;
};

// What happens to a collector's line by itself, by a seeded choice each time.
struct LineFaults {
  enum class Kind : uint8_t {
    kFin,       // It closes and dials again.
    kRst,       // The same with a reset.
    kHalfOpen,  // It forgets the connection without a word and dials anew, as after a loss of power.
    kSlow,      // It does not read for pause_ms.
  };
  int every_ms = 0;  // Half of it to one and a half of it pass between two; 0: never.
  int pause_ms = 1'000;
  std::vector<Kind> kinds;
};

struct ParkCollector {
  std::string id, name, site, model;
  std::string dialect = "transparent";  // A row of talk.cpp.
  std::string key;                      // Bytes that it proves to have, where its dialect can; empty: none.
  std::string heartbeat;                // Bytes, where the dialect has none of its own; empty: none.
  int answer_timeout_ms = 3'000;        // For answers that its dialect waits for.
  LineFaults line_faults;
  // It waits for the gateway to dial: bus N on loopback at listen_port + N - 1, 0: at any free port. -1: it dials.
  int listen_port = -1;
  int heartbeat_period_ms = 30'000;
  int reconnect_delay_ms = 1'000;
  int reconnect_jitter_ms = 500;
  std::vector<ParkBus> buses;
};

struct ParkSite {
  std::string id, name, address, time_zone;
};

struct Park {
  std::string name, tenant;
  std::vector<ParkSite> sites;
  uint64_t seed = 1;
  int clock_zone_minutes = 480;  // Meters show local time: China's, unless the park says otherwise.
  bool steady = false;           // Nothing varies: power, voltage and the like stay what the park says.
  double energy_speed = 1;       // How much faster energy grows than power and time tell.
  std::vector<ParkCollector> collectors;

  int64_t links() const;
  int64_t meters() const;
};

// Reads a file named in the park ("recorded.json"), relative to the park's own directory.
using FileReader = std::function<absl::StatusOr<std::string>(absl::string_view name)>;

// The first mistake, with metadata `path`: a JSON pointer to it.
absl::StatusOr<Park> ParsePark(absl::string_view text, const FileReader& read_file);
absl::StatusOr<Park> LoadPark(const std::string& path);

// Templates expanded, defaults filled in: what loaders and people can read without knowing our defaults.
nlohmann::json ParkToJson(const Park& park);

}  // namespace voltwell::field_sim
