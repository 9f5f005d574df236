// One gateway pod of tests/soak: the gateway's core on real sockets and a real Redis, by a clock that the soak moves.
//
//   gateway_soak CLOCK_FILE SLOT POD PORT REDIS_PORT COUNT SHARDS
//
// CLOCK_FILE holds int64 nanoseconds in this machine's order: the time now, then for each SLOT how far its pod has
// come. The soak moves the time on only when the pods have come along, so that a stalled machine delays nobody's
// answer. The directory has COUNT collectors, S0000 and up, with one bus each. Standard input, a line each:   read ID
// COLLECTOR METER ATTEMPT
//                                held
// Standard output, a line each:  listening
//                                result ID OUTCOME VALUE EPOCH MOVED_TO   (VALUE: hex after the item's id; else -)
//                                heap BYTES SESSIONS
//                                held COLLECTOR=EPOCH ...
// SIGTERM drains as the service does; the end of standard input ends it at once.
#include <fcntl.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/log/log.h"
#include "libs/os/random.h"
#include "libs/redis/redis.h"
#include "services/collector_gateway/core/gateway.h"
#include "services/collector_gateway/testing/frames.h"

using namespace voltwell;           // NOLINT
using namespace voltwell::gateway;  // NOLINT

namespace {

// What the soak's collectors are: behind a mobile network, at 2400 baud.
constexpr absl::Duration kLinkTime = absl::Seconds(3);
constexpr absl::Duration kReplyTimeout = absl::Milliseconds(700);
constexpr int kBaud = 2400;
constexpr size_t kValueAt = 14;  // In a reply: head and length, then the four bytes of the item.

[[noreturn]] void Die(const char* what) {
  std::perror(what);
  std::exit(1);
}

class SharedClock final : public os::Clock {
 public:
  SharedClock(const char* file, size_t slot) : slot_(slot) {
    const int fd = open(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) Die(file);
    void* const mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped == MAP_FAILED) Die("mmap");
    close(fd);
    cells_ = static_cast<std::atomic<int64_t>*>(mapped);
  }
  absl::Time Now() const override { return absl::FromUnixNanos(cells_[0].load()); }
  absl::Duration Monotonic() const override { return absl::Nanoseconds(cells_[0].load()); }
  // Every thread of the pod has seen this time.
  void Reached(absl::Duration at) { cells_[1 + slot_] = absl::ToInt64Nanoseconds(at); }

 private:
  static constexpr size_t kBytes = 4096;
  const size_t slot_;
  std::atomic<int64_t>* cells_ = nullptr;
};

std::mutex output_mutex;
void Print(const std::string& lines) {
  const std::lock_guard lock(output_mutex);
  std::fwrite(lines.data(), 1, lines.size(), stdout);
  std::fflush(stdout);
}

std::string Text(const Epoch& epoch) { return absl::StrCat(epoch.generation, ".", epoch.counter); }

// One read's way back. The epoch is of the session that holds the bus when the answer is there.
class Printer final : public ResultSink {
 public:
  Printer(const Hub& hub, std::string collector) : hub_(hub), collector_(std::move(collector)) {}
  void Deliver(std::vector<Result>&& results) override {
    const std::optional<Route> route = hub_.routes().Find({collector_, 1});
    std::string lines;
    for (const Result& result : results) {
      std::string value = "-";
      if (result.outcome == Outcome::kOk) {
        const std::string reply = result.replies[0].at(0);
        value = absl::BytesToHexString(reply.substr(kValueAt, reply.size() - kValueAt - 2));
      }
      absl::StrAppend(&lines, "result ", result.id, " ", OutcomeName(result.outcome), " ", value, " ",
                      route.has_value() ? Text(route->epoch) : "-", " ",
                      result.moved_to.empty() ? "-" : result.moved_to, "\n");
    }
    Print(lines);
  }

 private:
  const Hub& hub_;
  const std::string collector_;
};

std::shared_ptr<const DirectoryCopy> Directory(int count) {
  std::vector<BusEntryPtr> entries;
  for (int i = 0; i < count; ++i) {
    BusEntry entry;
    entry.registration = entry.registration_id = entry.collector = absl::StrFormat("S%04d", i);
    entry.tenant = "soak";
    entry.timing = {kLinkTime, kBaud};
    entry.heartbeat = "ping";
    entries.push_back(std::make_shared<const BusEntry>(entry));
  }
  return std::make_shared<const DirectoryCopy>(1, std::move(entries));
}

void Serve(Hub& hub) {
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string verb;
    std::string collector;
    uint32_t id = 0;
    int meter = 0;
    uint32_t attempt = 1;
    words >> verb >> id >> collector >> meter >> attempt;
    if (verb == "held") {
      // What the heap holds, the allocator's own reserves aside; of the main arena, so start it with
      // MALLOC_ARENA_MAX=1.
      const struct mallinfo2 heap = mallinfo2();
      std::string text = absl::StrCat("heap ", heap.uordblks + heap.hblkhd, " ", hub.routes().size(), "\nheld");
      for (const Route& route : hub.routes().All()) {
        absl::StrAppend(&text, " ", route.entry->collector, "=", Text(route.epoch));
      }
      Print(text + "\n");
      continue;
    }
    Item item;
    item.id = id;
    item.priority = Priority::kScheduled;
    item.attempt = attempt;
    item.exchanges = {testing::ReadOf(static_cast<uint8_t>(meter), "DDDD", kReplyTimeout)};
    std::vector<AddressedItem> items;
    items.push_back({collector, 1, "soak", std::move(item)});
    hub.Submit(std::move(items), std::make_shared<Printer>(hub, collector));
  }
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 8) {
    std::fprintf(stderr, "gateway_soak: see the head of its source\n");
    return 2;
  }
  sigset_t term;
  sigemptyset(&term);
  sigaddset(&term, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &term, nullptr);
  log::Start({}, "gateway_soak");
  SharedClock clock(argv[1], static_cast<size_t>(std::atoi(argv[2])));
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics metrics(registry);
  redis::Config redis_config;
  redis_config.port = std::atoi(argv[5]);
  redis::Client redis(redis_config, registry);
  // As class Gateway wires them, without the follower: the directory does not change.
  Routes routes;
  LinkKeeper links({argv[3], absl::StrCat("127.0.0.1:", argv[4])}, redis, routes, clock, metrics);
  Hub hub({.listen = "127.0.0.1", .port = std::atoi(argv[4]), .shards = std::atoi(argv[7])}, clock, random, routes,
          links, metrics);
  if (!hub.Start().ok()) Die("listen");
  links.Start([&hub](SessionId id, const char* reason) { hub.Close(id, reason); });
  hub.UseDirectory(Directory(std::atoi(argv[6])), true);
  Print("listening\n");

  std::atomic<bool> stop = false;
  std::thread ticker([&] {
    absl::Duration seen;
    absl::Duration beat;
    while (!stop) {
      if (const absl::Duration now = clock.Monotonic(); now != seen) {
        seen = now;
        hub.Describe({}, [&clock, now](const std::vector<SessionFacts>&) { clock.Reached(now); });
        if (now - beat >= kBeatEvery) {
          beat = now;
          links.WhoHolds({}, [](const std::vector<std::string>&) {});  // Wakes its worker, which waits in real time.
        }
      }
      absl::SleepFor(absl::Microseconds(300));
    }
  });
  std::thread(Serve, std::ref(hub)).detach();
  int number = 0;
  sigwait(&term, &number);
  hub.Drain(kDrainMax);
  hub.CloseAll();
  links.Stop(kLinkFlushMax);
  stop = true;
  ticker.join();
  std::_Exit(0);
}
