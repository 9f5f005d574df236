// CJ/T 188 behind the codec's door: which frames a command needs and what their answers say.
//
// Register ids: cold water 8-0:, hot water 9-0:, gas 7-0:, heat 6-0:, cold 5-0:; what has no OBIS id is "cjt188:...".
// Values come back under the ids that were asked for. Clock 0-0:1.0.0, status word with valve 0-0:96.3.10, remaining
// amount 0-0:19.10.0 and address 0-0:96.1.0 have the ids that they have in DL/T 645.
//
// A purchase (A013) is one exchange and never repeated by itself. A doubtful one is settled by ReadPrepaid (8105): the
// purchase number is the new one and the last amount is equal: it was taken; the number is still the old one: it was
// not, and may be sent again under the same number; anything else is for a person. Its sequence byte is the purchase
// number too, since meters are known that drop a repeated purchase by it.
#pragma once

#include <vector>

#include "libs/codec/codec.h"

namespace voltwell::codec {

absl::StatusOr<ExchangeGroup> EncodeCjt188(const Command& command, const Profile& profile);
Decoded DecodeCjt188(const Answer& answer, const Profile& profile);
ExplainedBytes ExplainCjt188(base::ByteView bytes, const ExplainOptions& options);
std::vector<RegisterInfo> ListCjt188Registers();

}  // namespace voltwell::codec
