// The wallet in a DL/T 645-2007 meter: control code 03H. Ciphers and MACs come in as bytes, in the order of the wire;
// this library holds no key. A step that needs the meter's answer to go on is a continuation: Decode gives the answer
// as body and the next exchange, which comes back with the same command.
#pragma once

#include <vector>

#include "libs/codec/dlt645_exchange.h"

namespace voltwell::codec {

// Errors of all: BAD_OPERATOR_LENGTH, VALUE_TOO_LONG, BAD_AUTHENTICATION, ACTION_NOT_SUPPORTED (1997).
absl::StatusOr<ExchangeGroup> EncodeDlt645Secure(const Dlt645Call& call, const Secure& secure);
Decoded DecodeDlt645Secure(const Dlt645Call& call, const Secure& secure, const std::vector<ReplyFrames>& replies);

// BAD_PREPAY_KIND, BAD_AMOUNT, BAD_CUSTOMER_NUMBER, BAD_ORDER_NUMBER, BAD_MAC. An answer without error: the meter took
// the purchase. METER_REFUSED: see prepaid_settlement.h for what that means for the money.
absl::StatusOr<ExchangeGroup> EncodeDlt645Prepay(const Dlt645Call& call, const Prepay& prepay);
Decoded DecodeDlt645Prepay(const Dlt645Call& call, const Prepay& prepay, const std::vector<ReplyFrames>& replies);

// The status query 078102FF and the records of the last purchase; what the meter refuses of them is left out.
absl::StatusOr<ExchangeGroup> EncodeDlt645ReadPrepaid(const Dlt645Call& call, const ReadPrepaid& read);
Decoded DecodeDlt645ReadPrepaid(const Dlt645Call& call, const ReadPrepaid& read,
                                const std::vector<ReplyFrames>& replies);

}  // namespace voltwell::codec
