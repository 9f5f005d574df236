#include "tools/voltwell_codec/cli.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <sstream>

namespace voltwell::codec_cli {
namespace {

struct Ran {
  int code = -1;
  std::string out;
  std::string err;
};

Ran Call(const std::vector<std::string>& arguments, const std::string& input = "") {
  std::istringstream in(input);
  std::ostringstream out;
  std::ostringstream err;
  const int code = Run(arguments, {in, out, err});
  return {code, out.str(), err.str()};
}

bool Has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The meter 111111111111 says 2.69 kWh (a capture; see libs/codec/vectors).
constexpr char kReply[] = "68111111111111689108333334339C353333D316";

TEST_CASE("a frame is explained in either language, from words or from a pipe") {
  const Ran english = Call({"explain", kReply});
  CHECK(english.code == kUnderstood);
  CHECK(Has(english.out, "DLT645_2007"));
  CHECK(Has(english.out, "2.69"));
  const Ran chinese = Call({"explain", "--language", "zh"}, std::string("# capture\n\n") + kReply + "\n");
  CHECK(chinese.code == kUnderstood);
  CHECK(Has(chinese.out, "正向有功"));
  CHECK(Has(chinese.out, "2.69"));
}

TEST_CASE("a frame with an error in it is not understood, and the first wrong byte is named") {
  std::string wrong = kReply;
  wrong.replace(wrong.size() - 4, 2, "D4");
  const Ran ran = Call({"explain", wrong});
  CHECK(ran.code == kNotUnderstood);
  CHECK(Has(ran.out, "position 18"));
}

TEST_CASE("what is encoded is what a capture shows, and its answer decodes") {
  const Ran encoded = Call({"encode", "--protocol", "DLT645_2007", "--address", "111111111111", "read", "1-0:1.8.0"});
  CHECK(encoded.code == kUnderstood);
  CHECK(Has(encoded.out, "681111111111116811043333343"));
  const Ran decoded =
      Call({"decode", "--protocol=DLT645_2007", "--address=111111111111", "read", "1-0:1.8.0", "--", kReply});
  CHECK(decoded.code == kUnderstood);
  CHECK(decoded.out == "1-0:1.8.0\t2.69 kWh\n");
}

// The shipped ones; ctest says where the sources are, by hand it is run from there.
std::string Profiles() {
  const char* const source = std::getenv("VOLTWELL_SOURCE_DIR");
  return std::string(source == nullptr ? "." : source) + "/deploy/profiles";
}

const std::vector<std::string> kMeter = {"--protocol", "DLT645_2007", "--address", "202411110002"};

Ran CallMeter(const char* command, const std::vector<std::string>& rest, const std::string& input = "") {
  std::vector<std::string> arguments = {command};
  arguments.insert(arguments.end(), kMeter.begin(), kMeter.end());
  arguments.insert(arguments.end(), rest.begin(), rest.end());
  return Call(arguments, input);
}

TEST_CASE("a reply and its follow-up are one answer, joined by +, as words and from a pipe") {
  // 2.69 kWh in two halves: B1 announces more, 92 brings it with its sequence number 1.
  const std::string both = "6802001111242068B106333334339C358D16+68020011112420689207333334333333343816";
  for (const Ran& ran : {CallMeter("decode", {"read", "1-0:1.8.0", "--", both}),
                         CallMeter("decode", {"read", "1-0:1.8.0"}, both + "\n")}) {
    CHECK(ran.code == kUnderstood);
    CHECK(ran.out == "1-0:1.8.0\t2.69 kWh\n");
  }
}

TEST_CASE("nothing in standard input is nothing understood") {
  for (const Ran& ran :
       {Call({"explain"}), CallMeter("decode", {"read", "1-0:1.8.0"}), Call({"explain"}, "# only\n\n")}) {
    CHECK(ran.code == kNotUnderstood);
    CHECK(Has(ran.err, "EMPTY_INPUT"));
  }
}

TEST_CASE("words and values that nobody reads are mistakes") {
  CHECK(Has(Call({"explain", "--show-secrets=no", kReply}).err, "BAD_OPTION"));
  CHECK(Call({"explain", "--show-secrets", kReply}).code == kUnderstood);
  CHECK(Has(CallMeter("encode", {"clock", "2026-11-22T09:30:15", "brodcast"}).err, "BAD_ACTION"));
  CHECK(CallMeter("encode", {"clock", "2026-11-22T09:30:15", "broadcast"}).code == kUnderstood);
  CHECK(Has(CallMeter("encode", {"freeze", "*", "*", "*", "*", "brodcast"}).err, "BAD_ACTION"));
  CHECK(Has(Call({"encode", "--protocol", "MBUS", "--address", "p5", "reset", "aplication"}).err, "BAD_ACTION"));
  CHECK(Call({"encode", "--protocol", "MBUS", "--address", "p5", "reset", "application"}).code == kUnderstood);
}

TEST_CASE("orders, refunds, passwords, pre-trips, ciphertext and MACs can be said") {
  const std::vector<std::string> order = {"--profile-directory", Profiles(), "--profile",
                                          "dlt645_order_wallet", "--order",  "2026112200000001"};
  for (const char* const action : {"top-up", "refund"}) {
    std::vector<std::string> arguments = order;
    arguments.insert(arguments.end(), {action, "5000", "0"});
    CHECK(CallMeter("encode", arguments).code == kUnderstood);
    arguments[5] = "1";
    CHECK(Has(CallMeter("encode", arguments).err, "BAD_ORDER_NUMBER"));
  }
  // Level 2: 000000 becomes 123456, each as PA P0 P1 P2.
  CHECK(Has(CallMeter("encode", {"change-password", "2", "02000000", "02563412"}).out, "6802001111242068180C"));
  CHECK(Has(CallMeter("encode", {"--password", "02000000", "relay", "pre-trip"}).err, "BAD_DELAY"));
  // N1 1D, N2 2 (10 minutes), each with 33H.
  CHECK(Has(
      CallMeter("encode", {"--password", "02000000", "--delay", "10", "relay", "pre-trip", "2099-12-31T23:59:59"}).out,
      "5035"));
  const std::vector<std::string> sealed = {"--password", "98000000", "--cipher", "00112233445566778899AABBCCDDEEFF"};
  std::vector<std::string> relay = sealed;
  relay.insert(relay.end(), {"relay", "open", "2099-12-31T23:59:59"});
  CHECK(Has(CallMeter("encode", relay).err, "BAD_MAC"));
  relay.insert(relay.begin(), {"--mac", "A1A2A3A4"});
  CHECK(CallMeter("encode", relay).code == kUnderstood);
}

TEST_CASE("a wallet in kWh is shown in kWh") {
  // 078102FF and three records are refused (not authenticated, no such data), 00900100 is 1.00.
  const std::vector<std::string> kwh = {"--profile-directory", Profiles(), "--profile", "dlt645_energy_wallet"};
  std::vector<std::string> arguments = kwh;
  arguments.insert(arguments.end(), {"read-prepaid", "--", "6802001111242068C3023B336B16"});
  for (int i = 0; i < 3; ++i) arguments.push_back("6802001111242068D101353F16");
  arguments.push_back("680200111124206891083334C33333343333FB16");
  CHECK(Has(CallMeter("decode", arguments).out, "remaining\t1.00 kWh"));
}

TEST_CASE("a wrong command line says what is wrong and exits with 2") {
  CHECK(Call({}).code == kWrongUsage);
  CHECK(Call({"dance"}).code == kWrongUsage);
  CHECK(Has(Call({"explain", "--colour", "red"}).err, "BAD_OPTION"));
  CHECK(Has(Call({"encode", "--protocol", "MODBUS", "read"}).err, "BAD_OPTION"));
  CHECK(Has(Call({"encode", "--protocol", "DLT645_2007", "relay"}).err, "usage: relay"));
  CHECK(Has(Call({"encode", "--protocol"}).err, "needs a value"));
  CHECK(Call({"explain", "6G"}).code == kNotUnderstood);
}

TEST_CASE("a line that is too long is refused and the next one is read") {
  const Ran ran = Call({"explain"}, std::string(kLineMax + 2, '6') + "\n" + kReply + "\n");
  CHECK(ran.code == kNotUnderstood);
  CHECK(Has(ran.err, "LINE_TOO_LONG"));
  CHECK(Has(ran.out, "2.69"));
}

TEST_CASE("every protocol lists its registers, and the page names what is unproven") {
  const Ran protocols = Call({"list"});
  CHECK(protocols.code == kUnderstood);
  std::istringstream names(protocols.out);
  std::string name;
  while (names >> name) {
    CHECK(Has(Call({"list", "--protocol", name}).out, "\t"));
    CHECK(Has(Call({"page"}).out, "### " + name));
  }
}

}  // namespace
}  // namespace voltwell::codec_cli
