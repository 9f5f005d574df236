// DL/T 645 of both editions behind the codec's door: which frames a command needs and what their answers say.
#pragma once

#include <optional>
#include <vector>

#include "libs/codec/codec.h"
#include "libs/codec/dlt645/explain.h"

namespace voltwell::codec {

absl::StatusOr<ExchangeGroup> EncodeDlt645(const Command& command, const Profile& profile);
Decoded DecodeDlt645(const Answer& answer, const Profile& profile);
std::vector<RegisterInfo> ListDlt645Registers();  // 2007
std::vector<RegisterInfo> ListDlt645Registers1997();
// One register by its id, a member of a pattern as itself.
std::optional<RegisterInfo> FindDlt645Register(absl::string_view reg);
std::optional<RegisterInfo> FindDlt645Register1997(absl::string_view reg);

}  // namespace voltwell::codec
