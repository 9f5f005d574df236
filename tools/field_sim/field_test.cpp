// The whole field over real sockets: the test is the gateway.
#include "tools/field_sim/field.h"

#include <sys/socket.h>

#include <array>
#include <functional>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "tools/field_sim/admin.h"
#include "tools/field_sim/options.h"
#include "tools/field_sim/talk.h"
#include "tools/field_sim/testing.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kDeadlineNs = 10 * testing::kSecondNs;

Park ParkOf(const std::string& text) {
  auto park = ParsePark(text, [](absl::string_view) { return absl::NotFoundError("none"); });
  INFO(park.status());
  REQUIRE(park.ok());
  return *std::move(park);
}

// Two buses of one collector; the first meter can be given faults.
Park TwoBuses(const std::string& collector = "", const std::string& bus = "", const std::string& faults = "{}") {
  return ParkOf(absl::StrCat(R"({"collectors": [{"id": "VW-1", "reconnect_delay_ms": 10, "reconnect_jitter_ms": 5, )",
                             collector, R"("buses": [{"wire_time": false, )", bus,
                             R"("meters": [{"address": "202411110002", "start_kwh": [0, 0, "1234.56", 0],
    "power_w": 0, "faults": )",
                             faults, R"(}]}, {"wire_time": false, "meters": [{"address": "202411110003"}]}]}]})"));
}

// A listening socket and a field that dials it, moved forward together by the test's own thread.
struct Rig {
  explicit Rig(Park p, int gateways = 1) : park(std::move(p)) {
    FieldOptions options;
    for (int i = 0; i < gateways; ++i) {
      listeners.push_back(*ListenLoopback(0));
      options.targets.push_back(*ParseTarget(absl::StrCat("127.0.0.1:", PortOf(listeners.back().get()))));
    }
    field = std::make_unique<Field>(park, options);
  }
  bool Until(const std::function<bool()>& condition) {
    const int64_t deadline = ReadClocks().mono_ns + kDeadlineNs;
    while (!condition()) {
      if (ReadClocks().mono_ns > deadline) return false;
      field->Poll(1);
    }
    return true;
  }
  UniqueFd Accept(size_t gateway = 0) {
    UniqueFd fd;
    REQUIRE(Until([&] {
      fd = UniqueFd(accept4(listeners[gateway].get(), nullptr, nullptr, SOCK_NONBLOCK));
      return static_cast<bool>(fd);
    }));
    return fd;
  }
  // Reads until so many bytes have come.
  std::string Read(const UniqueFd& fd, size_t size) {
    std::string got;
    CHECK(Until([&] {
      char buffer[1024];
      const ssize_t n = recv(fd.get(), buffer, std::min(sizeof buffer, size - got.size()), 0);
      if (n > 0) got.append(buffer, static_cast<size_t>(n));
      return got.size() >= size;
    }));
    return got;
  }
  bool Closed(const UniqueFd& fd) {
    return Until([&] {
      char byte = 0;
      return recv(fd.get(), &byte, 1, 0) == 0;
    });
  }
  void Write(const UniqueFd& fd, const std::string& bytes) {
    REQUIRE(send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()));
  }
  // Both connections, bus 1 first.
  std::pair<UniqueFd, UniqueFd> AcceptBoth(size_t gateway = 0) {
    UniqueFd a = Accept(gateway), b = Accept(gateway);
    CHECK(Read(a, 4) + Read(b, 4) == "VW-1VW-1");
    CHECK(Until([&] { return Peek(a) || Peek(b); }));
    const bool swapped = Peek(a);
    CHECK(Read(swapped ? a : b, 2) == "/2");
    return swapped ? std::make_pair(std::move(b), std::move(a)) : std::make_pair(std::move(a), std::move(b));
  }
  static bool Peek(const UniqueFd& fd) {
    char byte = 0;
    return recv(fd.get(), &byte, 1, MSG_PEEK) == 1 && byte == '/';  // A heartbeat may have come already.
  }

  std::vector<UniqueFd> listeners;
  Park park;
  std::unique_ptr<Field> field;
};

const std::string kRead = testing::RequestFrame("202411110002", 0x11, "00000100");
const char kAnswer[] = "91:0000010056341200";

TEST_CASE("each bus dials in on a connection of its own and sends its registration packet") {
  Rig rig(TwoBuses());
  const auto [first, second] = rig.AcceptBoth();
  CHECK(rig.field->connected() == 2);
  rig.Write(first, kRead);
  CHECK(testing::Summary(rig.Read(first, 20)) == kAnswer);
  rig.Write(second, testing::RequestFrame("202411110003", 0x11, "00010102"));
  CHECK(rig.Read(second, 18).size() == 18);
}

TEST_CASE("a connected bus sends its collector's heartbeat in its period") {
  Rig rig(TwoBuses(R"("heartbeat": "VWHB", "heartbeat_period_ms": 20, )"));
  const auto [first, second] = rig.AcceptBoth();
  CHECK(rig.Read(first, 12) == "VWHBVWHBVWHB");
  CHECK(rig.field->counts().heartbeats >= 3);
}

TEST_CASE("a bus that the gateway closed dials in again and answers") {
  Rig rig(TwoBuses());
  auto [first, second] = rig.AcceptBoth();
  first.Reset();
  REQUIRE(rig.Until([&] { return rig.field->counts().disconnects == 1; }));
  const UniqueFd again = rig.Accept();
  CHECK(rig.Read(again, 4) == "VW-1");
  rig.Write(again, kRead);
  CHECK(testing::Summary(rig.Read(again, 20)) == kAnswer);
}

TEST_CASE("wire time and split segments reach the socket as they left the bus") {
  Rig rig(TwoBuses("", R"("baud": 9600, "turnaround_ms": 5, )", R"({"split_segments": 4, "split_gap_ms": 3})"));
  const auto [first, second] = rig.AcceptBoth();
  const int64_t asked = ReadClocks().mono_ns;
  rig.Write(first, kRead);
  CHECK(testing::Summary(rig.Read(first, 20)) == kAnswer);
  CHECK(ReadClocks().mono_ns - asked >= 9'000'000);
}

TEST_CASE("a babbling bus sends bytes that nobody asked for") {
  Rig rig(TwoBuses("", R"("babble_period_ms": 5, "babble_bytes": 30, )"));
  const auto [first, second] = rig.AcceptBoth();
  CHECK(rig.Read(first, 90).size() == 90);
}

// One collector that speaks `dialect`, with two meters on two buses.
Park Speaker(const std::string& id, const std::string& dialect, const std::string& more = "") {
  return ParkOf(absl::StrCat(R"({"collectors": [{"id": ")", id, R"(", "dialect": ")", dialect, R"(", )", more,
                             R"("reconnect_delay_ms": 10, "reconnect_jitter_ms": 5, "answer_timeout_ms": 50,
    "buses": [{"wire_time": false, "meters": [{"address": "202411110002", "start_kwh": [0, 0, "1234.56", 0], "power_w": 0}]},
              {"wire_time": false, "meters": [{"address": "202411110003"}]}]}]})"));
}

TEST_CASE("a box registers as its dialect says, with the id where the dialect has it") {
  const std::vector<std::array<std::string, 3>> expected = {
      {"861234567890123", "imei", "861234567890123"},
      {"861234567890123", "imei-report", "861234567890123,ML302_V1.2,27\r\n"},
      {"1001", "login", "LOGIN:1001\r\n"},
      {"2017070000000921", "ctrl-prefix", "CTRL:&2017070000000921!"},
      {"20201130", "cloud-triple", "*388752#20201130#server*"},
      {"1001", "id-heartbeat", "@1001#"},
      {"hex:0102030405F6", "binary-id", "{\x01\x02\x03\x04\x05\xF6}"}};
  for (const auto& [id, dialect, packet] : expected) {
    ParkCollector collector;
    collector.id = id;
    collector.dialect = dialect;
    ParkBus bus;
    REQUIRE(Speak(collector, &bus));
    CHECK(bus.registration == packet);
    CHECK(bus.registration_id == id);
  }
  CHECK(FindTalk("morse") == nullptr);
}

TEST_CASE("a box that waits for the answer to its registration forwards nothing before, and dials anew without") {
  Rig rig(
      ParkOf(R"({"collectors": [{"id": "1001", "dialect": "login-ok", "reconnect_delay_ms": 10, "answer_timeout_ms": 50,
    "buses": [{"wire_time": false, "meters": [{"address": "202411110002", "start_kwh": [0, 0, "1234.56", 0],
      "power_w": 0}]}]}]})"));
  UniqueFd first = rig.Accept();
  REQUIRE(rig.Read(first, 12) == "LOGIN:1001\r\n");
  rig.Write(first, kRead);
  CHECK(rig.Closed(first));
  CHECK(rig.field->counts().answers_missed == 1);
  UniqueFd again = rig.Accept();
  REQUIRE(rig.Read(again, 12) == "LOGIN:1001\r\n");
  rig.Write(again, "O");
  rig.field->Poll(1);
  rig.Write(again, "K\r\n" + kRead);
  CHECK(testing::Summary(rig.Read(again, 20)) == kAnswer);
  CHECK(rig.field->counts().answers == 1);
}

TEST_CASE("a box with a key answers the challenge with its MAC, and goes on when it is let in") {
  Rig rig(ParkOf(
      R"({"collectors": [{"id": "1001", "dialect": "login-key", "key": {"hex": "000102030405060708090A0B0C0D0E0F"},
    "buses": [{"wire_time": false, "meters": [{"address": "202411110002", "start_kwh": [0, 0, "1234.56", 0],
      "power_w": 0}]}]}]})"));
  UniqueFd line = rig.Accept();
  REQUIRE(rig.Read(line, 12) == "LOGIN:1001\r\n");
  rig.Write(line, "CHAL:00112233445566778899AABBCCDDEEFF\r\n");
  // The example of the gateway's README.
  CHECK(rig.Read(line, 71) == "RESP:A79019F7B9BB4981909100388FDB385DCFD41442A636E37C0F0291BE56A7F1FD\r\n");
  rig.Write(line, "OK\r\n" + kRead);
  CHECK(testing::Summary(rig.Read(line, 20)) == kAnswer);
}

TEST_CASE("a box whose heartbeat is not answered by the next one dials anew") {
  Rig rig(Speaker("1001", "transparent-echo", R"("heartbeat": "HB", "heartbeat_period_ms": 20, )"));
  UniqueFd first = rig.Accept(), second = rig.Accept();
  CHECK(rig.Until([&] { return rig.field->counts().disconnects > 0; }));
  CHECK(rig.field->counts().answers_missed > 0);
}

TEST_CASE("a box with ports carries all its buses over one connection, each answer under its port") {
  for (const std::string dialect : {"port-byte", "port-length"}) {
    Rig rig(Speaker("1001", dialect));
    UniqueFd line = rig.Accept();
    CHECK(rig.Read(line, 12) == "MPORT:1001\r\n");
    CHECK(rig.field->connected() == 2);
    const std::string other = testing::RequestFrame("202411110003", 0x11, "00010102");
    const bool length = dialect == "port-length";
    const auto packet = [&](int port, const std::string& bytes) {
      return HeaderOf(length ? PortHeader::kByteAndLength : PortHeader::kByte, port, bytes.size()) + bytes;
    };
    // Both at once, after a packet for a port that it has not.
    rig.Write(line, packet(9, kRead) + packet(2, other) + packet(1, kRead));
    const size_t header = length ? 3 : 1;
    const std::string answers = rig.Read(line, header + 18 + header + 20);
    CHECK(answers[0] == 2);
    CHECK(answers[header + 18] == 1);
    CHECK(testing::Summary(answers.substr(header + 18 + header)) == kAnswer);
    CHECK(rig.field->counts().unknown_ports == 1);
    line.Reset();
    const UniqueFd again = rig.Accept();
    CHECK(rig.Read(again, 12) == "MPORT:1001\r\n");
  }
}

TEST_CASE("a serial server waits to be dialled, takes one connection at a time and says nothing by itself") {
  Rig rig(TwoBuses(R"("listen_port": 0, )"));
  rig.field->Poll(1);
  const auto port = [&](size_t link) { return rig.field->LinkJson(link)["listens"].get<int>(); };
  REQUIRE(port(0) > 0);
  REQUIRE(port(1) > 0);
  const Target target = *ParseTarget(absl::StrCat("127.0.0.1:", port(0)));
  UniqueFd line = StartConnect(target);
  REQUIRE(rig.Until([&] { return rig.field->connected() == 1; }));
  const UniqueFd second = StartConnect(target);
  CHECK(rig.Closed(second));
  rig.Write(line, kRead);
  CHECK(testing::Summary(rig.Read(line, 20)) == kAnswer);
  line.Reset();
  REQUIRE(rig.Until([&] { return rig.field->connected() == 0; }));
  const UniqueFd again = StartConnect(target);
  CHECK(rig.Until([&] { return rig.field->connected() == 1; }));
}

TEST_CASE("a line that breaks by itself comes back, whichever way it broke") {
  for (const std::string kind : {"fin", "rst", "half_open"}) {
    Rig rig(TwoBuses(absl::StrCat(R"("line_faults": {"every_ms": 20, "kinds": [")", kind, R"("]}, )")));
    UniqueFd first = rig.Accept();
    CHECK(rig.Until([&] { return rig.field->counts().line_faults > 1 && rig.field->counts().connects > 2; }));
    char bytes[64];
    while (recv(first.get(), bytes, sizeof bytes, 0) > 0) {
    }
    // Half-open: nobody told this end.
    CHECK((recv(first.get(), bytes, 1, 0) < 0 && errno == EAGAIN) == (kind == "half_open"));
  }
}

TEST_CASE("a slow reader takes up reading where it left off") {
  Rig rig(TwoBuses(R"("line_faults": {"every_ms": 10, "pause_ms": 30, "kinds": ["slow"]}, )"));
  const auto [first, second] = rig.AcceptBoth();
  REQUIRE(rig.Until([&] { return rig.field->counts().line_faults > 1; }));
  for (int i = 0; i < 3; ++i) {
    rig.Write(first, kRead);
    CHECK(testing::Summary(rig.Read(first, 20)) == kAnswer);
  }
  CHECK(rig.field->counts().disconnects == 0);
}

TEST_CASE("when one of two gateways is gone, all buses of a collector go to the other") {
  Rig rig(TwoBuses(), 2);
  auto [first, second] = rig.AcceptBoth(0);
  rig.listeners[0].Reset();
  first.Reset();
  second.Reset();
  const auto [moved, moved_second] = rig.AcceptBoth(1);
  rig.Write(moved, kRead);
  CHECK(testing::Summary(rig.Read(moved, 20)) == kAnswer);
}

TEST_CASE("a gateway that does not read is given up beyond the limit of unsent bytes") {
  Rig rig(TwoBuses());
  const auto [first, second] = rig.AcceptBoth();
  const int size = 1;  // As small as the kernel allows.
  setsockopt(first.get(), SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  // Requests without number whose answers are not read.
  std::string many;
  for (int i = 0; i < 500; ++i) many += kRead;
  CHECK(rig.Until([&] {
    (void)!send(first.get(), many.data(), many.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return rig.field->counts().disconnects > 0;
  }));
}

nlohmann::json Call(AdminApi& api, int code, const char* method, const char* target, const char* body = "") {
  const HttpReply reply = api.Handle(method, target, body);
  INFO(target << " " << reply.json);
  CHECK(reply.code == code);
  return nlohmann::json::parse(reply.json);
}

TEST_CASE("the admin port tells the truth, injects faults, cuts connections and keeps a collector dark") {
  Rig rig(TwoBuses());
  AdminApi api(*rig.field);
  auto [first, second] = rig.AcceptBoth();
  rig.Write(first, kRead);
  rig.Read(first, 20);
  const nlohmann::json truth = Call(api, 200, "GET", "/meters/202411110002");
  CHECK(truth["reads_served"] == 1);
  CHECK(truth["energy_kwh"]["total"] == "1234.56");
  CHECK(truth["link"]["collector"] == "VW-1");
  const nlohmann::json stats = Call(api, 200, "GET", "/stats");
  CHECK(stats["connections"] == 2);
  CHECK(stats["requests"] == 1);
  CHECK(stats["bytes_in"] == 16);
  CHECK(stats["bytes_out"] == 4 + 6 + 20);
  CHECK(Call(api, 200, "GET", "/collectors").size() == 2);

  Call(api, 200, "POST", "/meters/202411110002/faults", R"({"leading_fe": 2})");
  rig.Write(first, kRead);
  CHECK(rig.Read(first, 22).substr(0, 2) == "\xFE\xFE");
  Call(api, 200, "POST", "/meters/202411110002/faults", "{}");
  CHECK(Call(api, 200, "GET", "/meters/202411110002/faults")["leading_fe"] == 0);

  Call(api, 200, "POST", "/collectors/VW-1/drop");
  CHECK(rig.Closed(first));
  auto [third, fourth] = rig.AcceptBoth();
  Call(api, 200, "POST", "/collectors/VW-1/dark?seconds=0.3");
  const int64_t cut = ReadClocks().mono_ns;
  rig.Accept();
  CHECK(ReadClocks().mono_ns - cut >= 300'000'000);
}

TEST_CASE("the admin port refuses what it does not understand") {
  Rig rig(TwoBuses());
  AdminApi api(*rig.field);
  Call(api, 404, "GET", "/nothing");
  Call(api, 404, "GET", "/meters/000000000001");
  Call(api, 404, "GET", "/meters/12");
  Call(api, 405, "DELETE", "/meters/202411110002");
  Call(api, 400, "POST", "/meters/202411110002/faults", R"({"silence_rate": 7})");
  Call(api, 400, "POST", "/meters/202411110002/faults", "nonsense");
  Call(api, 404, "POST", "/collectors/VW-9/drop");
  Call(api, 400, "POST", "/collectors/VW-1/dark?seconds=-1");
  Call(api, 404, "POST", "/collectors/VW-1/paint");
}

TEST_CASE("the admin port speaks HTTP to a client that sends its request in pieces") {
  Rig rig(TwoBuses());
  AdminApi api(*rig.field);
  AdminServer server(*ListenLoopback(0), api);
  rig.field->Watch(server.poll_fd(), [&] { server.Work(); });
  const Target target = *ParseTarget(absl::StrCat("127.0.0.1:", server.port()));
  const UniqueFd client = StartConnect(target);
  REQUIRE(rig.Until([&] { return rig.field->connected() == 2; }));
  rig.Write(client, "POST /meters/202411110002/faults HTTP/1.1\r\ncontent-length: 15\r\n\r\n{\"late_");
  rig.field->Poll(1);
  rig.Write(client, "ms\": 42}");
  std::string reply = rig.Read(client, 15);
  CHECK(reply == "HTTP/1.1 200 OK");
  CHECK(rig.Until([&] {
    char buffer[1024];
    const ssize_t size = recv(client.get(), buffer, sizeof buffer, 0);
    if (size > 0) reply.append(buffer, static_cast<size_t>(size));
    return size == 0;
  }));
  CHECK(reply.find("\"late_ms\":42") != std::string::npos);
}

TEST_CASE("the admin port closes a request beyond its limit and connections beyond their number") {
  Rig rig(TwoBuses());
  AdminApi api(*rig.field);
  AdminServer server(*ListenLoopback(0), api);
  rig.field->Watch(server.poll_fd(), [&] { server.Work(); });
  const Target target = *ParseTarget(absl::StrCat("127.0.0.1:", server.port()));
  const UniqueFd large = StartConnect(target);
  rig.field->Poll(1);
  rig.Write(large, std::string(kMaxAdminRequestBytes + 1, 'x'));
  // Cut with bytes unread, which TCP tells as a reset.
  CHECK(rig.Until([&] {
    char byte = 0;
    return recv(large.get(), &byte, 1, 0) == 0 || errno == ECONNRESET;
  }));
  std::vector<UniqueFd> idle;
  for (size_t i = 0; i < kMaxAdminConnections; ++i) idle.push_back(StartConnect(target));
  rig.field->Poll(1);
  const UniqueFd beyond = StartConnect(target);
  CHECK(rig.Closed(beyond));
}

TEST_CASE("command lines") {
  CHECK(ParseOptions({"--park", "p.json"})->targets == std::vector<std::string>{"127.0.0.1:7645"});
  CHECK(ParseOptions({"--park=p.json", "--targets", "a:1,b:2"})->targets.size() == 2);
  CHECK(ParseOptions({"--park=p", "--admin-port=0", "--seed=7", "--print-park"})->seed == 7);
  CHECK(ParseOptions({"--help"})->help);
  for (const std::vector<std::string>& wrong : std::vector<std::vector<std::string>>{{},
                                                                                     {"--park"},
                                                                                     {"--park=p", "--admin-port=70000"},
                                                                                     {"--park=p", "--sed=1"},
                                                                                     {"--park=p", "--dial-rate=0"},
                                                                                     {"--park=p", "--targets=,"},
                                                                                     {"--park=p", "--seed=x"}}) {
    CHECK_FALSE(ParseOptions(wrong).ok());
  }
  CHECK_FALSE(ParseTarget("localhost").ok());
  CHECK_FALSE(ParseTarget("127.0.0.1:0").ok());
  CHECK_FALSE(ParseTarget("127.0.0.1:65536").ok());
}

}  // namespace
}  // namespace voltwell::field_sim
