// What a meter's reply says: fields of registers, an error word by name, or that it is not understood.
//
// The way of an answer: JoinReplies puts the frames of one read together; FindByDi names it; DecodeData appends one
// Field for each value; of each, ValueIdOf is the id to deliver, field.spec->unit its unit, field.value the value
// (number or Text()), MeterTimeOf when the meter took it. ReadData (or the frame) must outlive the fields.
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

// Of 1997: two bytes, DI1 leftmost. Data has 33H added and at least two bytes.
inline constexpr size_t kDiSize1997 = 2;
uint32_t DataIdentifier1997(base::ByteView data);

struct Field {
  const Register* row = nullptr;
  const FieldSpec* spec = nullptr;  // One of row->fields(), or what DecodeData was given instead.
  uint32_t di = 0;                  // Of the register, never of a block.
  uint16_t repetition = 0;          // From 0, of a field that stands several times.
  FieldValue value = {};
  uint64_t time = 0;  // YYMMDDhhmm of these values as it came, low byte first; 0: not said.
};

enum class ReadOutcome : uint8_t {
  kValues,         // Fields were appended.
  kUnknownDi,      // The identifier is in no table.
  kLengthDiffers,  // Fewer or more bytes than the table says.
};

// Decodes the data of a read (its identifier apart, 33H still added), appending to fields. A block may be shorter than
// the table says (a single-phase meter sends phase A only) and have AA between its members; a record of several fields
// may end behind any of them. A profile that has another format for a row of one field gives it as `instead`.
ReadOutcome DecodeData(Edition edition, uint32_t di, base::ByteView data, std::vector<Field>& fields,
                       const FieldSpec* instead = nullptr);

// The hot path: a complete frame that answers 11H (1997: 01H) in one piece. False when it is anything else or not
// understood. Fields are appended; with a reserved vector nothing is allocated.
bool DecodeReadReply(base::ByteView bytes, std::vector<Field>& fields);

// "1-0:1.8.0", "0-3:199.17.0*1/start".
std::string ValueIdOf(Edition edition, const Field& field);
// The row's title and the field's: "power failure, record 1: start".
std::string ValueTitleOf(const Field& field, Language language);
// "2026-11-22T09:30"; empty: not said.
std::string MeterTimeOf(const Field& field);

// Puts the frames of one read together: the reply to 11H and those to 12H (1997: 01H, 02H), without their identifiers
// and sequence numbers. FRAME_NOT_UNDERSTOOD (metadata why), METER_REFUSED (metadata bits, word).
struct ReadData {
  uint32_t di = 0;
  std::string data = "";  // With 33H.
};
absl::StatusOr<ReadData> JoinReplies(const Address& address, const std::vector<std::string>& frames,
                                     Edition edition = Edition::k2007);

// Names of the bits set in an error word, e.g. {"no_such_data"}; {"unspecified"} for zero.
std::vector<std::string> ErrorBitNames(uint8_t function, base::ByteView data);
// METER_REFUSED with the bits in words.
absl::Status MeterRefused(const Frame& frame);
// FRAME_NOT_UNDERSTOOD.
absl::Status NotUnderstood(absl::string_view why, base::ByteView bytes);

// A complete frame from this meter to this function, normal or abnormal; else FRAME_NOT_UNDERSTOOD.
absl::StatusOr<Frame> ParseReply(const Address& address, uint8_t function, base::ByteView bytes);

}  // namespace voltwell::codec::dlt645
