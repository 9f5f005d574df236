#include "tools/voltwell_codec/cli.h"

#include <catch2/catch.hpp>
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
