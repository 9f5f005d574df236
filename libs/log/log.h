// JSON lines on stderr: {"time","level","service","message","request_id",...fields}. One line is one write.
//   log::Info("collector registered", {{"collector", id}, {"epoch", epoch}});
// Never log a secret, a token, a password or an SMS code.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "libs/config/config.h"

namespace voltwell::log {

enum class Level { kDebug, kInfo, kWarning, kError };

struct Config {
  std::string level = "info";  // debug, info, warning, error
  void Declare(config::Options& options);
};

// Names the process in each line and sets the level. Before it, lines go out with an empty service.
void Start(const Config& config, absl::string_view service);

// A field's value: text is quoted, numbers and booleans are not.
class Value {
 public:
  Value(absl::string_view text);                                      // NOLINT: conversions are the point of this type.
  Value(const std::string& text) : Value(absl::string_view(text)) {}  // NOLINT
  Value(const char* text) : Value(absl::string_view(text)) {}         // NOLINT
  Value(bool flag);                                                   // NOLINT
  Value(int number) : Value(static_cast<int64_t>(number)) {}          // NOLINT
  Value(unsigned number) : Value(static_cast<uint64_t>(number)) {}    // NOLINT
  Value(int64_t number);                                              // NOLINT
  Value(uint64_t number);                                             // NOLINT
  Value(double number);                                               // NOLINT
  const std::string& json() const { return json_; }

 private:
  std::string json_;
};

using Fields = std::initializer_list<std::pair<absl::string_view, Value>>;

void Debug(absl::string_view message, Fields fields = {});
void Info(absl::string_view message, Fields fields = {});
void Warning(absl::string_view message, Fields fields = {});
void Error(absl::string_view message, Fields fields = {});
bool Enabled(Level level);

// While it lives, lines written by this thread bear the request id.
class RequestScope {
 public:
  explicit RequestScope(absl::string_view request_id);
  ~RequestScope();
  RequestScope(const RequestScope&) = delete;
  RequestScope& operator=(const RequestScope&) = delete;

 private:
  std::string previous_;
};
// The request id of this thread's scope; empty outside one.
const std::string& CurrentRequestId();

}  // namespace voltwell::log
