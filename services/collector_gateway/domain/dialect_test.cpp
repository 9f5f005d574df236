// Dialects: templates, files, who dials by them, and the shipped profiles.
#include "services/collector_gateway/domain/dialect.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "libs/base/status.h"
#include "services/collector_gateway/core/dialect_files.h"
#include "services/collector_gateway/domain/challenge.h"
#include "services/collector_gateway/domain/directory_copy.h"
#include "services/collector_gateway/testing/frames.h"

using namespace voltwell::gateway;  // NOLINT
namespace base = voltwell::base;
using voltwell::gateway::testing::Reply;

namespace {

PacketTemplate Form(const std::string& text, IdPattern id = {}) {
  auto form = PacketTemplate::Parse(text, id);
  INFO(text);
  REQUIRE(form.ok());
  return *form;
}

std::string WhyNot(const std::string& text, IdPattern id = {}) {
  return base::MetadataOf(PacketTemplate::Parse(text, id).status())["why"];
}

// "no", "more", or the id, "|" and what follows the packet; "~" when the id might go on.
std::string Told(const PacketTemplate& form, const std::string& bytes, const std::string& known = "") {
  const PacketTemplate::Match match = form.At(base::AsBytes(bytes), base::AsBytes(known));
  if (match.kind == PacketTemplate::Match::Kind::kNo) return "no";
  if (match.kind == PacketTemplate::Match::Kind::kMore) return "more";
  return base::ToString(match.id) + (match.closed ? "|" : "~") + bytes.substr(match.length);
}

const Dialects& Shipped() {
  static const Dialects kDialects = [] {
    const char* const source = std::getenv("VOLTWELL_SOURCE_DIR");
    auto loaded = LoadDialects(std::string(source == nullptr ? "." : source) + "/deploy/dialects");
    REQUIRE(loaded.ok());
    return *loaded;
  }();
  return kDialects;
}

Dialect Read(const std::string& text) {
  auto dialect = ParseDialect("test", text);
  INFO(dialect.status().ToString());
  REQUIRE(dialect.ok());
  return *dialect;
}

BusEntryPtr Entry(const std::string& id, const DialectPtr& dialect, const std::string& tenant = "t1") {
  BusEntry entry;
  entry.registration = id;
  entry.registration_id = id;
  entry.collector = id;
  entry.tenant = tenant;
  entry.dialect = dialect;
  return std::make_shared<const BusEntry>(entry);
}

DirectoryCopy Copy(std::vector<BusEntryPtr> entries) {
  return DirectoryCopy(1, std::move(entries), std::make_shared<const Dialects>(Shipped()));
}

// Id and what is left, "?" while it must wait, "unknown ID", "may grow", "clash".
std::string Who(const DirectoryCopy& copy, const std::string& bytes, bool quiet) {
  const Identified identified = copy.Identify(base::AsBytes(bytes), quiet);
  switch (identified.kind) {
    case Identified::Kind::kWait:
      return "?";
    case Identified::Kind::kUnknown:
      return identified.may_grow ? "may grow" : "unknown " + identified.sent;
    case Identified::Kind::kKnown:
      return identified.entry->collector + "+" + bytes.substr(identified.used);
    case Identified::Kind::kClash:
      return "clash";
  }
  return "";
}

}  // namespace

TEST_CASE("a template tells its packet, its id and what follows, at every length of what has come") {
  const PacketTemplate login = Form("LOGIN:{id}\\r\\n");
  CHECK(Told(login, "LOGIN:1001\r\nrest") == "1001|rest");
  const std::string packet = "LOGIN:1001\r\n";
  for (size_t size = 0; size < packet.size(); ++size) CHECK(Told(login, packet.substr(0, size)) == "more");
  CHECK(Told(login, "LOGON") == "no");
  CHECK(Told(login, "LOGIN:\r\n") == "no");  // An id has at least a byte.
  CHECK(Told(login, "LOGIN:10 01\r\n") == "no");

  const PacketTemplate imei = Form("{id}", {IdPattern::Kind::kDigits, 15, 15});
  CHECK(Told(imei, "86123456789012") == "more");
  CHECK(Told(imei, "861234567890123") == "861234567890123|");
  CHECK(Told(imei, "8612345678901234") == "861234567890123|4");
  CHECK(Told(imei, "86123456789012A") == "no");

  const PacketTemplate open = Form("{id}", {IdPattern::Kind::kDigits, 1, 20});
  CHECK(Told(open, "1001") == "1001~");
  CHECK(Told(open, "1001h") == "1001|h");

  const PacketTemplate triple = Form("*{any}#{id}#{any}*");
  CHECK(Told(triple, "*388752#20201130#server*x") == "20201130|x");
  CHECK(Told(triple, "*388752#20201130#serv") == "more");
  CHECK(Told(triple, "*" + std::string(kAnyMax, 'p') + "#1#s*") == "1|");
  CHECK(Told(triple, "*" + std::string(kAnyMax + 1, 'p') + "#1#s*") == "no");

  const PacketTemplate binary = Form("\\x7B{id}\\x7D{any:2}", {IdPattern::Kind::kBytes, 2, 2});
  CHECK(Told(binary, std::string("{\0\x7D}ab.", 7)) == std::string("\0\x7D|.", 4));
  CHECK(Told(binary, std::string("{\0\x7D}a", 5)) == "more");
}

TEST_CASE("with a known id a template is that box's packet and no other's") {
  const PacketTemplate heartbeat = Form("@{id}#");
  CHECK(Told(heartbeat, "@1001#", "1001") == "1001|");
  CHECK(Told(heartbeat, "@1002#", "1001") == "no");
  CHECK(Told(heartbeat, "@100", "1001") == "more");
  CHECK(heartbeat.Write("1001") == "@1001#");
}

TEST_CASE("a template that would match by luck is refused, and says why") {
  CHECK(WhyNot("x{any}") == "{any} needs fixed bytes behind it");
  CHECK(WhyNot("{id}{any:3}") == "behind an id of any length must be fixed bytes");
  CHECK(WhyNot("{id}#{id}#") == "{id} stands in it twice");
  CHECK(WhyNot("{any}#{any}#{any}#") == "{any} stands in it more than twice");
  CHECK(WhyNot("{id") == "a brace that is not closed");
  CHECK(WhyNot("{imei}") == "in braces stands id, any or any:N");
  CHECK(WhyNot("{any:0}#") == "{any:N} is 1 to 64 bytes");
  CHECK(WhyNot("{any:65}#") == "{any:N} is 1 to 64 bytes");
  CHECK(WhyNot("\\q") == "an escape that is not known");
  CHECK(WhyNot("\\xZZ") == "\\x needs two hexadecimal digits");
  CHECK(WhyNot("a\\") == "a backslash at the end");
  CHECK(WhyNot(std::string(kTemplateBytesMax, 'a')).empty());
  CHECK(WhyNot(std::string(kTemplateBytesMax + 1, 'a')) == "more than 64 fixed bytes");
}

TEST_CASE("a dialect is read whole") {
  const Dialect dialect = Read(
      "# comment\n\ntitle  A box\nregistration R{id}#\nid digits 4-8\nanswer OK{id}\nanswers every\n"
      "heartbeat B{any:1}\nheartbeat-answer b\\0\n");
  CHECK(dialect.title == "A box");
  CHECK(Told(dialect.registration, "R1234#") == "1234|");
  CHECK(Told(dialect.registration, "R123#") == "no");
  CHECK(dialect.answer.Write("1234") == "OK1234");
  CHECK(dialect.answers_every);
  CHECK(Told(dialect.heartbeat, "Bx") == "|");
  CHECK(dialect.heartbeat_answer.Write("") == std::string("b\0", 2));
}

TEST_CASE("a dialect that cannot be is refused with its line") {
  const auto refused = [](const std::string& text, const std::string& name = "test") {
    const absl::Status status = ParseDialect(name, text).status();
    CHECK(base::ReasonOf(status) == "BAD_DIALECT");
    auto metadata = base::MetadataOf(status);
    return metadata["line"] + " " + metadata["why"];
  };
  const std::string good = "title t\nregistration {id}#\n";
  CHECK(ParseDialect("test", good).ok());
  CHECK(refused("registration {id}#") == "0 title: is required");
  CHECK(refused("title t") == "0 registration: is required");
  CHECK(refused("title t\nregistration LOGIN") == "2 registration: {id} is missing");
  CHECK(refused("title t\nregistration {any}{id}#") == "2 registration: {any} needs fixed bytes behind it");
  CHECK(refused("title t\nregistration {any:1}{id}#") == "2 registration: it cannot begin with {any}");
  CHECK(refused(good + "colour red") == "3 a key that is not known");
  CHECK(refused(good + "title u") == "3 the same key twice");
  CHECK(refused(good + "id") == "3 a key without a value");
  CHECK(refused(good + "id digits 0-4") == "3 id: text [A-B], digits [A-B], hex [A-B], bytes N, imei, iccid or phone");
  CHECK(refused(good + "id bytes 1-4") == "3 id: text [A-B], digits [A-B], hex [A-B], bytes N, imei, iccid or phone");
  CHECK(refused(good + "answer {any:2}") == "3 answer: {any} cannot be written");
  CHECK(refused(good + "answers every") == "3 answers: there is no answer");
  CHECK(refused(good + "challenge C{nonce}") == "3 challenge: challenge and response go together");
  CHECK(refused(good + "response R{mac}") == "3 response: challenge and response go together");
  CHECK(refused(good + "challenge C\nresponse R{mac}") == "3 challenge: {nonce} is missing");
  CHECK(refused(good + "challenge C{id}\nresponse R{mac}") == "3 challenge: in braces stands nonce, any or any:N");
  CHECK(refused(good + "challenge C{nonce}{any:1}\nresponse R{mac}") == "3 challenge: {any} cannot be written");
  CHECK(refused(good + "challenge C{nonce}\nresponse R") == "4 response: {mac} is missing");
  CHECK(refused(good + "challenge C{nonce}\nresponse {any:1}{mac}") == "4 response: it cannot begin with {any}");
  CHECK(refused(good + "heartbeat B{any:2}\nheartbeat-answer echo") ==
        "4 heartbeat-answer: a heartbeat with {any} cannot be written");
  CHECK(refused("title t\nregistration directory\nid imei") == "3 id: the directory says the bytes");
  CHECK(refused(good, "transparent") == "0 transparent is built in");
  CHECK(refused(good, "Upper") == "0 a name is 1 to 40 of a-z, 0-9 and -");
  CHECK(refused(good + std::string(kDialectFileMax, '#')) == "0 longer than 8192 bytes");
}

TEST_CASE("an answer to a challenge is found whole at whatever byte it was cut, and nothing else is one") {
  BusEntry entry = *Entry("1001", Shipped().Find("login-key").dialect);
  using Kind = ChallengeAnswer::Kind;
  const std::string mac(64, 'a');
  const auto kind = [&entry](const std::string& bytes) {
    return ReadChallengeAnswer(base::AsBytes(bytes), entry).kind;
  };
  const std::string whole = "\r\nPING\r\nLOGIN:1001\r\nRESP:" + mac + "\r\n";
  for (size_t cut = 0; cut < whole.size(); ++cut) {
    INFO(cut);
    CHECK(kind(whole.substr(0, cut)) == Kind::kMore);
  }
  const ChallengeAnswer answer = ReadChallengeAnswer(base::AsBytes(whole + "PING\r\n"), entry);
  CHECK(answer.kind == Kind::kWhole);
  CHECK(answer.used == whole.size());
  CHECK(answer.mac == std::string(32, '\xAA'));
  CHECK(kind("RESP:" + mac + "a\r\n") == Kind::kNo);
  CHECK(kind("RESP:" + mac.substr(1) + "\r\n") == Kind::kNo);
  CHECK(kind("LOGIN:1002\r\n") == Kind::kNo);
  CHECK(kind("x") == Kind::kNo);
}

TEST_CASE("64 dialects are taken and 65 refused") {
  std::vector<Dialect> many;
  for (size_t i = 0; i < kDialectsMax; ++i) {
    many.push_back(Read("title t\nregistration {id}#"));
    many.back().name = "d" + std::to_string(i);
  }
  CHECK(Dialects::Make(many).ok());
  many.push_back(Read("title t\nregistration {id}#"));
  CHECK(base::ReasonOf(Dialects::Make(many).status()) == "BAD_DIALECT");
}

TEST_CASE("each shipped dialect knows its box, whole, glued to a frame and split at every byte") {
  const std::string frame = Reply(7);
  struct Row {
    std::string dialect, id, packet;
    bool proves_itself;
  };
  const std::vector<Row> rows = {
      {"transparent-echo", "VW-7", "VW-7", false},
      {"imei", "861234567890123", "861234567890123", false},
      {"imei-report", "861234567890123", "861234567890123,V1.2.3,27\r\n", true},
      {"iccid", "8986011234567890123A", "8986011234567890123A", false},
      {"phone", "13800138000", "13800138000", false},
      {"login", "1001", "LOGIN:1001\r\n", true},
      {"login-ok", "1001", "LOGIN:1001\r\n", true},
      {"login-key", "1001", "LOGIN:1001\r\n", true},
      {"ctrl-prefix", "2017070000000921", "CTRL:&2017070000000921!", true},
      {"cloud-triple", "20201130", "*388752#20201130#server*", true},
      {"id-heartbeat", "1001", "@1001#", true},
      {"binary-id", std::string("\x01\x00\x7D\x04\x05\xF6", 6), std::string("{\x01\x00\x7D\x04\x05\xF6}", 8), true},
      {"port-byte", "1001", "MPORT:1001\r\n", true},
      {"port-length", "1001", "MPORT:1001\r\n", true},
  };
  for (const Row& row : rows) {
    INFO(row.dialect);
    const Dialects::Named named = Shipped().Find(row.dialect);
    REQUIRE(named.known);
    const DirectoryCopy copy = Copy({Entry(row.id, named.dialect), Entry("VW-1", nullptr)});
    CHECK(Who(copy, row.packet, true) == row.id + "+");
    CHECK(Who(copy, row.packet, false) == (row.proves_itself ? row.id + "+" : "?"));
    CHECK(Who(copy, row.packet + frame, true) == row.id + "+" + frame);
    CHECK(Who(copy, "VW-1", true) == "VW-1+");
    for (size_t size = 1; size < row.packet.size(); ++size) {
      CHECK(Who(copy, row.packet.substr(0, size), false) == "?");
      CHECK(Who(copy, row.packet.substr(0, size), true) == "may grow");
    }
    // Later the same packet is taken out at boundaries, alone, glued and split.
    const Keepalives keepalives = KeepalivesOf(*copy.Find(row.id));
    CHECK(keepalives.CountNoise(base::AsBytes(row.packet + row.packet + "xy")) == 2);
    for (size_t size = 1; size < row.packet.size(); ++size) {
      CHECK(keepalives.UnfinishedTail(base::AsBytes(row.packet.substr(0, size))) == size);
    }
  }
  CHECK(Shipped().all().size() == rows.size());
}

TEST_CASE(
    "behind the registration of a box with ports comes a packet or a heartbeat, and no byte of it is a line end") {
  for (const char* const name : {"port-byte", "port-length"}) {
    const DialectPtr dialect = Shipped().Find(name).dialect;
    BusEntry entry = *Entry("1001", dialect);
    entry.port = 0;
    const DirectoryCopy copy = Copy({std::make_shared<const BusEntry>(entry)});
    for (const uint8_t port : {uint8_t{0}, uint8_t{10}, uint8_t{13}, uint8_t{255}}) {
      const std::string packet = dialect->packet.Write(port, Reply(7).size()) + Reply(7);
      CHECK(Who(copy, "MPORT:1001\r\n" + packet, false) == "1001+" + packet);
      CHECK(Who(copy, "MPORT:1001\r\nHB\r\n" + packet, false) == "1001+HB\r\n" + packet);
    }
    CHECK(copy.PortsOf("1001").size() == 1);
    CHECK(copy.PortsOf("1002").empty());
  }
}

TEST_CASE("an unknown id is told as the dialect shows it, so that whoever claims it must prove it") {
  const DirectoryCopy copy = Copy({Entry("1001", Shipped().Find("login").dialect)});
  CHECK(Who(copy, "LOGIN:1002\r\n", true) == "unknown 1002");
  CHECK(Who(copy, "VX-9", true) == "unknown VX-9");
  CHECK(Who(copy, "CTRL:&2017070000000921!", true) == "unknown 2017070000000921");  // Nobody has that dialect yet.
  CHECK(Who(copy, "1001", true) == "unknown 1001");                                 // Not the packet of its dialect.
}

TEST_CASE("bytes that mean one box by its template and another by the directory's bytes register neither") {
  const DialectPtr login = Shipped().Find("login").dialect;
  const DirectoryCopy copy = Copy({Entry("1001", login), Entry("LOGIN:1001", nullptr, "t2")});
  CHECK(Who(copy, "LOGIN:1001\r\n", false) == "clash");
  CHECK(Who(copy, "LOGIN:1001\r\n", true) == "clash");
  CHECK(Who(copy, "LOGIN:1001", true) == "LOGIN:1001+");
  const DirectoryCopy prefix =
      Copy({Entry("1001", Shipped().Find("ctrl-prefix").dialect), Entry("CTRL:&1001!", nullptr)});
  CHECK(Who(prefix, "CTRL:&1001!", false) == "?");
  CHECK(Who(prefix, "CTRL:&1001!", true) == "clash");
}

TEST_CASE("changes keep the dialects of entries") {
  const DialectPtr login = Shipped().Find("login").dialect;
  const DirectoryCopy copy = Copy({Entry("1001", login)}).With({Entry("1002", login)}, {"1001"});
  CHECK(Who(copy, "LOGIN:1002\r\n", true) == "1002+");
  CHECK(Who(copy, "LOGIN:1001\r\n", true) == "unknown 1001");
  CHECK(copy.size() == 1);
}
