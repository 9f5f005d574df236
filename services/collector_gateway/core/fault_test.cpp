// The table of faults: what can go wrong on the line, with the pod or with Redis, against each kind of exchange. The
// right answer comes back or a named outcome, never another meter's value, and the bus works again at the end. Real
// sockets, a field of one collector played by hand, a clock moved by hand.
#include <catch2/catch.hpp>
#include <set>
#include <thread>

#include "libs/testing/fake_clock.h"
#include "libs/testing/temp_redis.h"
#include "services/collector_gateway/core/gateway.h"
#include "services/collector_gateway/testing/hub_bench.h"

using namespace voltwell::gateway;           // NOLINT
using namespace voltwell::gateway::testing;  // NOLINT
using voltwell::testing::Eventually;
namespace metrics = voltwell::metrics;
namespace os = voltwell::os;
namespace redis = voltwell::redis;

namespace {

constexpr uint8_t kMeter = 7;      // Who is asked.
constexpr uint8_t kNeighbour = 8;  // Who is asked afterwards, on the same bus.
constexpr uint8_t kStranger = 9;   // Who speaks without being asked.
constexpr char kRelayPassword[] = "PPPPOOOO\x4D\x33";

// One Redis for all cases; the one that kills it starts it again.
voltwell::testing::TempRedis& Server() {
  static voltwell::testing::TempRedis server;
  return server;
}

enum class Kind { kFirstRead, kFollowUpRead, kRelay };
const char* NameOf(Kind kind) {
  switch (kind) {
    case Kind::kFirstRead:
      return "first read";
    case Kind::kFollowUpRead:
      return "follow-up read";
    case Kind::kRelay:
      return "relay command";
  }
  return "";
}

// The exchange under test: questions before the one that meets the fault are answered, and all right frames.
struct Play {
  Item item;
  std::vector<std::pair<std::string, std::string>> before;  // Question, answer.
  std::string question;
  std::string answer;
};

Play PlayOf(Kind kind) {
  Play play;
  if (kind == Kind::kRelay) {
    Exchange relay;
    relay.question.request = Frame(kMeter, 0x1C, kRelayPassword);
    relay.question.replies = MatcherFor(kMeter, "", 0x9C);
    play.item = ItemOf(1, Priority::kRelay, {relay});
    play.question = relay.question.request;
    play.answer = Frame(kMeter, 0x9C, "");
    return play;
  }
  Exchange read = ReadOf(kMeter);
  play.question = Ask(kMeter);
  play.answer = Reply(kMeter);
  if (kind == Kind::kFollowUpRead) {
    play.question = Frame(kMeter, 0x12, "DDDD1");
    play.answer = Frame(kMeter, 0x92, "DDDDlast");
    read.follow_up = {.flag_offset = 8, .flag_mask = 0x20, .flag_value = 0x20, .steps = {}};
    read.follow_up.steps.push_back({play.question, MatcherFor(kMeter, "DDDD", 0x92)});
    play.before = {{Ask(kMeter), ReplyWithMore(kMeter)}};
  }
  play.item = ItemOf(1, Priority::kInteractive, {read});
  return play;
}

// One gateway process without its gRPC face.
struct Pod {
  Pod(const std::string& name, voltwell::testing::FakeClock& shared_clock)
      : clock(shared_clock),
        gateway({.listen = "127.0.0.1", .port = 0}, {name, name + ":1"}, "/nonexistent", client, clock, random,
                gateway_metrics) {
    REQUIRE(gateway.Start().ok());
    gateway.hub().UseDirectory(std::make_shared<const DirectoryCopy>(1, std::vector{EntryOf("VW-1")}), true);
  }
  bool Read(double bytes) {
    return Eventually([&] { return gateway_metrics.bytes_in.Value() >= bytes; });
  }
  void Settle() {
    for (int round = 0; round < 2; ++round) {
      std::atomic<bool> done = false;
      gateway.hub().Describe({}, [&done](const std::vector<SessionFacts>&) { done = true; });
      REQUIRE(Eventually([&done] { return done.load(); }));
    }
  }
  void Advance(absl::Duration by) {
    Settle();
    clock.Advance(by);
    gateway.hub().Nudge();
    Settle();
  }
  std::shared_ptr<RememberingSink> Submit(Item item) {
    auto sink = std::make_shared<RememberingSink>();
    std::vector<AddressedItem> items;
    items.push_back({"VW-1", 1, "t1", std::move(item)});
    gateway.hub().Submit(std::move(items), sink);
    return sink;
  }

  voltwell::testing::FakeClock& clock;
  os::SystemRandom random;
  metrics::Registry registry;
  GatewayMetrics gateway_metrics{registry};
  redis::Client client{Server().config(), registry};
  Gateway gateway;
};

// A field of one collector, the pod it dials, and one to dial when that has gone.
struct Field {
  Field() { Dial(); }

  void Dial() {
    const double registered = pod->gateway_metrics.registrations.Value();
    const double bytes = pod->gateway_metrics.bytes_in.Value();
    collector = FakeCollector(pod->gateway.hub().port());
    collector.Send("VW-1");
    REQUIRE(pod->Read(bytes + 4));
    for (int i = 0; i < 100 && pod->gateway_metrics.registrations.Value() == registered; ++i) {
      pod->Advance(kRegistrationGap);
    }
    REQUIRE(Eventually([&] { return pod->gateway_metrics.registrations.Value() > registered; }));
  }
  // Pieces are read one by one, each as a read of its own.
  void Send(const std::vector<std::string>& pieces) {
    for (const std::string& piece : pieces) {
      const double bytes = pod->gateway_metrics.bytes_in.Value();
      collector.Send(piece);
      REQUIRE(pod->Read(bytes + static_cast<double>(piece.size())));
    }
  }
  // Until every limit of the exchange has passed.
  void PassLimit() {
    for (int i = 0; i < 4; ++i) pod->Advance(absl::Milliseconds(500));
  }
  void Dead(const char* how) {
    if (std::string(how) == "RST") {
      const linger reset = {.l_onoff = 1, .l_linger = 0};
      setsockopt(collector.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    }
    collector.Hang();
  }

  voltwell::testing::FakeClock clock;
  std::unique_ptr<Pod> other = std::make_unique<Pod>("pod-b", clock);
  std::unique_ptr<Pod> pod = std::make_unique<Pod>("pod-a", clock);
  FakeCollector collector;
  std::string late;       // Comes when the next question is under way.
  bool connected = true;  // Else the collector dials again.
};

using Outcomes = std::set<std::string>;
struct Fault {
  const char* name;
  // Plays the fault once the question is on the bus.
  std::function<void(Field&, const Play&)> act;
  Outcomes allowed;
};

std::string Garbage(size_t size) {
  std::string bytes;
  for (size_t i = 0; i < size; ++i) bytes += static_cast<char>('a' + i * 7 % 26);  // 'h' is 68H: false beginnings.
  return bytes;
}

using Act = std::function<void(Field&, const Play&)>;
Act Say(std::function<std::vector<std::string>(const Play&)> pieces) {
  return [pieces = std::move(pieces)](Field& field, const Play& play) { field.Send(pieces(play)); };
}
Act SayAndPass(std::function<std::string(const Play&)> bytes) {
  return [bytes = std::move(bytes)](Field& field, const Play& play) {
    field.Send({bytes(play)});
    field.PassLimit();
  };
}
Act Die(const char* how) {
  return [how](Field& field, const Play&) {
    field.Dead(how);
    field.connected = false;
  };
}

// What the answer goes through.
std::vector<Fault> AnswerFaults() {
  return {
      {"no fault", Say([](const Play& p) { return std::vector{p.answer}; }), {"ok"}},
      {"glued",
       Say([](const Play& p) {
         return std::vector<std::string>{Reply(kStranger) + "ping" + p.answer + Reply(kNeighbour) + "ping"};
       }),
       {"ok"}},
      {"doubled", Say([](const Play& p) { return std::vector{p.answer + p.answer}; }), {"ok"}},
      {"late by one exchange",
       [](Field& field, const Play& play) {
         field.PassLimit();
         field.late = play.answer;
       },
       {"timeout"}},
      {"echo", Say([](const Play& p) { return std::vector{p.question + p.answer}; }), {"ok"}},
      {"noise before", Say([](const Play& p) { return std::vector{Garbage(40) + p.answer}; }), {"ok"}},
      {"noise inside",
       SayAndPass([](const Play& p) { return p.answer.substr(0, 9) + "n" + p.answer.substr(9); }),
       {"noise"}},
      {"noise after", Say([](const Play& p) { return std::vector{p.answer + Garbage(40)}; }), {"ok"}},
      {"preambles and dead air around",
       Say([](const Play& p) {
         return std::vector{std::string("\xFE\xFE\xFF", 3) + std::string(2, '\0') + p.answer + "\xFE\xFF"};
       }),
       {"ok"}},
      {"wrong meter answers",
       SayAndPass([](const Play& p) {
         std::string wrong = p.answer;  // The same answer, of a neighbour.
         for (size_t i = 1; i <= 6; ++i) wrong[i] = static_cast<char>(kStranger);
         wrong[wrong.size() - 2] = static_cast<char>(wrong[wrong.size() - 2] + 6 * (kStranger - kMeter));
         return wrong;
       }),
       {"noise"}},
      {"babble",
       [](Field& field, const Play&) {
         for (int i = 0; i < 30; ++i) {
           field.Send({Garbage(64)});
           field.pod->Advance(absl::Milliseconds(100));
         }
       },
       {"noise"}},
  };
}

void Drain(Field& field, const Play& play) {
  std::atomic<bool> drained = false;
  std::thread drain([&] {
    field.pod->gateway.hub().Drain(absl::Seconds(8));
    drained = true;
  });
  field.pod->Settle();
  field.Send({play.answer});
  while (!drained) field.pod->Advance(absl::Milliseconds(100));
  drain.join();
  REQUIRE(field.collector.Closed());
  field.pod = std::move(field.other);
  field.connected = false;
}

// What the line, the pod and Redis go through.
std::vector<Fault> LineFaults() {
  return {
      {"half-open",
       [](Field& field, const Play&) {
         field.PassLimit();
         field.connected = false;  // Nobody there, and no FIN: it comes back on another connection.
       },
       {"timeout"}},
      {"FIN", Die("FIN"), {"lost"}},
      {"RST", Die("RST"), {"lost"}},
      {"slow writer",
       [](Field& field, const Play& play) {
         for (const char byte : play.answer) {
           field.Send({std::string(1, byte)});
           field.pod->Advance(absl::Milliseconds(20));
         }
       },
       {"ok"}},
      {"flood", SayAndPass([](const Play&) { return Garbage(512 * 1024); }), {"noise"}},
      {"takeover",
       [](Field& field, const Play&) {
         FakeCollector old = std::move(field.collector);
         field.Dial();
         REQUIRE(old.Closed());
       },
       {"lost"}},
      {"Redis gone",
       [](Field& field, const Play& play) {
         Server().Kill();
         field.Send({play.answer});
       },
       {"ok"}},
      {"pod killed",
       [](Field& field, const Play&) {
         field.pod->gateway.hub().CloseAll();
         REQUIRE(field.collector.Closed());
         field.pod = std::move(field.other);
         field.connected = false;
       },
       {"lost"}},
      {"drain", Drain, {"ok"}},
  };
}

// Frames of meters other than the one asked never stand in a result.
void CheckReplies(const Result& result, const Play& play) {
  std::set<std::string> right = {play.answer};
  for (const auto& [question, answer] : play.before) right.insert(answer);
  for (const auto& frames : result.replies.All()) {
    for (const std::string& frame : frames) CHECK(right.count(frame) == 1);
  }
  if (result.outcome != Outcome::kOk) return;
  REQUIRE(result.replies.size() == 1);
  REQUIRE(result.replies[0].size() == play.before.size() + 1);
  CHECK(result.replies[0].back() == play.answer);
}

// The neighbour is asked on the same bus and gives its own answer; then the meter itself again.
void CheckRecovery(Field& field) {
  if (!field.connected) field.Dial();
  for (const uint8_t meter : {kNeighbour, kMeter}) {
    const prometheus::Counter& sent = field.pod->gateway_metrics.bytes_out;
    const double before = sent.Value();
    const auto sink = field.pod->Submit(ItemOf(meter, Priority::kInteractive, {ReadOf(meter, "EEEE")}));
    const std::string question = Ask(meter, "EEEE");
    field.pod->Settle();
    // The line may have to fall quiet first, and who babbled longer than that is not waited for. By what was sent, not
    // by what has come: no time may pass on the way.
    for (int i = 0; i < 40 && sent.Value() == before; ++i) field.pod->Advance(absl::Milliseconds(100));
    REQUIRE(field.collector.Receive(question.size()) == question);
    field.Send({field.late + Reply(meter, "EEEE")});
    field.late.clear();
    const std::vector<Result> results = sink->Await(1);
    REQUIRE(results.size() == 1);
    CHECK(OutcomeName(results[0].outcome) == std::string("ok"));
    CHECK(results[0].replies == std::vector<std::vector<std::string>>{{Reply(meter, "EEEE")}});
  }
}

void Run(const Fault& fault, Kind kind) {
  INFO(fault.name << " x " << NameOf(kind));
  Field field;
  Play play = PlayOf(kind);
  const Item item = play.item;
  std::shared_ptr<RememberingSink> sink = field.pod->Submit(item);
  for (const auto& [question, answer] : play.before) {
    REQUIRE(field.collector.Receive(question.size()) == question);
    field.Send({answer});
  }
  REQUIRE(field.collector.Receive(play.question.size()) == play.question);
  fault.act(field, play);
  const std::vector<Result> results = sink->Await(1);
  REQUIRE(results.size() == 1);
  CHECK(fault.allowed.count(OutcomeName(results[0].outcome)) == 1);
  INFO("outcome " << OutcomeName(results[0].outcome));
  CheckReplies(results[0], play);
  CheckRecovery(field);
  CHECK(sink->all().size() == 1);
}

}  // namespace

TEST_CASE("no fault gives another meter's value or a nameless end, and the bus works again after each") {
  std::vector<Fault> faults = AnswerFaults();
  for (Fault& fault : LineFaults()) faults.push_back(std::move(fault));
  for (const Kind kind : {Kind::kFirstRead, Kind::kFollowUpRead, Kind::kRelay}) {
    for (const Fault& fault : faults) {
      DYNAMIC_SECTION(fault.name << " x " << NameOf(kind)) {
        Run(fault, kind);
        if (std::string(fault.name) == "Redis gone") Server().Start();
      }
    }
  }
}

TEST_CASE("an answer cut at any byte is the answer") {
  for (const Kind kind : {Kind::kFirstRead, Kind::kFollowUpRead, Kind::kRelay}) {
    const std::string answer = PlayOf(kind).answer;
    for (size_t cut = 1; cut < answer.size(); ++cut) {
      Run({"split",
           [cut](Field& field, const Play& play) {
             field.Send({play.answer.substr(0, cut)});
             field.pod->Advance(absl::Milliseconds(200));  // A packet gap lies between.
             field.Send({play.answer.substr(cut)});
           },
           {"ok"}},
          kind);
    }
  }
}

TEST_CASE("a collector that does not read stops only its own bus, and its answer counts once it reads") {
  for (const Kind kind : {Kind::kFirstRead, Kind::kRelay}) {
    INFO(NameOf(kind));
    Field field;
    // Broadcasts fill what kernel and collector hold, until the gateway keeps the rest itself.
    Exchange broadcast;
    broadcast.question.request = std::string(512, 'b');
    broadcast.no_reply = true;
    double before = -1;
    std::shared_ptr<RememberingSink> filling;
    while (field.pod->gateway_metrics.bytes_out.Value() != before) {
      before = field.pod->gateway_metrics.bytes_out.Value();
      for (int i = 0; i < 200; ++i) {
        filling = field.pod->Submit(ItemOf(1, Priority::kScheduled, {broadcast}));
      }
      field.pod->Settle();
    }
    const Play play = PlayOf(kind);
    const auto sink = field.pod->Submit(play.item);
    field.pod->Settle();
    CHECK(sink->all().empty());

    std::string read;
    while (read.size() < play.question.size() || read.substr(read.size() - play.question.size()) != play.question) {
      const std::string more = field.collector.Receive(1);
      REQUIRE_FALSE(more.empty());
      read += more + field.collector.Receive(65536, 0);
    }
    field.Send({play.answer});
    const std::vector<Result> results = sink->Await(1);
    REQUIRE(results.size() == 1);
    CHECK(OutcomeName(results[0].outcome) == std::string("ok"));
    CheckReplies(results[0], play);
    CheckRecovery(field);
  }
}
