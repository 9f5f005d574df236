// A log line is one valid JSON object, whatever is logged.
#include "libs/log/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "absl/strings/str_split.h"
#include "libs/log/json_text.h"
#include "libs/os/files.h"
#include "libs/testing/process.h"

using namespace voltwell;

namespace {

// What the lambda writes to stderr, line by line.
template <typename Action>
std::vector<std::string> LinesOf(Action action) {
  const testing::TempDirectory directory("log-test");
  const std::string path = directory.path() + "/stderr";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const int kept = dup(STDERR_FILENO);
  dup2(file, STDERR_FILENO);
  action();
  dup2(kept, STDERR_FILENO);
  close(kept);
  close(file);
  return absl::StrSplit(*os::ReadFile(path), '\n', absl::SkipEmpty());
}

}  // namespace

TEST_CASE("a line bears time in UTC with milliseconds, level, service, message and fields") {
  log::Start({}, "registry");
  const absl::Time time = absl::FromUnixMillis(1'767'225'599'007);
  const std::string line =
      log::FormatLine(time, log::Level::kWarning, "collector registered",
                      {{"collector", "C1"}, {"epoch", 7}, {"ok", true}, {"ratio", 0.5}, {"big", uint64_t{1} << 63}});
  CHECK(line ==
        "{\"time\":\"2025-12-31T23:59:59.007Z\",\"level\":\"warning\",\"service\":\"registry\","
        "\"message\":\"collector registered\",\"collector\":\"C1\",\"epoch\":7,\"ok\":true,\"ratio\":0.5,"
        "\"big\":9223372036854775808}\n");
}

TEST_CASE("any bytes make valid JSON, and valid text survives") {
  const std::string text = "quote \" back \\ tab \t line \n zero \x01 Zähler 电表 \xF0\x9F\x94\x8C";
  CHECK(nlohmann::json::parse(log::JsonText(text)) == text);
  std::string bytes;
  for (int c = 0; c < 256; ++c) bytes.push_back(static_cast<char>(c));
  CHECK_NOTHROW(nlohmann::json::parse(log::JsonText(bytes)));
  CHECK(log::JsonText("a\xff"
                      "b") ==
        "\"a\xEF\xBF\xBD"
        "b\"");
  // Surrogates, overlong forms, beyond U+10FFFF, and a sequence that ends too early.
  for (const char* const bad : {"\xED\xA0\x80", "\xC0\xAF", "\xE0\x80\xAF", "\xF4\x90\x80\x80", "\xE7\x94"}) {
    const std::string json = log::JsonText(bad);
    CHECK_NOTHROW(nlohmann::json::parse(json));
    CHECK(json.find("\xEF\xBF\xBD") != std::string::npos);
  }
}

TEST_CASE("numbers that JSON lacks become null") {
  CHECK(log::Value(std::numeric_limits<double>::infinity()).json() == "null");
  CHECK(log::Value(std::numeric_limits<double>::quiet_NaN()).json() == "null");
}

TEST_CASE("levels below the given one are not written") {
  const auto lines = LinesOf([] {
    log::Start({.level = "warning"}, "x");
    log::Debug("no");
    log::Info("no");
    log::Warning("yes");
    log::Error("yes");
  });
  CHECK(lines.size() == 2);
  CHECK_FALSE(log::Enabled(log::Level::kInfo));
  log::Start({}, "x");
  CHECK(log::Enabled(log::Level::kInfo));
}

TEST_CASE("lines of a request bear its id, of this thread and scope only") {
  const auto lines = LinesOf([] {
    const log::RequestScope outer("r-1");
    log::Info("a");
    {
      const log::RequestScope inner("r-2");
      log::Info("b");
      std::thread([] { log::Info("c"); }).join();
    }
    log::Info("d");
  });
  log::Info("after");
  REQUIRE(lines.size() == 4);
  CHECK(nlohmann::json::parse(lines[0]).at("request_id") == "r-1");
  CHECK(nlohmann::json::parse(lines[1]).at("request_id") == "r-2");
  CHECK_FALSE(nlohmann::json::parse(lines[2]).contains("request_id"));
  CHECK(nlohmann::json::parse(lines[3]).at("request_id") == "r-1");
  CHECK(log::CurrentRequestId().empty());
}

TEST_CASE("lines of many threads do not mix") {
  const auto lines = LinesOf([] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([] {
        for (int i = 0; i < 200; ++i) log::Info(std::string(300, 'x'), {{"i", i}});
      });
    }
    for (std::thread& thread : threads) thread.join();
  });
  CHECK(lines.size() == 800);
  for (const std::string& line : lines) REQUIRE_NOTHROW(nlohmann::json::parse(line));
}
