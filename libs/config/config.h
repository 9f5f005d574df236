// Every option is declared once: name, help, default, limits, secret or not. From that come the flag
// (--collector-port), the environment variable (VOLTWELL_COLLECTOR_PORT), --help, --check-config and --print-config
// (secrets masked).
//
//   struct Config {
//     int collector_port = 7645;
//     rpc::ServerConfig rpc;
//     void Declare(config::Options& options) {
//       options.Int("collector-port", &collector_port, "TCP port that collectors dial", {.min = 0, .max = 65535});
//       rpc.Declare(options);
//     }
//   };
//   const auto config = config::Load<Config>(argc, argv);
//
// A flag beats the environment, the environment beats the default. An unknown flag is a mistake; so is a value beyond
// its limits: Load prints the first mistake to stderr and exits with 2.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace voltwell::config {

struct IntLimits {
  int64_t min = std::numeric_limits<int64_t>::min();
  int64_t max = std::numeric_limits<int64_t>::max();
};

struct TextRules {
  bool required = false;  // Empty is a mistake.
  bool secret = false;    // Printed as ***. A secret may also be given as NAME-file: the path of a file that holds it.
  std::vector<std::string> choices = {};  // Anything else is a mistake; empty: any text.
};

class Options {
 public:
  Options();
  ~Options();

  void Int(std::string name, int* value, std::string help, IntLimits limits = {});
  void Int(std::string name, int64_t* value, std::string help, IntLimits limits = {});
  void Bool(std::string name, bool* value, std::string help);
  void Text(std::string name, std::string* value, std::string help, const TextRules& rules = {});
  // Written as 250ms, 2s, 5m (absl::ParseDuration).
  void Duration(std::string name, absl::Duration* value, std::string help, absl::Duration min = absl::ZeroDuration(),
                absl::Duration max = absl::InfiniteDuration());
  // Comma separated in the environment and on the command line.
  void List(std::string name, std::vector<std::string>* value, std::string help);

  using Environment = std::function<const char*(const char*)>;
  // Reads environment, then arguments. InvalidArgument with reason BAD_OPTION and metadata option.
  absl::Status Parse(const std::vector<std::string>& arguments, const Environment& environment);
  std::string Help() const;
  std::string Print() const;  // name=value a line, secrets as ***.

 private:
  struct Option;
  std::vector<std::unique_ptr<Option>> options_;
  Option& Add(std::string name, std::string help);
  Option* Find(absl::string_view name) const;
  absl::Status Unknown(absl::string_view name) const;
  absl::Status ParseEnvironment(const Environment& environment);
  absl::Status ParseArguments(const std::vector<std::string>& arguments);
  static absl::Status Set(const Option& option, absl::string_view text);
  static absl::Status SetFromFile(const Option& option, const std::string& path);
};

// Ends the process after --help, --print-config, --check-config (exit 0) or the first mistake (exit 2).
void ParseOrExit(Options& options, int argc, char** argv);

template <typename Config>
Config Load(int argc, char** argv) {
  Config config;
  Options options;
  config.Declare(options);
  ParseOrExit(options, argc, argv);
  return config;
}

}  // namespace voltwell::config
