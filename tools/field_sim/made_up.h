// The registers of DL/T 645-2007 that nothing simulates: events, demands, parameters, freezes. Their values are made up
// from the address, the same in each run. Depth (records of an event, freezes) is cut down to what shows an index.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/field_sim/sheet.h"

namespace voltwell::field_sim {

// Null: no such register here.
const SheetRow* FindMadeUp(uint32_t di);
std::vector<uint32_t> MadeUpRegisters();
// Parameters, which may be written.
bool IsWritable(uint32_t di);
// The name under which readings of a register are kept.
std::string IdOf2007(uint32_t di);

}  // namespace voltwell::field_sim
