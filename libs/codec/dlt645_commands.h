// DL/T 645-2007 behind the codec's door: which frames a command needs and what their answers say.
#pragma once

#include <vector>

#include "libs/codec/codec.h"

namespace voltwell::codec {

absl::StatusOr<ExchangeGroup> EncodeDlt645(const Command& command);
Decoded DecodeDlt645(const Answer& answer);
ExplainedBytes ExplainDlt645(base::ByteView bytes, bool show_secrets);
std::vector<RegisterInfo> ListDlt645Registers();

}  // namespace voltwell::codec
