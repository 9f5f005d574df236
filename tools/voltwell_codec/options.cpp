#include "tools/voltwell_codec/options.h"

#include <array>
#include <functional>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/status.h"

namespace voltwell::codec_cli {
namespace {

using codec::Protocol;

constexpr std::array<std::pair<Protocol, const char*>, 4> kProtocols = {{{Protocol::kDlt645_2007, "DLT645_2007"},
                                                                         {Protocol::kDlt645_1997, "DLT645_1997"},
                                                                         {Protocol::kCjt188, "CJT188"},
                                                                         {Protocol::kMbus, "MBUS"}}};

absl::Status BadOption(const std::string& option, const std::string& why) {
  return base::InvalidArgument("BAD_OPTION", absl::StrCat("--", option, ": ", why), {{"option", option}});
}

using Setter = std::function<absl::Status(const std::string& value, Options& options)>;

Setter Bytes(std::string Options::*member) {
  return [member](const std::string& value, Options& options) -> absl::Status {
    VW_ASSIGN_OR_RETURN(options.*member, base::FromHex(value));
    return absl::OkStatus();
  };
}

Setter Text(std::string Options::*member) {
  return [member](const std::string& value, Options& options) {
    options.*member = value;
    return absl::OkStatus();
  };
}

const std::map<std::string, Setter>& Setters() {
  static const auto* const setters = new std::map<std::string, Setter>{
      {"address", Text(&Options::address)},
      {"profile", Text(&Options::profile)},
      {"profile-directory", Text(&Options::profile_directory)},
      {"password", Bytes(&Options::password)},
      {"operator", Bytes(&Options::operator_code)},
      {"cipher", Bytes(&Options::cipher)},
      {"mac", Bytes(&Options::mac)},
      {"order", Text(&Options::order)},
      {"delay",
       [](const std::string& value, Options& options) {
         return absl::SimpleAtoi(value, &options.delay_minutes) ? absl::OkStatus() : BadOption("delay", "not a number");
       }},
      {"protocol",
       [](const std::string& value, Options& options) -> absl::Status {
         VW_ASSIGN_OR_RETURN(options.protocol, ParseProtocol(value));
         return absl::OkStatus();
       }},
      {"language",
       [](const std::string& value, Options& options) {
         if (value != "en" && value != "zh") return BadOption("language", "en or zh");
         options.language = value == "zh" ? codec::Language::kChinese : codec::Language::kEnglish;
         return absl::OkStatus();
       }},
      {"baud",
       [](const std::string& value, Options& options) {
         return absl::SimpleAtoi(value, &options.baud) ? absl::OkStatus() : BadOption("baud", "not a number");
       }},
  };
  return *setters;
}

}  // namespace

absl::StatusOr<Protocol> ParseProtocol(const std::string& name) {
  for (const auto& [protocol, known] : kProtocols) {
    if (name == known) return protocol;
  }
  return BadOption("protocol", "DLT645_2007, DLT645_1997, CJT188 or MBUS");
}

std::string ProtocolName(Protocol protocol) {
  for (const auto& [known, name] : kProtocols) {
    if (protocol == known) return name;
  }
  return "UNKNOWN";
}

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& word = arguments[i];
    if (word == "--") {
      options.frames.assign(arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1, arguments.end());
      break;
    }
    if (word.rfind("--", 0) != 0) {
      options.words.push_back(word);
      continue;
    }
    const size_t equals = word.find('=');
    const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
    if (name == "show-secrets") {
      if (equals != std::string::npos) return BadOption(name, "takes no value");
      options.show_secrets = true;
      continue;
    }
    const auto setter = Setters().find(name);
    if (setter == Setters().end()) return BadOption(name, "no such option; see voltwell-codec help");
    if (equals == std::string::npos && i + 1 == arguments.size()) return BadOption(name, "needs a value");
    VW_RETURN_IF_ERROR(setter->second(equals == std::string::npos ? arguments[++i] : word.substr(equals + 1), options));
  }
  return options;
}

}  // namespace voltwell::codec_cli
