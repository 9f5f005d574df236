// The records of a load profile (06xxxxxx of 2007).
//
// A record is A0 A0, its length, YYMMDDhhmm, then the data of classes 1 to 6, each closed by AA (an unselected class is
// the AA alone), a sum and E5. What the length and the sum cover is told differently, so neither is relied on: classes
// have fixed lengths, and E5 must stand where it belongs.
#pragma once

#include <vector>

#include "libs/codec/dlt645/reply.h"

namespace voltwell::codec::dlt645 {

inline constexpr uint32_t kLoadProfileClass = 0x06;

// Appends the values of all records; false when the bytes are no records. Data has 33H added.
bool DecodeLoadProfile(const Match& match, base::ByteView data, std::vector<Field>& fields);

}  // namespace voltwell::codec::dlt645
