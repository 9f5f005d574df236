// The gateway's core as its service sees it: shards behind one door. Everything here may be called from any thread and
// none of it blocks, Start, Drain and Stop aside.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/collector_gateway/core/shard.h"

namespace voltwell::gateway {

// For shards to close what draining left open: only what they are at, no waiting for collectors.
inline constexpr absl::Duration kCloseAllMax = absl::Seconds(1);

struct HubConfig {
  std::string listen = "0.0.0.0";
  int port = 7645;  // 0: any free one.
  int shards = 1;
  size_t unregistered_max = kUnregisteredMax;  // Of a shard.
  int sessions_max = 20'000;                   // Of the process; the kernel's limit on open files is near it.
  int tls_port = 7646;                         // Only with a certificate. 0: any free one.
  TlsConfig tls = {};
  absl::Duration registration_timeout = kRegistrationTimeout;
  AdmissionLimits admission = {};
  std::vector<std::string> trusted_proxies = {};  // Networks of balancers that send PROXY protocol v2.
};

// One item as the call addresses it; the views live as long as the call to Submit.
struct AddressedItem {
  absl::string_view collector = {};
  int bus = 1;
  absl::string_view tenant = {};
  Item item = {};
};

class Hub {
 public:
  Hub(HubConfig config, os::Clock& clock, os::Random& random, Routes& routes, LinkBook& links, GatewayMetrics& metrics);
  ~Hub();

  // Unavailable PORT_TAKEN when it cannot listen, InvalidArgument BAD_NETWORK or BAD_TLS_FILE.
  absl::Status Start();
  int port() const { return port_; }
  int tls_port() const { return tls_port_; }
  // Accepts no more, finishes what is on the buses, closes all; returns when all are closed or after `limit`.
  void Drain(absl::Duration limit);
  // After Drain: closes what is still open and answers its items. False when a shard took longer than kCloseAllMax.
  bool CloseAll();
  void Stop();

  // A connected socket of a collector that we dialled.
  void AdoptDialled(int fd, const Peer& peer, const BusEntryPtr& entry);

  // Every item gets exactly one result, unless its call is dropped.
  void Submit(std::vector<AddressedItem>&& items, const std::shared_ptr<ResultSink>& sink);
  // The call has gone: what it has waiting is forgotten.
  void Drop(const std::shared_ptr<ResultSink>& sink);

  void UseDirectory(const std::shared_ptr<const DirectoryCopy>& directory, bool usable);
  void Close(SessionId id, const char* reason);
  // All buses of a collector; tells how many connections.
  int CloseCollector(absl::string_view collector, const char* reason);

  // Adds counts to these routes on their shards, drops those that ended meanwhile, keeps the order, then answers.
  using FactsAnswer = absl::AnyInvocable<void(std::vector<SessionFacts>)>;
  void Describe(std::vector<Route> routes, FactsAnswer answer);
  // What is known of one bus; null when its session ended meanwhile.
  using ReportAnswer = absl::AnyInvocable<void(std::unique_ptr<BusReport>)>;
  void Examine(Route route, ReportAnswer answer);
  const Routes& routes() const { return routes_; }
  TraceBook& traces() { return traces_; }

  // For tests with a clock that is moved by hand: every shard looks at it again.
  void Nudge();

 private:
  Shard& ShardFor(SessionId id) { return *shards_[ShardOf(id)]; }
  void Deal(int fd, Peer peer, bool tls);
  absl::StatusOr<int> ListenOn(int port);
  absl::Status ReadTrustedProxies();
  bool AnyOpen() const;

  const HubConfig config_;
  os::Clock& clock_;
  Routes& routes_;
  LinkBook& links_;
  GatewayMetrics& metrics_;
  TraceBook traces_;
  ArrivalGate gate_;
  std::vector<Network> trusted_proxies_;  // Not changed after Start.
  std::unique_ptr<TlsContext> tls_;
  std::vector<std::unique_ptr<Shard>> shards_;
  uint32_t next_shard_ = 0;  // Only the listening shard deals.
  int port_ = 0;
  int tls_port_ = 0;  // 0: none.
};

}  // namespace voltwell::gateway
