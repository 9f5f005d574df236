// What M-Bus telegrams say, as values with ids, units and quality.
#pragma once

#include <string>
#include <vector>

#include "libs/codec/codec.h"
#include "libs/codec/mbus_exchange.h"

namespace voltwell::codec {

// Asks for so many telegrams of the readout, from its first.
ExchangeGroup MbusReadout(const MbusCall& call, size_t telegrams);

// With a continuation while the last telegram says that more follow.
Decoded DecodeMbusReadout(const MbusCall& call, const std::vector<std::string>& registers,
                          const std::vector<ReplyFrames>& replies);
// The 16 digits of who answered; its primary address is the value "mbus:primary".
Decoded DecodeMbusAddress(const MbusCall& call, const std::vector<ReplyFrames>& replies);
// The same; or collision, when the selection was answered and no single meter's telegram came.
Decoded DecodeMbusSearch(const MbusCall& call, const std::vector<ReplyFrames>& replies);
// The valve as it stands after it was moved.
Decoded DecodeMbusValve(const MbusCall& call, const std::vector<ReplyFrames>& replies);

}  // namespace voltwell::codec
