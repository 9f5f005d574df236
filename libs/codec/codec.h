// The one door to what bytes mean: commands to exchanges, what came back to values, any bytes to words. Pure and
// without state.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/exchange.h"
#include "libs/decimal/decimal.h"

namespace voltwell::codec {

// Commands or answers in one batch; one hop of 512 meters (ARCHITECTURE section 4).
inline constexpr size_t kBatchMax = 512;
// Registers in one command.
inline constexpr size_t kRegistersMax = 32;
// Bytes that Explain takes apart in one call; more than any frame.
inline constexpr size_t kExplainMax = 4096;
// Follow-up frames that are asked for after one read: 64 energies of 4 bytes at 200 bytes a frame need one; meters that
// send less in a frame are known.
inline constexpr size_t kFollowUpsMax = 3;

// Numbers as in voltwell.codec.v1.Protocol.
enum class Protocol : uint8_t {
  kUnspecified = 0,
  kDlt645_2007 = 1,
  kDlt645_1997 = 2,
  kCjt188 = 3,
  kMbus = 4,
};

// Numbers as in voltwell.codec.v1.RelayAction.
enum class RelayAction : uint8_t {
  kUnspecified = 0,
  kOpen = 1,
  kPermitClose = 2,
  kClose = 3,
  kAlarmOn = 4,
  kAlarmOff = 5,
  kKeepPowerOn = 6,
  kKeepPowerOff = 7,
};

enum class RelayState : uint8_t { kUnspecified = 0, kClosed = 1, kOpen = 2 };

struct ReadRegisters {
  std::vector<std::string> registers = {};  // OBIS ids.
};

struct ControlRelay {
  RelayAction action = RelayAction::kUnspecified;
  std::string password = {};       // Secret; from the security module.
  std::string operator_code = {};  // Secret.
  std::string expires_local_time = {};
};

struct ReadAddress {};

struct Command {
  Protocol protocol = Protocol::kUnspecified;
  std::string address = {};
  // Vendor's peculiarities. Empty: the standard. "single": registers are read one by one, never as a block.
  std::string profile = {};
  int32_t baud = 0;  // Bit/s; 0: no wire time.
  std::variant<std::monostate, ReadRegisters, ControlRelay, ReadAddress> action = {};
};

struct RegisterValue {
  std::string reg = {};  // OBIS id.
  std::optional<decimal::Decimal> number = {};
  std::string text = {};
  std::string unit = {};
  bool no_value = false;
};

// What one answer says.
struct Decoded {
  std::vector<RegisterValue> values = {};
  absl::Status error = absl::OkStatus();  // Of the whole, or of a part while values holds the rest.
  RelayState relay_state = RelayState::kUnspecified;
  // Goes on the bus next; its answer comes back with the same command. Values come with the last answer only.
  std::optional<ExchangeGroup> continuation = {};
};

// The frames that answered one exchange: the first reply and its follow-ups.
using ReplyFrames = std::vector<std::string>;

struct Answer {
  Command command = {};
  std::vector<ReplyFrames> replies = {};  // One for each exchange of the group that was executed.
};

struct RegisterInfo {
  std::string reg = {};  // OBIS id.
  std::string name = {};
  std::string title_zh = {};
  std::string title_en = {};
  std::string unit = {};
  std::string data_identifier = {};
  std::string format = {};
  int32_t length = 0;
  bool proven = false;
  std::string source = {};
  bool writable = false;
};

struct Explanation {
  size_t offset = 0;
  size_t length = 0;
  std::string hex = {};
  std::string kind = {};
  std::string meaning = {};
};

struct ExplainedBytes {
  std::vector<Explanation> explanations = {};
  std::string summary = {};
};

// Errors: PROTOCOL_NOT_SUPPORTED, BAD_METER_ADDRESS, ACTION_MISSING, UNKNOWN_REGISTER, TOO_MANY_REGISTERS,
// UNKNOWN_PROFILE, BAD_BAUD, BAD_RELAY_ACTION, BAD_PASSWORD_LENGTH, BAD_OPERATOR_LENGTH, BAD_EXPIRY.
absl::StatusOr<ExchangeGroup> Encode(const Command& command);
Decoded Decode(const Answer& answer);

// BATCH_TOO_LARGE for more than kBatchMax items.
absl::Status CheckBatch(size_t size);

// Every byte once, in order. Secrets are masked as ** unless shown. FRAME_TOO_LONG, PROTOCOL_NOT_SUPPORTED.
absl::StatusOr<ExplainedBytes> Explain(base::ByteView bytes, Protocol protocol, bool show_secrets);

std::vector<Protocol> ListProtocols();
// Ordered by data identifier. PROTOCOL_NOT_SUPPORTED.
absl::StatusOr<std::vector<RegisterInfo>> ListRegisters(Protocol protocol);

}  // namespace voltwell::codec
