// What a meter's reply says: fields of registers, an error word by name, or that it is not understood.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "libs/base/bytes.h"
#include "libs/codec/dlt645/field.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/codec/dlt645/register_table.h"

namespace voltwell::codec::dlt645 {

struct Field {
  const Register* row = nullptr;
  FieldValue value = {};
};

enum class ReadOutcome : uint8_t {
  kValues,         // Fields were appended.
  kUnknownDi,      // The identifier is in no table.
  kLengthDiffers,  // Fewer or more bytes than the table says.
};

// Decodes the data of a read (its identifier apart, 33H still added), appending to fields. A block may be shorter than
// the table says: a single-phase meter sends phase A only.
ReadOutcome DecodeData(uint32_t di, base::ByteView data, std::vector<Field>& fields);

// The hot path: a complete frame that answers 11H in one piece. False when it is anything else or not understood.
// Fields are appended; with a reserved vector nothing is allocated.
bool DecodeReadReply(base::ByteView bytes, std::vector<Field>& fields);

// Puts the frames of one read together: the reply to 11H and those to 12H, without their identifiers and sequence
// numbers. FRAME_NOT_UNDERSTOOD (metadata why), METER_REFUSED (metadata bits, word).
struct ReadData {
  uint32_t di = 0;
  std::string data = "";  // With 33H.
};
absl::StatusOr<ReadData> JoinReplies(const Address& address, const std::vector<std::string>& frames);

// Names of the bits set in an error word, e.g. {"no_such_data"}; {"unspecified"} for zero.
std::vector<std::string> ErrorBitNames(uint8_t function, base::ByteView data);
// METER_REFUSED with the bits in words.
absl::Status MeterRefused(const Frame& frame);
// FRAME_NOT_UNDERSTOOD.
absl::Status NotUnderstood(absl::string_view why, base::ByteView bytes);

// A complete frame from this meter to this function, normal or abnormal; else FRAME_NOT_UNDERSTOOD.
absl::StatusOr<Frame> ParseReply(const Address& address, uint8_t function, base::ByteView bytes);

}  // namespace voltwell::codec::dlt645
