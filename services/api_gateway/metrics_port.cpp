#include "services/api_gateway/metrics_port.h"

#include <filesystem>

namespace voltwell::front {
namespace {

http::Limits SmallLimits() {
  http::Limits limits;
  limits.connections = limits.connections_per_address = 64;
  limits.body_bytes = 1024;
  return limits;
}

}  // namespace

MetricsPort::MetricsPort(const Config& config, const FrontDoor& door, metrics::Registry& metrics)
    : server_(
          config.listen, config.metrics_port, SmallLimits(), 1,
          [&door, &metrics](const http::Request& request, const std::shared_ptr<http::Responder>& responder) {
            if (request.path == "/metrics") {
              responder->Respond({200, {{"content-type", "text/plain; version=0.0.4; charset=utf-8"}}}, metrics.Text());
            } else if (request.path == "/healthz") {
              auto [status, body] = door.Health();
              responder->Respond({status, {{"content-type", "application/json"}}}, std::move(body));
            } else {
              responder->Respond({404, {{"content-type", "text/plain"}}}, "not found\n");
            }
          },
          metrics) {}

http::Limits ServerLimits(const Config& config) {
  http::Limits limits;
  limits.connections = config.connections;
  limits.connections_per_address = config.connections_per_address;
  return limits;
}

http::Handler HandlerOf(FrontDoor& door) {
  return [&door](http::Request request, std::shared_ptr<http::Responder> responder) {
    door.Handle(std::move(request), std::move(responder));
  };
}

std::string DescriptorsPath(const std::string& configured) {
  if (!configured.empty()) return configured;
  std::error_code error;
  const auto directory = std::filesystem::read_symlink("/proc/self/exe", error).parent_path().parent_path();
  for (const char* place : {"gen", "share/voltwell"}) {
    const auto path = directory / place / "voltwell.descriptors.pb";
    if (std::filesystem::exists(path, error)) return path.string();
  }
  return "voltwell.descriptors.pb";
}

}  // namespace voltwell::front
