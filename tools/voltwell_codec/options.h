// Splits a command line into options and words, and reads what the options say.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "libs/codec/codec.h"

namespace voltwell::codec_cli {

struct Options {
  codec::Protocol protocol = codec::Protocol::kUnspecified;
  codec::Language language = codec::Language::kEnglish;
  bool show_secrets = false;
  std::string address = {};
  std::string profile = {};
  std::string profile_directory = {};
  int32_t baud = 0;
  std::string password = {};  // Bytes.
  std::string cipher = {};
  std::string mac = {};
  std::string order = {};
  int32_t delay_minutes = 0;
  std::string operator_code = {};        // Bytes.
  std::vector<std::string> words = {};   // What is no option, in order.
  std::vector<std::string> frames = {};  // What stands behind "--".
};

// BAD_OPTION with metadata option.
absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments);

// "DLT645_2007", "DLT645_1997", "CJT188", "MBUS".
absl::StatusOr<codec::Protocol> ParseProtocol(const std::string& name);
std::string ProtocolName(codec::Protocol protocol);

}  // namespace voltwell::codec_cli
