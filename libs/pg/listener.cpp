// LISTEN on a connection of its own. A lost connection loses notifications, so after each (re)connect every channel
// wakes once.
#include <poll.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/os/worker.h"
#include "libs/pg/connection.h"
#include "libs/pg/pg.h"

namespace voltwell::pg {
namespace {

constexpr absl::Duration kAnswerWait = absl::Seconds(3);  // Connect, LISTEN and the sign of life.
constexpr absl::Duration kReconnectFirst = absl::Milliseconds(50);
constexpr absl::Duration kReconnectLast = absl::Seconds(1);
constexpr absl::Duration kSignOfLife = absl::Seconds(10);  // A silent connection is asked whether it still stands.
constexpr int kStopLatencyMs = 100;                        // How long a stop may wait for the poll.

std::string ListenSql(const std::vector<std::string>& channels) {
  std::string sql;
  for (const std::string& channel : channels) {
    absl::StrAppend(&sql, "LISTEN \"", absl::StrReplaceAll(channel, {{"\"", "\"\""}}), "\"; ");
  }
  return sql;
}

}  // namespace

struct Listener::State {
  Config config;
  std::vector<std::string> channels;
  std::function<void(const std::string&)> wake;
  std::unique_ptr<Connection> connection;
  absl::Duration reconnect = kReconnectFirst;
  absl::Duration quiet_since = absl::ZeroDuration();
  std::unique_ptr<os::Worker> worker;  // Last: it uses all of the above.

  absl::Duration Step() {
    const absl::Status status = connection == nullptr ? Connect() : Listen();
    if (status.ok()) return absl::ZeroDuration();
    if (connection != nullptr) log::Warning("listening connection lost", {{"error", status.message()}});
    connection.reset();
    const absl::Duration wait = reconnect;
    reconnect = std::min(reconnect * 2, kReconnectLast);
    return wait;
  }

  absl::Status Connect() {
    VW_ASSIGN_OR_RETURN(connection, Connection::Open(config, MonotonicNow() + kAnswerWait));
    VW_RETURN_IF_ERROR(connection->Simple(ListenSql(channels), MonotonicNow() + kAnswerWait));
    reconnect = kReconnectFirst;
    quiet_since = MonotonicNow();
    for (const std::string& channel : channels) wake(channel);
    return absl::OkStatus();
  }

  absl::Status Listen() {
    pollfd entry = {.fd = connection->socket(), .events = POLLIN, .revents = 0};
    if (poll(&entry, 1, kStopLatencyMs) <= 0) {
      if (MonotonicNow() - quiet_since < kSignOfLife) return absl::OkStatus();
      VW_RETURN_IF_ERROR(connection->Simple("SELECT 1", MonotonicNow() + kAnswerWait));
    }
    quiet_since = MonotonicNow();
    VW_ASSIGN_OR_RETURN(const std::vector<std::string> woken, connection->Notifications());
    for (const std::string& channel : woken) wake(channel);
    return absl::OkStatus();
  }
};

Listener::Listener(Config config, std::vector<std::string> channels,
                   std::function<void(const std::string& channel)> wake)
    : state_(std::make_unique<State>()) {
  state_->config = std::move(config);
  state_->channels = std::move(channels);
  state_->wake = std::move(wake);
  state_->worker = std::make_unique<os::Worker>("pg-listen", [state = state_.get()] { return state->Step(); });
}

Listener::~Listener() { state_->worker->Stop(); }

}  // namespace voltwell::pg
