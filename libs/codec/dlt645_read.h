// Reading over DL/T 645: registers, blocks with follow-ups, load profiles, addresses, searches.
#pragma once

#include <vector>

#include "libs/codec/dlt645_exchange.h"

namespace voltwell::codec {

absl::StatusOr<ExchangeGroup> EncodeDlt645Read(const Dlt645Call& call, const ReadRegisters& read);
Decoded DecodeDlt645Read(const Dlt645Call& call, const ReadRegisters& read, const std::vector<ReplyFrames>& replies);

// Of 2007 only. BAD_RECORD_COUNT, BAD_TIME.
absl::StatusOr<ExchangeGroup> EncodeDlt645LoadProfile(const Dlt645Call& call, const ReadLoadProfile& read);
Decoded DecodeDlt645LoadProfile(const Dlt645Call& call, const ReadLoadProfile& read,
                                const std::vector<ReplyFrames>& replies);

// Control code 13H; in 1997 a read of the address register, sent to whoever hears it.
ExchangeGroup EncodeDlt645ReadAddress(const Dlt645Call& call);
Decoded DecodeDlt645ReadAddress(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);

// Who answers to an address whose bytes may be AA: a read of the address register. When several do, their frames lie
// over each other: a collision, to be told apart by giving one more byte.
ExchangeGroup EncodeDlt645Search(const Dlt645Call& call);
Decoded DecodeDlt645Search(const Dlt645Call& call, const std::vector<ReplyFrames>& replies);

}  // namespace voltwell::codec
