// The parts of the register tables, each in a file of its own.
#pragma once

#include <span>

#include "libs/codec/dlt645/register_table.h"

namespace voltwell::codec::dlt645 {

std::span<const Register> EnergyRows();     // 2007, classes 00 and 01.
std::span<const Register> VariableRows();   // 02
std::span<const Register> EventRows();      // 03, 10 to 21
std::span<const Register> ParameterRows();  // 04
std::span<const Register> TableRows();      // 04: time tables, prices, steps
std::span<const Register> FreezeRows();     // 05, 06
std::span<const Register> Rows1997();

}  // namespace voltwell::codec::dlt645
