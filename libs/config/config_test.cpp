// Options: where a value comes from, what is refused, and that secrets are never shown.
#include "libs/config/config.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <map>

#include "libs/testing/process.h"
#include "libs/testing/status.h"

using namespace voltwell;

namespace {

struct Sample {
  int port = 7645;
  int64_t big = 1;
  bool demo = false;
  std::string name = "default";
  std::string password;
  std::string level = "low";
  absl::Duration wait = absl::Seconds(2);
  std::vector<std::string> networks = {"127.0.0.1"};
  std::map<std::string, std::string> environment;
  config::Options options;

  Sample() {
    options.Int("collector-port", &port, "TCP port that collectors dial", {.min = 0, .max = 65535});
    options.Int("big", &big, "a big number");
    options.Bool("demo", &demo, "load the demo tenant");
    options.Text("name", &name, "a name", {.required = true});
    options.Text("pg-password", &password, "password", {.secret = true});
    options.Duration("wait", &wait, "a wait", absl::Milliseconds(100), absl::Seconds(60));
    options.Text("level", &level, "a level", {.choices = {"low", "high"}});
    options.List("networks", &networks, "networks");
  }
  absl::Status Parse(const std::vector<std::string>& arguments) {
    return options.Parse(arguments, [&](const char* key) -> const char* {
      const auto found = environment.find(key);
      return found == environment.end() ? nullptr : found->second.c_str();
    });
  }
};

std::string Message(const absl::Status& status) { return std::string(status.message()); }

}  // namespace

TEST_CASE("a flag beats the environment, the environment beats the default") {
  Sample sample;
  sample.environment = {{"VOLTWELL_COLLECTOR_PORT", "1"}, {"VOLTWELL_NAME", "from environment"}};
  REQUIRE_OK(sample.Parse({"--collector-port", "2"}));
  CHECK(sample.port == 2);
  CHECK(sample.name == "from environment");
  CHECK(sample.wait == absl::Seconds(2));
}

TEST_CASE("every kind of option is read, with a blank or with an equals sign") {
  Sample sample;
  REQUIRE_OK(sample.Parse({"--collector-port=7", "--big", "-9000000000", "--demo", "--name=a=b", "--wait", "250ms",
                           "--networks=10.0.0.0/8, 192.168.0.0/16"}));
  CHECK(sample.port == 7);
  CHECK(sample.big == -9000000000);
  CHECK(sample.demo);
  CHECK(sample.name == "a=b");
  CHECK(sample.wait == absl::Milliseconds(250));
  CHECK(sample.networks == std::vector<std::string>{"10.0.0.0/8", "192.168.0.0/16"});
  REQUIRE_OK(sample.Parse({"--no-demo"}));
  CHECK_FALSE(sample.demo);
  REQUIRE_OK(sample.Parse({"--demo=true", "--networks="}));
  CHECK(sample.demo);
  CHECK(sample.networks.empty());
}

TEST_CASE("a value at its limit is taken and one beyond is refused") {
  Sample sample;
  CHECK_OK(sample.Parse({"--collector-port=65535"}));
  const absl::Status beyond = sample.Parse({"--collector-port=65536"});
  CHECK_REASON(beyond, "BAD_OPTION");
  CHECK(base::MetadataOf(beyond).at("option") == "collector-port");
  CHECK(Message(beyond) == "--collector-port: 65536 is more than 65535");
  CHECK_REASON(sample.Parse({"--collector-port=-1"}), "BAD_OPTION");
  CHECK_OK(sample.Parse({"--wait=60s"}));
  CHECK_REASON(sample.Parse({"--wait=60.001s"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--wait=99ms"}), "BAD_OPTION");
}

TEST_CASE("what is no number, no duration or no truth value is refused") {
  Sample sample;
  CHECK_REASON(sample.Parse({"--collector-port=12x"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--collector-port="}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--big=9223372036854775808"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--wait=5"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--demo=maybe"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--no-demo=true"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--no-name"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"--collector-port"}), "BAD_OPTION");
  CHECK_REASON(sample.Parse({"collector-port"}), "BAD_OPTION");
  sample.environment = {{"VOLTWELL_DEMO", "2"}};
  CHECK_REASON(sample.Parse({}), "BAD_OPTION");
}

TEST_CASE("an unknown flag names the nearest one, if any is near") {
  Sample sample;
  CHECK(Message(sample.Parse({"--colector-port=1"})) ==
        "--colector-port: there is no such option; did you mean --collector-port?");
  CHECK(Message(sample.Parse({"--something-else-entirely"})) ==
        "--something-else-entirely: there is no such option; --help lists them");
}

TEST_CASE("a choice is one of those offered") {
  Sample sample;
  REQUIRE_OK(sample.Parse({"--level=high"}));
  CHECK(sample.level == "high");
  CHECK(Message(sample.Parse({"--level=middle"})) == "--level: \"middle\" is none of low, high");
}

TEST_CASE("a required text may not be empty") {
  Sample sample;
  CHECK_REASON(sample.Parse({"--name="}), "BAD_OPTION");
}

TEST_CASE("a secret may come from a file and is never printed") {
  const testing::TempDirectory directory("config-test");
  const std::string path = directory.path() + "/password";
  std::ofstream(path) << "s3cret\n";
  Sample sample;
  REQUIRE_OK(sample.Parse({"--pg-password-file", path}));
  CHECK(sample.password == "s3cret");
  CHECK(sample.options.Print().find("pg-password=***\n") != std::string::npos);
  CHECK(sample.options.Print().find("s3cret") == std::string::npos);
  CHECK(sample.options.Help().find("s3cret") == std::string::npos);
  CHECK(sample.options.Print().find("collector-port=7645\n") != std::string::npos);

  Sample by_environment;
  by_environment.environment = {{"VOLTWELL_PG_PASSWORD_FILE", path}};
  REQUIRE_OK(by_environment.Parse({}));
  CHECK(by_environment.password == "s3cret");
  const absl::Status absent = by_environment.Parse({"--pg-password-file=/no/such/file"});
  CHECK(Message(absent) == "--pg-password-file: cannot read /no/such/file");
  CHECK_REASON(by_environment.Parse({"--name-file", path}), "BAD_OPTION");  // A name is no secret.
}

TEST_CASE("help tells each option's flag, variable, default and limits") {
  const Sample sample;
  const std::string help = sample.options.Help();
  CHECK(help.find("--collector-port  VOLTWELL_COLLECTOR_PORT") != std::string::npos);
  CHECK(help.find("TCP port that collectors dial (default: 7645; 0 to 65535)") != std::string::npos);
  CHECK(help.find("--[no-]demo") != std::string::npos);
  CHECK(help.find("--pg-password-file PATH") != std::string::npos);
}
