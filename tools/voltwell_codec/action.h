// What shall be done to a meter, from the words of a command line: "read 1-0:1.8.0", "relay open", "write REG VALUE".
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "libs/codec/codec.h"
#include "tools/voltwell_codec/options.h"

namespace voltwell::codec_cli {

// Words behind the first one ("encode", "decode"). BAD_ACTION with the words that it needs.
absl::StatusOr<codec::Command> ToCommand(const Options& options);

// One line for each action.
std::string ActionHelp();

}  // namespace voltwell::codec_cli
