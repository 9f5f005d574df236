// Builds a line in a string and hands it to the kernel in one write(2), so that lines of threads never mix.
#include "libs/log/log.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <mutex>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "libs/log/json_text.h"

namespace voltwell::log {
namespace {

std::atomic<Level> minimum{Level::kInfo};

// Never destroyed: threads may still log while main's statics go.
struct Service {
  std::mutex mutex;
  std::string json = "\"\"";
};
Service& ThisService() {
  static auto* service = new Service;
  return *service;
}

thread_local std::string request_id;

constexpr const char* kNames[] = {"debug", "info", "warning", "error"};

std::string ServiceJson() {
  const std::lock_guard lock(ThisService().mutex);
  return ThisService().json;
}

void WriteLine(absl::string_view line) {
  // A full pipe may take part of a line; the rest follows. Any other error is nobody's to hear.
  while (!line.empty()) {
    const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    line.remove_prefix(static_cast<size_t>(written));
  }
}

void Write(Level level, absl::string_view message, const Fields& fields) {
  if (!Enabled(level)) return;
  WriteLine(FormatLine(absl::Now(), level, message, fields));
}

}  // namespace

void Config::Declare(config::Options& options) {
  options.Text("log-level", &level, "least level that is logged", {.choices = {"debug", "info", "warning", "error"}});
}

bool ParseLevel(absl::string_view text, Level* level) {
  for (int i = 0; i < 4; ++i) {
    if (text != kNames[i]) continue;
    *level = static_cast<Level>(i);
    return true;
  }
  return false;
}

void Start(const Config& config, absl::string_view service) {
  {
    const std::lock_guard lock(ThisService().mutex);
    ThisService().json = JsonText(service);
  }
  Level level = Level::kInfo;
  const bool known = ParseLevel(config.level, &level);
  minimum = level;
  if (!known) Warning("unknown log level, info is used", {{"level_given", config.level}});
}

Value::Value(absl::string_view text) : json_(JsonText(text)) {}
Value::Value(bool flag) : json_(flag ? "true" : "false") {}
Value::Value(int64_t number) : json_(absl::StrCat(number)) {}
Value::Value(uint64_t number) : json_(absl::StrCat(number)) {}
// JSON knows neither NaN nor infinity.
Value::Value(double number) : json_(std::isfinite(number) ? absl::StrFormat("%.12g", number) : "null") {}

std::string FormatLine(absl::Time time, Level level, absl::string_view message, const Fields& fields) {
  const std::string stamp = absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", time, absl::UTCTimeZone());
  std::string line = absl::StrCat("{\"time\":\"", stamp, "\",\"level\":\"", kNames[static_cast<int>(level)],
                                  "\",\"service\":", ServiceJson(), ",\"message\":", JsonText(message));
  if (!request_id.empty()) absl::StrAppend(&line, ",\"request_id\":", JsonText(request_id));
  for (const auto& [name, value] : fields) absl::StrAppend(&line, ",", JsonText(name), ":", value.json());
  line += "}\n";
  return line;
}

void Debug(absl::string_view message, Fields fields) { Write(Level::kDebug, message, fields); }
void Info(absl::string_view message, Fields fields) { Write(Level::kInfo, message, fields); }
void Warning(absl::string_view message, Fields fields) { Write(Level::kWarning, message, fields); }
void Error(absl::string_view message, Fields fields) { Write(Level::kError, message, fields); }

bool Enabled(Level level) { return level >= minimum.load(std::memory_order_relaxed); }

RequestScope::RequestScope(absl::string_view id) : previous_(std::move(request_id)) { request_id = std::string(id); }
RequestScope::~RequestScope() { request_id = std::move(previous_); }

const std::string& CurrentRequestId() { return request_id; }

}  // namespace voltwell::log
