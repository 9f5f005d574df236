// What is asked of a meter and what it says, for all protocols. Bytes of frames and secrets are in std::string.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "libs/codec/exchange.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec {

// Numbers as in voltwell.codec.v1.Protocol.
enum class Protocol : uint8_t {
  kUnspecified = 0,
  kDlt645_2007 = 1,
  kDlt645_1997 = 2,
  kCjt188 = 3,
  kMbus = 4,
};

// Numbers as in voltwell.codec.v1.RelayAction. A water meter's valve is a relay: open (the relay) cuts the supply.
enum class RelayAction : uint8_t {
  kUnspecified = 0,
  kOpen = 1,
  kPermitClose = 2,
  kClose = 3,
  kAlarmOn = 4,
  kAlarmOff = 5,
  kKeepPowerOn = 6,
  kKeepPowerOff = 7,
  kPreTrip = 8,        // Warns, trips after a while (ControlRelay::delay_minutes); later a direct close.
  kPreTripPermit = 9,  // The same, later a permit to close.
};

enum class RelayState : uint8_t { kUnspecified = 0, kClosed = 1, kOpen = 2 };

// What lets a command in. Bytes from the scheduler's security module; this library holds no key.
struct Authority {
  std::string password = {};       // DL/T 645: PA P0 P1 P2. Secret.
  std::string operator_code = {};  // DL/T 645-2007: C0 to C3. Secret.
  std::string cipher = {};         // In place of the data where password class 98H asks for it.
  std::string mac = {};            // Behind the data, 4 bytes, where password class 98H or 99H asks for it.
};

struct ReadRegisters {
  std::vector<std::string> registers = {};  // OBIS ids.
};

// Records of a load profile or a register with a time: DL/T 645-2007 06xxxxxx.
struct ReadLoadProfile {
  std::string reg = {};
  int32_t records = 0;          // 0: one.
  std::string from_local = {};  // "YYYY-MM-DDThh:mm"; empty: from the newest backwards, as the register says.
};

struct ControlRelay {
  RelayAction action = RelayAction::kUnspecified;
  Authority authority = {};
  std::string expires_local_time = {};  // By the meter's clock; DL/T 645 only.
  int32_t delay_minutes = 0;            // Of a pre-trip: 5 to 1275, in steps of 5.
};

struct ReadAddress {};

struct WriteRegister {
  std::string reg = {};
  std::string value = {};  // As Decode would show it: a decimal, a local time, digits, hexadecimal.
  Authority authority = {};
};

struct WriteAddress {
  std::string address = {};
  Authority authority = {};
};

// Broadcast time (no reply) or an addressed one.
struct SetClock {
  std::string local_time = {};  // "YYYY-MM-DDThh:mm:ss"
  bool broadcast = false;
  Authority authority = {};
};

// DL/T 645: each of month, day, hour, minute; -1 for "every" (99 on the wire).
struct Freeze {
  int32_t month = -1;
  int32_t day = -1;
  int32_t hour = -1;
  int32_t minute = -1;
  bool broadcast = false;
};

struct ChangeBaud {
  int32_t baud = 0;
};

struct ChangePassword {
  int32_t level = 0;  // 0 to 9.
  std::string old_password = {};
  std::string new_password = {};
};

enum class ClearWhat : uint8_t { kUnspecified = 0, kDemand = 1, kMeter = 2, kEvents = 3 };
struct Clear {
  ClearWhat what = ClearWhat::kUnspecified;
  std::string reg = {};  // Events of this register only; empty: all.
  Authority authority = {};
};

// One step of DL/T 645-2007 control code 03H (or CJ/T 188 keys) whose body the security module made. Never money, and
// of a vendor's own identifiers only Profile::secure_identifiers.
struct Secure {
  uint32_t data_identifier = 0;
  std::string body = {};
  std::string operator_code = {};
};

enum class PrepayKind : uint8_t { kUnspecified = 0, kOpenAccount = 1, kTopUp = 2, kRefund = 3 };
// Money or energy into the meter's own wallet. Never retried by itself: see prepaid_settlement.h.
struct Prepay {
  PrepayKind kind = PrepayKind::kUnspecified;
  int64_t amount_fen = 0;
  uint32_t purchase_number = 0;      // Meter's count + 1; DL/T 645: 4 bytes, CJ/T 188: 1 byte.
  std::string customer_number = {};  // 12 digits.
  std::string order_number = {};     // 16 digits, where the profile has one instead of a customer number.
  std::string mac1 = {};             // 4 bytes over amount and number; empty: the profile's rule (zeros or none).
  std::string mac2 = {};             // 4 bytes over the customer number.
  std::string authentication = {};   // 24 bytes cipher1, random1, factor of 070000FF; empty: none goes before.
  std::string operator_code = {};
};

// What settles a doubtful Prepay: purchase number, last purchase, remaining amount.
struct ReadPrepaid {
  std::string authentication = {};
  std::string operator_code = {};
};

// M-Bus: SND_NKE, or the application reset CI 50H.
struct Reset {
  bool application = false;
  int32_t subcode = -1;
};

// Bus scan: who answers to an address with wildcards? (DL/T 645: AA, M-Bus: F, CJ/T 188: AA.)
struct Search {};

// Bytes as they are; the guarded raw exchange. The reply is any frame of the protocol.
struct Raw {
  std::string request = {};
  bool no_reply = false;
};

struct Command {
  Protocol protocol = Protocol::kUnspecified;
  // As its protocol prints it: DL/T 645 12 digits, CJ/T 188 2 digits of type and 14 of address, M-Bus a primary address
  // "p0" to "p250" or 8 digits, or all 16 of a secondary address (id, manufacturer, version, medium; F, FF: wildcard).
  std::string address = {};
  std::string profile = {};  // Vendor's peculiarities, see profile.h. Empty: the standard.
  int32_t baud = 0;          // Bit/s; 0: no wire time.
  std::variant<std::monostate, ReadRegisters, ReadLoadProfile, ControlRelay, ReadAddress, WriteRegister, WriteAddress,
               SetClock, Freeze, ChangeBaud, ChangePassword, Clear, Secure, Prepay, ReadPrepaid, Reset, Search, Raw>
      action = {};
};

// Numbers as in voltwell.codec.v1.Quality.
enum class Quality : uint8_t {
  kUnspecified = 0,
  kOk = 1,
  kNoValue = 2,     // The meter's sentinel (FF..FF and what the profile names).
  kOutOfRange = 3,  // Digits that the register cannot have (13th month, BCD nibble above 9).
  kMeterError = 4,  // The meter says that the value is wrong (M-Bus function error, error nibbles, status).
};

struct RegisterValue {
  std::string reg = {};  // OBIS id, or the protocol's own id where it has none ("mbus:0.0.0:13").
  std::optional<decimal::Decimal> number = {};
  std::string text = {};
  std::string unit = {};
  Quality quality = Quality::kOk;
  std::string meter_time = {};  // "YYYY-MM-DDThh:mm[:ss]" local: when the meter took it; empty: not said.
};

// The wallet in a meter, as it says itself.
struct PrepaidState {
  std::optional<uint32_t> purchase_number = {};
  std::optional<decimal::Decimal> remaining = {};    // Yuan.
  std::optional<decimal::Decimal> last_amount = {};  // Yuan.
  std::optional<decimal::Decimal> accumulated = {};  // Yuan.
  std::string customer_number = {};
};

// What one answer says.
struct Decoded {
  std::vector<RegisterValue> values = {};
  absl::Status error = absl::OkStatus();  // Of the whole, or of a part while values holds the rest.
  RelayState relay_state = RelayState::kUnspecified;
  std::string address = {};  // Of ReadAddress and Search: who answered.
  bool collision = false;    // Of Search: several answered at once; look closer.
  std::optional<PrepaidState> prepaid = {};
  std::string body = {};  // Of Secure: what the meter answered, for the security module. Of Raw: the frame.
  // Goes on the bus next; its answer comes back with the same command. Values come with the last answer only.
  std::optional<ExchangeGroup> continuation = {};
};

// The frames that answered one exchange: the first reply and its follow-ups.
using ReplyFrames = std::vector<std::string>;

struct Answer {
  Command command = {};
  std::vector<ReplyFrames> replies = {};  // One for each exchange of the group that was executed.
};

// A row of a register table, or of a pattern of rows (tariff t, settlement day or index n in the id).
struct RegisterInfo {
  std::string reg = {};  // OBIS id; a pattern has {t} (tariff 0..63) and {n} (0: now, 1..12: settlement days back).
  std::string name = {};
  std::string title_zh = {};
  std::string title_en = {};
  std::string unit = {};
  std::string data_identifier = {};
  std::string format = {};
  int32_t length = 0;
  bool readable = true;
  bool writable = false;
  std::string proof = {};  // The vector that shows it; empty: unproven.
  std::string source = {};
};

enum class Language : uint8_t { kEnglish = 0, kChinese = 1 };

struct Explanation {
  size_t offset = 0;
  size_t length = 0;
  std::string hex = {};      // Masked as ** where it is a secret.
  std::string kind = {};     // "address", "control", "value", ...; stable, for programs.
  std::string meaning = {};  // In the language asked for.
  bool understood = true;
};

struct ExplainedBytes {
  std::vector<Explanation> explanations = {};
  std::string summary = {};
  Protocol protocol = Protocol::kUnspecified;  // What it was taken for.
  absl::Status error = absl::OkStatus();       // With metadata position: the first wrong byte.
};

struct ExplainOptions {
  Protocol protocol = Protocol::kUnspecified;  // Unspecified: guessed by shape and checksum.
  Language language = Language::kEnglish;
  bool show_secrets = false;
};

}  // namespace voltwell::codec
