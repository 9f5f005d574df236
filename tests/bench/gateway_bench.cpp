// What tools/bench gateway runs: the gateway's core with its Redis in a process of its own, and clients for it and for
// its peer mosquitto, of one design.
//
//   gateway_bench serve PORT COUNT REDIS_PORT DIALECTS SHARDS POD
//                                                    a gateway whose directory has COUNT collectors (dialect
//                                                    login-ok); on stdin "load" begins exchanges on all sessions,
//                                                    any line prints CPU used, exchanges, sessions, buses of the
//                                                    directory that are loaded and sessions that Redis has, so far
//   gateway_bench dial PORT COUNT KIND SECONDS IN_FLIGHT
//                                                    COUNT connections, so many at a time before their
//                                                    acknowledgement; KIND: collector, meter (answers), mqtt,
//                                                    mqtt-publish. Prints "acked COUNT SECONDS CPU_SECONDS", works for
//                                                    SECONDS (0: until stdin ends) and prints "answers N"
//   gateway_bench buses PORT BUSES METERS SECONDS FLAPPERS TURNAROUND_MS GAP_MS   R25: listens for tools/field_sim
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <mutex>
#include <random>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/crypto/crypto.h"
#include "libs/directory/directory.h"
#include "libs/log/log.h"
#include "libs/os/files.h"
#include "libs/os/memory.h"
#include "services/collector_gateway/core/dialect_files.h"
#include "services/collector_gateway/core/gateway.h"

using namespace voltwell;           // NOLINT
using namespace voltwell::gateway;  // NOLINT

namespace {

[[noreturn]] void Die(const std::string& what) {
  std::fprintf(stderr, "gateway_bench: %s: %s\n", what.c_str(), std::strerror(errno));
  std::exit(1);
}

std::string IdOf(int number) { return absl::StrFormat("B%07d", number + 1); }

// DL/T 645-2007, by hand: the bench has no codec.
std::string Frame(const std::string& address, char control, const std::string& data) {
  std::string frame = "\x68";
  for (int i = 10; i >= 0; i -= 2) {
    frame += static_cast<char>(std::stoi(address.substr(static_cast<size_t>(i), 2), nullptr, 16));
  }
  frame += "\x68";
  frame += control;
  frame += static_cast<char>(data.size());
  for (const char c : data) frame += static_cast<char>(c + 0x33);
  uint8_t sum = 0;
  for (const char c : frame) sum = static_cast<uint8_t>(sum + static_cast<uint8_t>(c));
  frame += static_cast<char>(sum);
  frame += '\x16';
  return frame;
}
const std::string kEnergy("\x00\x00\x01\x00", 4);  // 00010000, lowest byte first.

Item ReadItem(uint32_t id, const std::string& address) {
  Exchange exchange;
  exchange.question.request = Frame(address, 0x11, kEnergy);
  codec::frame::ReplyPattern pattern;
  for (uint16_t i = 1; i <= 7; ++i) {
    pattern.push_back({i, 0xFF, static_cast<uint8_t>(exchange.question.request[i])});
  }
  codec::frame::ReplyPattern refused = pattern;
  pattern.push_back({8, 0xDF, 0x91});
  refused.push_back({8, 0xFF, 0xD1});
  for (uint16_t i = 10; i < 14; ++i) {
    pattern.push_back({i, 0xFF, static_cast<uint8_t>(exchange.question.request[i])});
  }
  exchange.question.replies.any_of = {pattern, refused};
  // As the codec says it at 2400 baud: half a second, and the wire time of question and answer.
  exchange.reply_timeout = absl::Milliseconds(500) + WireTime(16 + 4 + 20, 2400);
  Item item;
  item.id = id;
  item.priority = Priority::kScheduled;
  item.exchanges.push_back(std::move(exchange));
  return item;
}

// Every result is answered by the next question to the same meter of the same bus, from a thread of its own, as a gRPC
// call would: what ended meanwhile goes together.
class Load final : public ResultSink, public std::enable_shared_from_this<Load> {
 public:
  struct Target {
    std::string collector = {};
    std::string address = {};
  };
  Load(Hub& hub, std::vector<Target> targets) : hub_(hub), targets_(std::move(targets)) {}
  ~Load() override { Stop(); }
  void Start() {
    for (uint32_t i = 0; i < targets_.size(); ++i) {
      items_.push_back(ReadItem(i, targets_[i].address));
      first_.push_back(i);
    }
    thread_ = std::thread([this] { Ask(); });
  }
  void Deliver(std::vector<Result>&& results) override {
    const std::lock_guard lock(mutex_);
    ended_now_.push_back(std::move(results));
    if (ended_now_.size() == 1) wake_.notify_one();
  }
  void Stop() {
    stop_ = true;
    wake_.notify_one();
    if (thread_.joinable()) thread_.join();
  }
  int64_t Ended(Outcome outcome) const { return ended_[static_cast<size_t>(outcome)]; }
  int64_t All() const {
    int64_t all = 0;
    for (const auto& count : ended_) all += count;
    return all;
  }

 private:
  void Ask() {
    std::vector<uint32_t> free = std::move(first_);
    while (!stop_) {
      std::vector<AddressedItem> items;
      items.reserve(free.size());
      for (const uint32_t i : free) items.push_back({targets_[i].collector, 1, "bench", items_[i]});
      if (!items.empty()) hub_.Submit(std::move(items), shared_from_this());
      free.clear();
      std::vector<std::vector<Result>> ended;
      {
        std::unique_lock lock(mutex_);
        wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return stop_ || !ended_now_.empty(); });
        ended.swap(ended_now_);
      }
      for (const auto& results : ended) {
        for (const Result& result : results) free.push_back(Ended(result));
      }
    }
  }
  uint32_t Ended(const Result& result) {
    ++ended_[static_cast<size_t>(result.outcome)];
    // Nobody there (yet): not at once again, or this would spin.
    if (result.outcome == Outcome::kOffline && !stop_) {
      std::fprintf(stderr, "offline: %s\n", targets_[result.id].collector.c_str());
      std::exit(1);
    }
    return result.id;
  }
  Hub& hub_;
  const std::vector<Target> targets_;
  std::array<std::atomic<int64_t>, kOutcomes> ended_ = {};
  std::vector<Item> items_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<uint32_t> first_;
  std::vector<std::vector<Result>> ended_now_;  // Guarded by mutex_.
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

// User time of the threads whose name begins so, in seconds.
double ThreadSeconds(const std::string& name) {
  double seconds = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream stat(task.path() / "stat");
    std::string text((std::istreambuf_iterator<char>(stat)), std::istreambuf_iterator<char>());
    const size_t open = text.find('(');
    const size_t end = text.rfind(')');
    if (end == std::string::npos || text.compare(open + 1, name.size(), name) != 0) continue;
    std::istringstream fields(text.substr(end + 2));
    std::string field;
    for (int i = 0; i < 12; ++i) fields >> field;  // utime is the 14th of the line.
    seconds += std::stod(field) / static_cast<double>(sysconf(_SC_CLK_TCK));
  }
  return seconds;
}

double UserSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + static_cast<double>(usage.ru_utime.tv_usec) / 1e6;
}

void PublishDirectory(redis::Client& client, const crypto::SigningKey& key, int count) {
  for (int i = 0; i < count; ++i) {
    directory::Entry entry;
    entry.registration_id = entry.collector = IdOf(i);
    entry.tenant = "bench";
    entry.dialect = "login-ok";
    entry.baud = 0;
    const auto written = client.Call({"HSET", directory::kDirectoryKey, entry.registration_id, Encode(entry, key)});
    if (!written.ok()) Die(written.status().ToString());
  }
  if (!client.Call({"SET", directory::kGenerationKey, "1"}).ok()) Die("no generation");
}

int Serve(int port, int count, int redis_port, const std::string& dialects, int shards, const std::string& pod) {
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics metrics(registry);
  redis::Config redis_config;
  redis_config.port = redis_port;
  redis::Client client(redis_config, registry);
  const auto key = crypto::SigningKey::FromSeed(std::string(32, 'k'));
  const std::string key_file = "/tmp/gateway_bench." + std::to_string(getpid()) + ".pub";
  if (!os::WriteFile(key_file, crypto::Base64Url(key->PublicKey()) + "\n").ok()) Die(key_file);
  const auto known = client.Call({"HLEN", directory::kDirectoryKey});
  if (!known.ok()) Die(known.status().ToString());
  if (known->integer != count) PublishDirectory(client, *key, count);
  const auto loaded = LoadDialects(dialects);
  if (!loaded.ok()) Die(loaded.status().ToString());
  Gateway gateway({.listen = "127.0.0.1", .port = port, .shards = shards}, {pod, "127.0.0.1:1"}, key_file, client,
                  clock, random, metrics, std::make_shared<const Dialects>(*loaded));
  if (!gateway.Start().ok()) Die("cannot listen");
  std::printf("listening\n");
  std::fflush(stdout);
  std::shared_ptr<Load> load;
  for (std::string line; std::getline(std::cin, line);) {
    if (line == "load") {
      std::vector<Load::Target> targets;
      for (const Route& route : gateway.hub().routes().All()) {
        targets.push_back({route.entry->collector, "000000000001"});
      }
      load = std::make_shared<Load>(gateway.hub(), std::move(targets));
      load->Start();
    }
    std::printf("usage %.3f shards %.3f ok %lld all %lld sessions %.0f directory %.0f claims %.0f\n", UserSeconds(),
                ThreadSeconds("shard"), static_cast<long long>(load == nullptr ? 0 : load->Ended(Outcome::kOk)),
                static_cast<long long>(load == nullptr ? 0 : load->All()), metrics.sessions.Value(),
                metrics.directory_entries.Value(), metrics.claims.Value());
    std::fflush(stdout);
  }
  if (load != nullptr) load->Stop();
  unlink(key_file.c_str());
  return 0;
}

// One connection of either kind: says hello, waits for its acknowledgement, then answers or publishes.
struct Kind {
  std::string name;
  std::string Hello(int i) const {
    const std::string id = IdOf(i);
    if (name[0] != 'm' || name == "meter") return "LOGIN:" + id + "\r\n";
    std::string packet("\x10\x14\x00\x04MQTT\x04\x02\x00\x3C\x00\x08", 14);
    return packet + id;
  }
  size_t acknowledgement() const { return 4; }  // "OK\r\n", CONNACK.
  bool publishes() const { return name == "mqtt-publish"; }
  bool answers() const { return name == "meter"; }
  std::string Publish(uint16_t number) const {
    std::string packet("\x32\x19\x00\x01t", 5);
    packet += static_cast<char>(number >> 8);
    packet += static_cast<char>(number);
    return packet + std::string(20, 'v');
  }
};

int ConnectTo(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) Die("socket");
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Die("connect");
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  return fd;
}

void RaiseFiles() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

void Say(int fd, const std::string& bytes) {
  if (send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(bytes.size())) Die("send");
}

// Begins to connect; epoll tells when it has. From one of a hundred addresses: the kernel looks for a free port one
// after the other, and with most of one address's ports taken that would cost half a millisecond.
int BeginConnect(int port, size_t number) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) Die("socket");
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 + static_cast<uint32_t>(number % 100));
  setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof(yes));
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) Die("bind");
  address.sin_port = htons(static_cast<uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 && errno != EINPROGRESS) {
    Die("connect");
  }
  return fd;
}

void TellAcked(int acked, absl::Duration took) {
  rusage used = {};
  getrusage(RUSAGE_SELF, &used);
  std::printf("acked %d %.3f %.3f\n", acked, absl::ToDoubleSeconds(took),
              static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                  static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
  std::fflush(stdout);
}

int Dial(int port, int count, const Kind& kind, double seconds, int in_flight) {
  RaiseFiles();
  const int epoll = epoll_create1(0);
  std::vector<size_t> got(static_cast<size_t>(count));
  std::vector<int> fds(static_cast<size_t>(count), -1);
  std::vector<bool> greeted(static_cast<size_t>(count));
  std::vector<uint16_t> numbers(static_cast<size_t>(count), 1);
  epoll_event stdin_event = {.events = EPOLLIN, .data = {.u64 = ~uint64_t{0}}};
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &stdin_event);
  const std::string answer =
      Frame("000000000001", static_cast<char>(0x91), kEnergy + std::string("\x56\x34\x12\x00", 4));
  const size_t question = Frame("000000000001", 0x11, kEnergy).size();
  int dialled = 0;
  int acked = 0;
  long long answers = 0;
  const absl::Time began = absl::Now();
  absl::Time end = absl::InfiniteFuture();
  std::array<epoll_event, 512> events;
  std::array<char, 4096> buffer;
  while (absl::Now() < end) {
    // A few at a time, so that those under way are looked after meanwhile.
    for (int begun = 0; begun < 64 && dialled < count && dialled - acked < in_flight; ++begun) {
      const size_t i = static_cast<size_t>(dialled++);
      fds[i] = BeginConnect(port, i);
      epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.u64 = i}};
      epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
    }
    const bool more = dialled < count && dialled - acked < in_flight;
    const int ready = epoll_wait(epoll, events.data(), 512, more ? 0 : 100);
    for (int e = 0; e < ready; ++e) {
      const uint64_t i = events[static_cast<size_t>(e)].data.u64;
      if (i == ~uint64_t{0}) return 0;  // stdin ended: the parent has seen enough.
      if (!greeted[i] && (events[static_cast<size_t>(e)].events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
        greeted[i] = true;
        Say(fds[i], kind.Hello(static_cast<int>(i)));
      }
      const ssize_t n = recv(fds[i], buffer.data(), buffer.size(), 0);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) Die("closed " + std::to_string(i));
      const bool was_acked = got[i] >= kind.acknowledgement();
      got[i] += static_cast<size_t>(n);
      if (!was_acked) {
        if (got[i] < kind.acknowledgement()) continue;
        got[i] = kind.acknowledgement();
        if (++acked == count) {
          TellAcked(acked, absl::Now() - began);
          if (seconds > 0) end = absl::Now() + absl::Seconds(seconds);
        }
        if (kind.publishes()) Say(fds[i], kind.Publish(numbers[i]));
      } else if (kind.publishes()) {
        ++answers;  // A PUBACK has four bytes and comes whole on loopback.
        if (++numbers[i] == 0) numbers[i] = 1;
        Say(fds[i], kind.Publish(numbers[i]));
      } else if (kind.answers() && static_cast<size_t>(n) == question) {
        ++answers;
        Say(fds[i], answer);
      }
    }
  }
  std::printf("answers %lld\n", answers);
  return 0;
}

// R25.
class NoLinks final : public LinkBook {
  void Registered(const Route&) override {}
  void Gone(const Route&, const char*) override {}
  void Quarantined(const std::string&, const Peer&) override {}
  void WhoHolds(std::vector<Sought> buses, Answer answer) override { answer(std::vector<std::string>(buses.size())); }
};

BusEntryPtr BusOf(const std::string& id) {
  BusEntry entry;
  entry.registration = entry.registration_id = entry.collector = id;
  entry.tenant = "bench";
  entry.timing = {absl::Milliseconds(500), 2400};
  return std::make_shared<const BusEntry>(entry);
}

// Collectors that dial, register, sometimes babble, and go, again and again.
void Flap(int port, int count, const std::atomic<bool>& stop, std::atomic<int64_t>& dialled) {
  struct Slot {
    int fd = -1;
    absl::Time next = absl::InfinitePast();
  };
  std::mt19937 random(1);
  std::vector<Slot> slots(static_cast<size_t>(count));
  while (!stop) {
    const absl::Time now = absl::Now();
    for (size_t i = 0; i < slots.size() && !stop; ++i) {
      Slot& slot = slots[i];
      if (now < slot.next) continue;
      slot.next = now + absl::Milliseconds(500 + static_cast<int>(random() % 3000));
      if (slot.fd >= 0) {
        close(slot.fd);
        slot.fd = -1;
        continue;
      }
      slot.fd = ConnectTo(port);
      ++dialled;
      const std::string hello = absl::StrFormat("FL%05d", i) + (random() % 4 == 0 ? "\x68garbage" : "");
      [[maybe_unused]] const auto sent = send(slot.fd, hello.data(), hello.size(), MSG_NOSIGNAL);
    }
    absl::SleepFor(absl::Milliseconds(2));
  }
  for (const Slot& slot : slots) {
    if (slot.fd >= 0) close(slot.fd);
  }
}

int Buses(int port, int buses, int meters, int seconds, int flappers, int turnaround_ms, int gap_ms) {
  os::SystemClock clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics metrics(registry);
  Routes routes;
  NoLinks links;
  Hub hub({.listen = "127.0.0.1", .port = port}, clock, random, routes, links, metrics);
  if (!hub.Start().ok()) Die("cannot listen");
  std::vector<BusEntryPtr> entries;
  std::vector<Load::Target> targets;
  for (int bus = 1; bus <= buses; ++bus) {
    entries.push_back(BusOf(absl::StrFormat("VW-R25-%04d", bus)));
    for (int meter = 1; meter <= meters; ++meter) {
      targets.push_back({entries.back()->collector, absl::StrFormat("25%04d01%04d", bus, meter)});
    }
  }
  for (int i = 0; i < flappers; ++i) entries.push_back(BusOf(absl::StrFormat("FL%05d", i)));
  hub.UseDirectory(std::make_shared<const DirectoryCopy>(1, std::move(entries)), true);
  std::printf("listening\n");
  std::fflush(stdout);
  const absl::Time patience = absl::Now() + absl::Minutes(1);
  while (metrics.sessions.Value() < buses) {
    if (absl::Now() > patience) Die("the simulated field does not dial in");
    absl::SleepFor(absl::Milliseconds(50));
  }
  std::atomic<bool> stop = false;
  std::atomic<int64_t> dialled = 0;
  std::thread flapper([&] {
    if (flappers > 0) Flap(hub.port(), flappers, stop, dialled);
  });
  const auto load = std::make_shared<Load>(hub, std::move(targets));
  load->Start();
  const absl::Duration answered = WireTime(16 + 20, 2400) + absl::Milliseconds(turnaround_ms + gap_ms);
  int64_t ok_before = 0;
  int64_t lost_before = 0;
  for (const char* const part : {"first", "second"}) {
    const absl::Time began = absl::Now();
    absl::SleepFor(absl::Seconds(seconds) / 2);
    const int64_t ok = load->Ended(Outcome::kOk) - ok_before;
    const int64_t lost = load->Ended(Outcome::kTimeout) - lost_before;
    ok_before += ok;
    lost_before += lost;
    // The shortest safe timeout of a lost answer is when it would have been there.
    const absl::Duration bound = static_cast<double>(ok + lost) * answered;
    const double utilisation = absl::FDivDuration(bound, (absl::Now() - began) * buses);
    std::printf("%s half: utilisation %.4f ok %lld lost %lld other %lld flaps %lld user %.2f\n", part, utilisation,
                static_cast<long long>(ok), static_cast<long long>(lost),
                static_cast<long long>(load->All() - load->Ended(Outcome::kOk) - load->Ended(Outcome::kTimeout)),
                static_cast<long long>(dialled), UserSeconds());
    std::fflush(stdout);
  }
  load->Stop();
  stop = true;
  flapper.join();
  hub.Stop();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> args(argv + 1, argv + argc);
  const auto number = [&](size_t i) { return std::stoi(args.at(i)); };
  os::KeepMemorySmall();  // As the gateway's main does.
  log::Start({}, "gateway_bench");
  if (args.size() == 7 && args[0] == "serve")
    return Serve(number(1), number(2), number(3), args[4], number(5), args[6]);
  if (args.size() == 6 && args[0] == "dial") {
    return Dial(number(1), number(2), {args[3]}, std::stod(args[4]), number(5));
  }
  if (args.size() == 8 && args[0] == "buses") {
    return Buses(number(1), number(2), number(3), number(4), number(5), number(6), number(7));
  }
  std::fprintf(stderr, "gateway_bench serve|dial|buses: see the head of its source\n");
  return 2;
}
