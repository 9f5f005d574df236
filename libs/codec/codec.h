// The one door to what bytes mean: commands to exchanges, what came back to values, any bytes to words. Pure and
// without state.
#pragma once

#include <vector>

#include "absl/status/statusor.h"
#include "libs/base/bytes.h"
#include "libs/codec/command.h"
#include "libs/codec/profile.h"

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

// Errors: PROTOCOL_NOT_SUPPORTED, UNKNOWN_PROFILE, ACTION_MISSING, ACTION_NOT_SUPPORTED, BAD_METER_ADDRESS, BAD_BAUD,
// UNKNOWN_REGISTER, TOO_MANY_REGISTERS, and what the action's own fields may be (docs/errors.md).
absl::StatusOr<ExchangeGroup> Encode(const Command& command, const ProfileBook& profiles);
Decoded Decode(const Answer& answer, const ProfileBook& profiles);

// BATCH_TOO_LARGE for more than kBatchMax items.
absl::Status CheckBatch(size_t size);

// What the bytes look like: the protocol whose checksum holds, else whose shape fits best; never unspecified.
Protocol GuessProtocol(base::ByteView bytes);

// Every byte once, in order. Secrets are masked as ** unless shown. FRAME_TOO_LONG, PROTOCOL_NOT_SUPPORTED.
absl::StatusOr<ExplainedBytes> Explain(base::ByteView bytes, const ExplainOptions& options);

std::vector<Protocol> ListProtocols();
// Ordered by data identifier. PROTOCOL_NOT_SUPPORTED.
absl::StatusOr<std::vector<RegisterInfo>> ListRegisters(Protocol protocol);
// One register by its id, which may be a member of a pattern. UNKNOWN_REGISTER, PROTOCOL_NOT_SUPPORTED.
absl::StatusOr<RegisterInfo> FindRegister(Protocol protocol, absl::string_view reg);

}  // namespace voltwell::codec
