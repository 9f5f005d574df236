#include "tools/field_sim/options.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"

namespace voltwell::field_sim {

const char kUsage[] = R"(voltwell-field-sim --park FILE [options]
Simulates collectors with buses and DL/T 645-2007 meters that dial a gateway over TCP.
  --park FILE         the field to simulate (tools/field_sim/README.md tells the format)
  --target HOST:PORT  the gateway; 127.0.0.1:7645 without it
  --targets A,B,...   several gateways: collectors are spread over them, and go to the next when one refuses
  --admin-port N      HTTP on 127.0.0.1:N with the true state of the field; 0 takes a free port
  --seed N            in place of the park's seed
  --dial-rate N       connects a second at the start; 2000 without it
  --print-park        print the park with templates expanded and defaults filled in, and exit
Prints one JSON line when it has started and one when all buses are connected. SIGTERM ends it.
)";

namespace {

absl::Status Wrong(const std::string& flag, absl::string_view why) {
  return base::InvalidArgument("FLAG_BAD", absl::StrCat(flag, ": ", why), {{"flag", flag}});
}

absl::Status Set(const std::string& flag, const std::string& value, Options* options) {
  uint64_t number = 0;
  const bool numeric = absl::SimpleAtoi(value, &number);
  if (flag == "--park") {
    options->park = value;
  } else if (flag == "--target") {
    options->targets = {value};
  } else if (flag == "--targets") {
    options->targets = absl::StrSplit(value, ',', absl::SkipEmpty());
    if (options->targets.empty()) return Wrong(flag, "HOST:PORT,... is expected");
  } else if (flag == "--admin-port") {
    if (!numeric || number > 65'535) return Wrong(flag, "a port is expected");
    options->admin_port = static_cast<uint16_t>(number);
  } else if (flag == "--seed") {
    if (!numeric) return Wrong(flag, "a whole number is expected");
    options->seed = number;
  } else if (flag == "--dial-rate") {
    if (!numeric || number < 1 || number > 1'000'000) return Wrong(flag, "1 to 1000000 is expected");
    options->dial_per_second = static_cast<int>(number);
  } else {
    return Wrong(flag, "no such option; --help lists them");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const std::vector<std::string>& arguments) {
  Options options;
  for (size_t i = 0; i < arguments.size(); ++i) {
    std::string flag = arguments[i];
    if (flag == "--help" || flag == "--print-park") {
      (flag == "--help" ? options.help : options.print_park) = true;
      continue;
    }
    std::string value;
    if (const size_t equals = flag.find('='); equals != std::string::npos) {
      value = flag.substr(equals + 1);
      flag.resize(equals);
    } else if (++i < arguments.size()) {
      value = arguments[i];
    } else {
      return Wrong(flag, "a value is expected");
    }
    VW_RETURN_IF_ERROR(Set(flag, value, &options));
  }
  if (options.park.empty() && !options.help) return Wrong("--park", "a park file is needed");
  return options;
}

}  // namespace voltwell::field_sim
