// The tables of docs/protocols.md, generated from the registers' data.
#pragma once

#include <string>

namespace voltwell::codec_cli {

// Markdown: for each protocol its rows, how many are proven, and the unproven ones by name.
std::string RegisterTables();

}  // namespace voltwell::codec_cli
