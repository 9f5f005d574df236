// The session state machine under anything: random boxes with random bytes at random times, behind a balancer or not,
// taking over from each other, while items come, calls go, and the directory changes. Whatever happens, each item gets
// one result, no answer is another meter's, and nothing is left when all have gone. By a seed, so that a run can be
// repeated; VOLTWELL_RANDOM_SECONDS makes it run for longer (tools/test long: five minutes under ASan).
#include <sys/socket.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <set>

#include "absl/time/clock.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;

namespace {

constexpr size_t kBoxesMax = 24;
constexpr int kBalancer = 9;  // 127.0.0.9

HubConfig RandomConfig() {
  HubConfig config = {.listen = "127.0.0.1", .port = 0, .shards = 2, .unregistered_max = 6, .sessions_max = 20};
  config.admission = {.accepts_per_second = 20,
                      .accept_burst = 12,
                      .network_accepts_per_second = 8,
                      .network_accept_burst = 10,
                      .network_connections_max = 12};
  config.trusted_proxies = {"127.0.0.9/32"};
  return config;
}

struct Box {
  FakeCollector line = {};
  std::string heard = {};  // What it was asked and has not answered.
};

struct Call {
  std::shared_ptr<RememberingSink> sink;
  std::set<uint32_t> ids;
  bool dropped = false;
};

class Storm {
 public:
  explicit Storm(uint32_t seed) : random_(seed), bench_(RandomConfig()) {}

  void Run(int steps) {
    for (int i = 0; i < steps; ++i) Step();
    End();
  }
  size_t answers() const { return answers_; }
  double takeovers() const { return bench_.metrics.takeovers.Value(); }
  double refused() {
    double sum = 0;
    for (int i = 0; i < kRefusals; ++i) sum += bench_.metrics.Refused(static_cast<Refusal>(i)).Value();
    return sum;
  }

 private:
  uint32_t Below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  template <typename T, size_t N>
  const T& AnyOf(const std::array<T, N>& all) {
    return all[Below(N)];
  }

  void Step() {
    const uint32_t dice = Below(100);
    if (dice < 15) return Dial();
    if (boxes_.empty()) return Pass();
    Box& box = boxes_[Below(static_cast<uint32_t>(boxes_.size()))];
    if (dice < 35) return Say(box, Bytes());
    if (dice < 60) {
      for (Box& each : boxes_) Answer(each);
      return;
    }
    if (dice < 63) return Leave(box);
    if (dice < 75) {
      Ask();
      return bench_.Settle();
    }
    if (dice < 77) return Publish();
    if (dice < 78) return void(bench_.hub.CloseCollector(AnyOf(kCollectors), "closed by operator"));
    if (dice < 79) return Drop();
    Pass();
  }

  void Dial() {
    if (boxes_.size() >= kBoxesMax) boxes_.erase(boxes_.begin());
    const bool balanced = Below(4) == 0;
    Box box;
    box.line.ConnectFrom(balanced ? kBalancer : 1 + static_cast<int>(Below(4)), bench_.hub.port());
    if (balanced) Say(box, ProxyHeaderBytes());
    if (Below(4) != 0) Say(box, AnyOf(kIds));
    boxes_.push_back(std::move(box));
  }

  std::string ProxyHeaderBytes() {
    if (Below(8) == 0) return "\x0D\x0A\x0D\x0A garbage";
    if (Below(8) == 0) return *voltwell::base::FromHex("0D0A0D0A000D0A515549540A20000000");
    std::string header = *voltwell::base::FromHex("0D0A0D0A000D0A515549540A2111000C0A000000C0000201C8221DDD");
    header[18] = static_cast<char>(Below(3));
    header[19] = static_cast<char>(Below(4));
    if (Below(8) == 0) header.resize(Below(static_cast<uint32_t>(header.size())));
    return header;
  }

  std::string Bytes() {
    const uint8_t meter = static_cast<uint8_t>(1 + Below(4));
    switch (Below(9)) {
      case 0:
        return AnyOf(kIds);
      case 1:
        return "ping";
      case 2:
        return Reply(meter);
      case 3:
        return Reply(meter) + ReplyWithMore(meter) + "ping";
      case 4:
        return WithBadChecksum(Reply(meter));
      case 5:
        return Reply(meter).substr(0, Below(24));
      case 6:
        return ProxyHeaderBytes();
      case 7:
        return AnyOf(kIds) + Reply(meter);
      default: {
        std::string noise(Below(300), '\0');
        for (char& c : noise) c = static_cast<char>(Below(256));
        return noise;
      }
    }
  }

  // The gateway may have closed it: no matter.
  static void Say(const Box& box, const std::string& bytes) {
    [[maybe_unused]] const auto sent = send(box.line.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // As a meter would: the frame that it was asked for last, in one piece or two.
  void Answer(Box& box) {
    std::array<char, 2048> buffer;
    const ssize_t n = recv(box.line.fd(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) box.heard.append(buffer.data(), static_cast<size_t>(n));
    const size_t begin = box.heard.rfind('\x68', box.heard.size() > 9 ? box.heard.size() - 9 : 0);
    if (begin == std::string::npos || begin + 9 > box.heard.size() || begin < 7) return;
    const std::string reply = Reply(static_cast<uint8_t>(box.heard[begin - 1]));
    box.heard.clear();
    const size_t cut = Below(3) == 0 ? Below(static_cast<uint32_t>(reply.size())) : reply.size();
    Say(box, reply.substr(0, cut));
    if (cut == reply.size()) return;
    Pass();
    Say(box, reply.substr(cut));
  }

  void Leave(Box& box) {
    if (Below(2) == 0) {
      const linger hard = {.l_onoff = 1, .l_linger = 0};
      setsockopt(box.line.fd(), SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
    }
    boxes_.erase(boxes_.begin() + (&box - boxes_.data()));
  }

  void Ask() {
    std::vector<Item> items;
    Call call;
    for (uint32_t i = 0; i <= Below(4); ++i) {
      const uint8_t meter = static_cast<uint8_t>(1 + Below(4));
      Item item = ItemOf(++ids_ * 8 + meter, static_cast<Priority>(1 + Below(4)), {ReadOf(meter)});
      if (Below(3) == 0) item.not_after = bench_.clock.Monotonic() + absl::Milliseconds(Below(3000));
      call.ids.insert(item.id);
      items.push_back(std::move(item));
    }
    call.sink = bench_.Submit(std::move(items), AnyOf(kCollectors), 1 + static_cast<int>(Below(2)),
                              Below(10) == 0 ? "t2" : "t1");
    calls_.push_back(std::move(call));
  }

  void Drop() {
    if (calls_.empty()) return;
    Call& call = calls_[Below(static_cast<uint32_t>(calls_.size()))];
    call.dropped = true;
    bench_.hub.Drop(call.sink);
  }

  void Publish() {
    std::vector<BusEntryPtr> entries = {EntryOf("VW-1"), EntryOf("VW-1/2", "t1", 2),
                                        EntryOf("VW-2", "t1", 1, Below(2) == 0 ? "127.0.0.0/30" : "")};
    if (Below(2) == 0) entries.erase(entries.begin() + Below(3));
    bench_.Publish(std::move(entries), Below(5) != 0);
  }

  void Pass() {
    constexpr std::array<int, 7> kMilliseconds = {1, 20, 60, 250, 1000, 4000, 31'000};
    bench_.Advance(absl::Milliseconds(AnyOf(kMilliseconds)));
  }

  void End() {
    boxes_.clear();
    for (int i = 0; i < 20 && !Quiet(); ++i) bench_.Advance(absl::Seconds(20));
    REQUIRE(Eventually([&] { return Quiet(); }));
    CHECK(bench_.metrics.sessions.Value() == 0);
    CHECK(bench_.metrics.unregistered.Value() == 0);
    CHECK(bench_.routes.size() == 0);
    for (const Call& call : calls_) {
      const std::vector<Result> results = call.dropped ? call.sink->all() : call.sink->Await(call.ids.size());
      std::set<uint32_t> seen;
      for (const Result& result : results) {
        REQUIRE(call.ids.count(result.id) == 1);
        REQUIRE(seen.insert(result.id).second);
        if (result.outcome != Outcome::kOk) continue;
        ++answers_;
        REQUIRE(result.replies[0].at(0).substr(1, 6) == std::string(6, static_cast<char>(result.id % 8)));
      }
      REQUIRE((call.dropped || seen == call.ids));
    }
  }
  bool Quiet() { return bench_.metrics.sessions.Value() == 0 && bench_.metrics.unregistered.Value() == 0; }

  static inline const std::array<std::string, 5> kIds = {"VW-1", "VW-1/2", "VW-2", "VW-12", "stranger"};
  static inline const std::array<std::string, 4> kCollectors = {"VW-1", "VW-2", "VW-ELSEWHERE", "VW-NONE"};

  std::mt19937 random_;
  HubBench bench_;
  std::vector<Box> boxes_;
  std::vector<Call> calls_;
  uint32_t ids_ = 0;
  size_t answers_ = 0;
};

int FromEnvironment(const char* name, int otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::atoi(text);
}

}  // namespace

TEST_CASE("random boxes, bytes and times: each item one result, no foreign answer, nothing left behind") {
  const absl::Time end = absl::Now() + absl::Seconds(FromEnvironment("VOLTWELL_RANDOM_SECONDS", 0));
  const int first = FromEnvironment("VOLTWELL_RANDOM_SEED", 1);
  size_t answers = 0;
  double takeovers = 0;
  double refused = 0;
  int seed = first;
  for (; seed < first + 4 || absl::Now() < end; ++seed) {
    INFO("VOLTWELL_RANDOM_SEED=" << seed);
    Storm storm(static_cast<uint32_t>(seed));
    storm.Run(600);
    answers += storm.answers();
    takeovers += storm.takeovers();
    refused += storm.refused();
  }
  WARN(seed - first << " storms of 600 steps: " << answers << " answers, " << takeovers << " takeovers probed, "
                    << refused << " refused");
  // Else it would show nothing.
  CHECK(answers > 0);
  CHECK(takeovers > 0);
  CHECK(refused > 0);
}
