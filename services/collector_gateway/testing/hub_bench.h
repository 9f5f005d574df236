// A hub on a free port with a clock that tests move, a link book that only remembers, and a sink that keeps results.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "libs/metrics/metrics.h"
#include "libs/os/random.h"
#include "libs/testing/eventually.h"
#include "libs/testing/fake_clock.h"
#include "services/collector_gateway/core/hub.h"
#include "services/collector_gateway/testing/fake_collector.h"
#include "services/collector_gateway/testing/frames.h"

namespace voltwell::gateway::testing {

class RememberingBook final : public LinkBook {
 public:
  void Registered(const Route& route) override { Note("online " + route.entry->registration_id); }
  void Gone(const Route& route, const char* reason) override {
    Note("offline " + route.entry->registration_id + ": " + reason);
  }
  void Quarantined(const std::string& sent, const Peer&) override { Note("quarantined " + sent); }
  void WhoHolds(std::vector<Sought> buses, Answer answer) override {
    std::vector<std::string> pods;
    for (const Sought& bus : buses) pods.push_back(bus.collector == "VW-ELSEWHERE" ? "gateway-7" : "");
    answer(std::move(pods));
  }
  std::vector<std::string> notes() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  bool Has(const std::string& note) const {
    const std::vector<std::string> all = notes();
    return std::find(all.begin(), all.end(), note) != all.end();
  }

 private:
  void Note(std::string note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(std::move(note));
  }
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

class RememberingSink final : public ResultSink {
 public:
  void Deliver(std::vector<Result>&& results) override {
    const std::lock_guard lock(mutex_);
    ++deliveries_;
    for (Result& result : results) results_.push_back(std::move(result));
  }
  std::vector<Result> all() const {
    const std::lock_guard lock(mutex_);
    return results_;
  }
  size_t deliveries() const {
    const std::lock_guard lock(mutex_);
    return deliveries_;
  }
  // Waits in real time until so many are in.
  std::vector<Result> Await(size_t count) const {
    voltwell::testing::Eventually([&] { return all().size() >= count; });
    return all();
  }
  // "1 ok, 2 lost": in the order of their ids, once `count` are in.
  std::string Outcomes(size_t count) const {
    std::map<uint32_t, std::string> by_id;
    for (const Result& result : Await(count)) by_id[result.id] += OutcomeName(result.outcome);
    std::string text;
    for (const auto& [id, outcome] : by_id) text += (text.empty() ? "" : ", ") + std::to_string(id) + " " + outcome;
    return text;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Result> results_;
  size_t deliveries_ = 0;
};

inline BusEntryPtr EntryOf(const std::string& registration, const std::string& tenant = "t1", int bus = 1,
                           const std::string& source = "") {
  BusEntry entry;
  entry.registration = registration;
  entry.registration_id = registration;
  entry.collector = registration.substr(0, registration.find('/'));
  entry.tenant = tenant;
  entry.bus = bus;
  entry.timing = {absl::Milliseconds(500), 0};
  entry.heartbeat = "ping";
  entry.source = *ParseNetwork(source);
  return std::make_shared<const BusEntry>(entry);
}

struct HubBench {
  explicit HubBench(HubConfig config = {.listen = "127.0.0.1", .port = 0})
      : hub(std::move(config), clock, random, routes, book, metrics) {
    VW_CHECK(hub.Start().ok());
    Publish({EntryOf("VW-1"), EntryOf("VW-1/2", "t1", 2), EntryOf("VW-2")});
  }

  void Publish(std::vector<BusEntryPtr> entries, bool usable = true) {
    hub.UseDirectory(std::make_shared<const DirectoryCopy>(1, std::move(entries)), usable);
  }
  // The shards see that time has passed.
  void Advance(absl::Duration by) {
    Settle();
    clock.Advance(by);
    Settle();
  }
  // All that was posted or received before has been worked off.
  void Settle() {
    for (int round = 0; round < 2; ++round) {
      std::atomic<bool> done = false;
      hub.Describe({}, [&done](const std::vector<SessionFacts>&) { done = true; });
      voltwell::testing::Eventually([&done] { return done.load(); });
    }
  }
  // The hub has read all that collectors sent: `bytes` since the start.
  bool Read(double bytes) {
    return voltwell::testing::Eventually([&] { return metrics.bytes_in.Value() >= bytes; });
  }
  FakeCollector Dial(const std::string& registration) {
    const double before = metrics.bytes_in.Value();
    const double registered = metrics.registrations.Value();
    FakeCollector collector(hub.port());
    collector.Send(registration);
    VW_CHECK(Read(before + static_cast<double>(registration.size())));
    Advance(kRegistrationGap);
    VW_CHECK(voltwell::testing::Eventually([&] { return metrics.registrations.Value() > registered; }));
    return collector;
  }
  std::shared_ptr<RememberingSink> Submit(std::vector<Item> items, const std::string& collector = "VW-1", int bus = 1,
                                          const std::string& tenant = "t1") {
    auto sink = std::make_shared<RememberingSink>();
    std::vector<AddressedItem> addressed;
    for (Item& item : items) addressed.push_back({collector, bus, tenant, std::move(item)});
    hub.Submit(std::move(addressed), sink);
    return sink;
  }

  voltwell::testing::FakeClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics metrics{registry};
  Routes routes;
  RememberingBook book;
  Hub hub;
};

}  // namespace voltwell::gateway::testing
