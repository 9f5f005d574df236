// M-Bus (EN 13757-2/-3) behind the codec's door: which frames a command needs and what their answers say.
//
// A read asks for the whole readout (M-Bus meters know no single register) and picks out what was asked for; "mbus:*"
// is everything. Register ids: libs/codec/mbus/obis.h; energies come in kWh or GJ, powers in kW. A readout of several
// telegrams (DIF 1FH) is asked for again with one telegram more until it is whole, 16 at most.
//
// A valve is moved by the bytes of the meter's profile (valve_open, valve_close) and read back in the same group.
#pragma once

#include <optional>
#include <vector>

#include "libs/codec/codec.h"

namespace voltwell::codec {

// Telegrams of one readout.
inline constexpr size_t kMbusTelegramsMax = 16;

absl::StatusOr<ExchangeGroup> EncodeMbus(const Command& command, const Profile& profile);
Decoded DecodeMbus(const Answer& answer, const Profile& profile);
ExplainedBytes ExplainMbus(base::ByteView bytes, const ExplainOptions& options);
std::vector<RegisterInfo> ListMbusRegisters();
std::optional<RegisterInfo> FindMbusRegister(absl::string_view reg);

}  // namespace voltwell::codec
