// voltwell-field-sim: the simulated field, for demos, end-to-end tests and benchmarks.
#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/field_sim/admin.h"
#include "tools/field_sim/field.h"
#include "tools/field_sim/options.h"
#include "tools/field_sim/park.h"

namespace {

using namespace voltwell::field_sim;  // NOLINT: the program of this namespace.

constexpr int kStopLookMs = 200;  // A signal between two waits is seen this much later at most.

volatile std::sig_atomic_t stop = 0;

int Fail(const absl::Status& status) {
  std::fprintf(stderr, "voltwell-field-sim: %s\n", std::string(status.message()).c_str());
  return 2;
}

void Say(const nlohmann::json& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

absl::Status Run(const Options& options, const Park& park) {
  FieldOptions field_options;
  field_options.dial_per_second = options.dial_per_second;
  for (const std::string& text : options.targets) {
    auto target = ParseTarget(text);
    if (!target.ok()) return target.status();
    field_options.targets.push_back(*target);
  }
  Field field(park, field_options);
  AdminApi api(field);
  std::unique_ptr<AdminServer> admin;
  if (options.admin_port.has_value()) {
    auto listener = ListenLoopback(*options.admin_port);
    if (!listener.ok()) return listener.status();
    admin = std::make_unique<AdminServer>(*std::move(listener), api);
    field.Watch(admin->poll_fd(), [&admin] { admin->Work(); });
  }
  const int admin_port = admin == nullptr ? 0 : admin->port();
  Say({{"event", "started"}, {"links", field.links()}, {"meters", park.meters()}, {"admin_port", admin_port}});
  bool told = false;
  while (stop == 0) {
    field.Poll(kStopLookMs);
    if (!told && field.connected() == field.links()) {
      told = true;
      Say({{"event", "all_connected"}, {"links", field.links()}, {"meters", park.meters()}});
    }
  }
  Say({{"event", "stopped"}});
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  const auto options = ParseOptions(std::vector<std::string>(argv + 1, argv + argc));
  if (!options.ok()) return Fail(options.status());
  if (options->help) return std::fputs(kUsage, stdout) < 0 ? 1 : 0;
  auto park = LoadPark(options->park);
  if (!park.ok()) return Fail(park.status());
  if (options->seed.has_value()) park->seed = *options->seed;
  if (options->print_park) {
    std::printf("%s\n", ParkToJson(*park).dump(1).c_str());
    return 0;
  }
  std::signal(SIGTERM, [](int) { stop = 1; });
  std::signal(SIGINT, [](int) { stop = 1; });
  const absl::Status status = Run(*options, *park);
  return status.ok() ? 0 : Fail(status);
}
