// Everyone whom the scheduler calls: codec, registry, and each gateway pod by the address that Redis tells.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/rpc/client.h"
#include "voltwell/codec/v1/codec_service.grpc.pb.h"
#include "voltwell/event/v1/event_service.grpc.pb.h"
#include "voltwell/gateway/v1/gateway_service.grpc.pb.h"
#include "voltwell/registry/v1/collector_service.grpc.pb.h"
#include "voltwell/registry/v1/meter_service.grpc.pb.h"

namespace voltwell::scheduler {

using GatewayClient = rpc::Client<voltwell::gateway::v1::GatewayService>;

inline constexpr size_t kGatewayPodsMax = 256;  // Channels kept; beyond it those of pods long gone are dropped.

class GatewayClients {
 public:
  GatewayClients(rpc::TokenIssuer& issuer, os::Clock& clock, metrics::Registry& metrics)
      : issuer_(issuer), clock_(clock), metrics_(metrics) {}

  std::shared_ptr<GatewayClient> At(const std::string& address) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<GatewayClient>& client = clients_[address];
    if (client == nullptr) {
      client = std::make_shared<GatewayClient>(rpc::Target{.target = address, .service = "collector_gateway"}, issuer_,
                                               clock_, metrics_);
      std::shared_ptr<GatewayClient> made = client;
      if (clients_.size() > kGatewayPodsMax) {
        clients_.clear();
        clients_[address] = made;
      }
      return made;
    }
    return client;
  }

 private:
  rpc::TokenIssuer& issuer_;
  os::Clock& clock_;
  metrics::Registry& metrics_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<GatewayClient>> clients_;
};

struct Clients {
  Clients(const std::string& codec_address, const std::string& registry_address, rpc::TokenIssuer& issuer,
          os::Clock& clock, metrics::Registry& metrics)
      : codec({.target = codec_address, .service = "protocol_codec"}, issuer, clock, metrics),
        meters({.target = registry_address, .service = "registry"}, issuer, clock, metrics),
        collectors({.target = registry_address, .service = "registry"}, issuer, clock, metrics),
        registry_events({.target = registry_address, .service = "registry"}, issuer, clock, metrics),
        gateways(issuer, clock, metrics) {}

  rpc::Client<voltwell::codec::v1::CodecService> codec;
  rpc::Client<voltwell::registry::v1::MeterService> meters;
  rpc::Client<voltwell::registry::v1::CollectorService> collectors;
  rpc::Client<voltwell::event::v1::EventService> registry_events;
  GatewayClients gateways;
};

}  // namespace voltwell::scheduler
