// Connecting, waiting and the transaction's ends; what runs inside a transaction is in connection_run.cpp.
#include "libs/pg/connection.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/log/log.h"
#include "libs/pg/errors.h"

namespace voltwell::pg {
namespace {

// The server's own timeout ends a late statement and leaves the connection usable, so ours waits a little longer.
// Within the 50 ms that a service may work past its deadline.
constexpr absl::Duration kGrace = absl::Milliseconds(30);
constexpr absl::Duration kRollbackWait = absl::Seconds(1);

// A dead peer is noticed in about 20 s even where nothing waits for it.
constexpr const char* kKeepalivesIdle = "10";
constexpr const char* kKeepalivesInterval = "5";
constexpr const char* kKeepalivesCount = "2";

int PollTimeoutMs(absl::Duration left) {
  if (left <= absl::ZeroDuration()) return 0;
  const absl::Duration longest = absl::Seconds(60);
  return static_cast<int>(absl::ToInt64Milliseconds(std::min(left, longest))) + 1;
}

// True when the socket is ready before the deadline.
bool PollUntil(int socket, short events, absl::Duration deadline) {
  for (;;) {
    pollfd entry = {.fd = socket, .events = events, .revents = 0};
    const absl::Duration left = deadline - MonotonicNow();
    const int ready = poll(&entry, 1, PollTimeoutMs(left));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // The next read tells what is wrong.
    if (ready == 0 && left <= absl::ZeroDuration()) return false;
  }
}

void LogNotice(void*, const PGresult* notice) {
  log::Debug("notice of the database", {{"notice", TrimmedMessage(PQresultErrorMessage(notice))}});
}

// A value inside libpq's `options` string: spaces and backslashes are escaped there.
std::string OptionValue(absl::string_view value) { return absl::StrReplaceAll(value, {{"\\", "\\\\"}, {" ", "\\ "}}); }

PGconn* StartConnecting(const Config& config) {
  const std::string timeout = absl::StrCat(absl::ToInt64Milliseconds(config.statement_timeout));
  std::string options = absl::StrCat("-c statement_timeout=", timeout, " -c TimeZone=UTC -c DateStyle=ISO",
                                     " -c idle_in_transaction_session_timeout=60000");
  if (!config.schema.empty()) absl::StrAppend(&options, " -c search_path=", OptionValue(config.schema));
  const char* const password = config.password.empty() ? nullptr : config.password.c_str();
  const std::string application = absl::StrCat("voltwell-", config.schema);
  const char* const keywords[] = {"dbname",
                                  "password",
                                  "options",
                                  "client_encoding",
                                  "application_name",
                                  "keepalives_idle",
                                  "keepalives_interval",
                                  "keepalives_count",
                                  nullptr};
  const char* const values[] = {
      config.url.c_str(),  password,         options.c_str(), "UTF8", application.c_str(), kKeepalivesIdle,
      kKeepalivesInterval, kKeepalivesCount, nullptr};
  return PQconnectStartParams(keywords, values, 1);
}

absl::Status Down(absl::string_view why) {
  return base::Unavailable("DATABASE_DOWN", absl::StrCat("the database cannot be reached: ", why));
}

}  // namespace

absl::Duration MonotonicNow() {
  static const os::SystemClock kClock;
  return kClock.Monotonic();
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(const Config& config, absl::Duration deadline) {
  PGconn* const raw = StartConnecting(config);
  if (raw == nullptr) return Down("out of memory");
  std::unique_ptr<Connection> connection(new Connection(raw, config));
  if (PQstatus(raw) == CONNECTION_BAD) return Down(TrimmedMessage(PQerrorMessage(raw)));
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state != PGRES_POLLING_OK) {
    if (state == PGRES_POLLING_FAILED) return Down(TrimmedMessage(PQerrorMessage(raw)));
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    if (!PollUntil(PQsocket(raw), events, deadline)) return Down("it did not answer in time");
    state = PQconnectPoll(raw);
  }
  if (PQsetnonblocking(raw, 1) != 0) return Down("its socket cannot be made non-blocking");
  PQsetNoticeReceiver(raw, LogNotice, nullptr);
  return connection;
}

Connection::~Connection() { PQfinish(connection_); }

void Connection::Begin(const TxOptions& options, absl::Duration deadline) {
  options_ = options;
  // A statement without a deadline still ends: the server gives up at statement_timeout, we soon after (Wait).
  deadline_ = deadline;
  began_ = false;
  committed_ = false;
  refused_ = false;
  failure_ = Failure::kNone;
  first_failure_ = absl::OkStatus();
}

bool Connection::Reusable() {
  if (stale_ || failure_ == Failure::kLost || failure_ == Failure::kTimeout) return false;
  if (PQstatus(connection_) != CONNECTION_OK || PQtransactionStatus(connection_) != PQTRANS_IDLE) return false;
  // Bytes on an idle connection are a notice, or the server's farewell.
  pollfd entry = {.fd = PQsocket(connection_), .events = POLLIN, .revents = 0};
  if (poll(&entry, 1, 0) <= 0) return true;
  return PQconsumeInput(connection_) == 1 && PQisBusy(connection_) == 0 && PQstatus(connection_) == CONNECTION_OK &&
         (poll(&entry, 1, 0) <= 0 || (entry.revents & (POLLERR | POLLHUP | POLLRDHUP)) == 0);
}

absl::Status Connection::Wait(short events, const char* name) {
  const absl::Duration latest = MonotonicNow() + config_.statement_timeout + absl::Seconds(1);
  if (PollUntil(PQsocket(connection_), events, std::min(deadline_ + kGrace, latest))) return absl::OkStatus();
  failure_ = Failure::kTimeout;
  first_failure_ = base::DeadlineExceeded(
      "DATABASE_TIMEOUT", absl::StrCat(name, ": the database did not answer in time"), {{"query", name}});
  return first_failure_;
}

absl::Status Connection::Flush(const char* name) {
  for (;;) {
    const int left = PQflush(connection_);
    if (left < 0) return Lost(name);
    if (left == 0) return absl::OkStatus();
    VW_RETURN_IF_ERROR(Wait(POLLIN | POLLOUT, name));
    // The server may block on answers that we do not read.
    if (PQconsumeInput(connection_) == 0) return Lost(name);
  }
}

absl::StatusOr<Connection::RawResult> Connection::NextResult(const char* name) {
  while (PQisBusy(connection_) == 1) {
    VW_RETURN_IF_ERROR(Wait(POLLIN, name));
    if (PQconsumeInput(connection_) == 0) return Lost(name);
  }
  return RawResult(PQgetResult(connection_));
}

absl::StatusOr<Connection::RawResult> Connection::LastResult(const char* name) {
  RawResult last;
  absl::Status failed;
  for (;;) {
    VW_ASSIGN_OR_RETURN(RawResult next, NextResult(name));
    if (next == nullptr) break;
    const ExecStatusType status = PQresultStatus(next.get());
    if (failed.ok() && (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE)) failed = Fail(next.get(), name);
    if (PQstatus(connection_) == CONNECTION_BAD) return failed.ok() ? Lost(name) : failed;
    last = std::move(next);
    if (status == PGRES_COPY_IN) break;
  }
  if (!failed.ok()) return failed;
  return last;
}

absl::Status Connection::Lost(const char* name) {
  failure_ = Failure::kLost;
  first_failure_ = base::Unavailable("DATABASE_DOWN", absl::StrCat(name, ": the connection to the database was lost"),
                                     {{"query", name}});
  return first_failure_;
}

absl::Status Connection::Fail(const PGresult* result, const char* name) {
  const char* const state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  if (PQstatus(connection_) == CONNECTION_BAD || state == nullptr) return Lost(name);
  absl::Status status = ErrorOf(result, name);
  refused_ = refused_ || !EndsConnection(result);
  if (failure_ == Failure::kNone) {
    failure_ = IsConflict(result) ? Failure::kConflict : Failure::kStatement;
    if (EndsConnection(result)) failure_ = Failure::kLost;
    stale_ = stale_ || IsStalePlan(result);
    first_failure_ = status;
  }
  return status;
}

absl::Status Connection::Commit() {
  if (committed_) return absl::OkStatus();
  if (failure_ != Failure::kNone) {
    // The body swallowed a statement's failure; the server would answer COMMIT with ROLLBACK.
    Rollback();
    return first_failure_;
  }
  if (!began_) return absl::OkStatus();
  if (MonotonicNow() >= deadline_) {
    Rollback();
    return base::DeadlineExceeded("DATABASE_TIMEOUT", "the deadline passed before COMMIT; nothing was written");
  }
  if (PQsendQuery(connection_, "COMMIT") == 0) {
    (void)Lost("COMMIT");
    return InDoubt();
  }
  const auto answer = Flush("COMMIT").ok() ? LastResult("COMMIT") : absl::StatusOr<RawResult>(first_failure_);
  if (answer.ok()) {
    if (absl::string_view(PQcmdStatus(answer->get())) == "COMMIT") return absl::OkStatus();
    failure_ = Failure::kStatement;
    return base::Internal("DATABASE_ERROR", "the database rolled back instead of committing",
                          {{"query", "COMMIT"}, {"transaction", options_.name}});
  }
  if (failure_ == Failure::kLost || failure_ == Failure::kTimeout) return InDoubt();
  return answer.status();  // Refused by the server: a deferred constraint or a serialization failure.
}

absl::Status Connection::InDoubt() const {
  return base::Unavailable("COMMIT_IN_DOUBT",
                           "COMMIT was sent and its answer lost: look, or repeat under an idempotency key",
                           {{"transaction", options_.name}});
}

void Connection::Rollback() {
  if (!began_ || committed_ || failure_ == Failure::kLost || failure_ == Failure::kTimeout) return;
  const Failure cause = failure_;
  const absl::Status first = first_failure_;
  const absl::Duration now = MonotonicNow();
  deadline_ = std::min(now + kRollbackWait, std::max(deadline_, now));
  const bool done = PQsendQuery(connection_, "ROLLBACK") == 1 && Flush("ROLLBACK").ok() && LastResult("ROLLBACK").ok();
  began_ = false;
  // What the caller acts on is why the transaction ended; a connection that cannot even roll back is seen by Reusable.
  if (done) {
    failure_ = cause;
    first_failure_ = first;
  }
}

absl::Status Connection::Simple(const std::string& sql, absl::Duration deadline) {
  Begin({}, deadline);
  if (PQsendQuery(connection_, sql.c_str()) == 0) return Lost("listen");
  VW_RETURN_IF_ERROR(Flush("listen"));
  return LastResult("listen").status();
}

absl::StatusOr<std::vector<std::string>> Connection::Notifications() {
  if (PQconsumeInput(connection_) == 0) return Lost("listen");
  std::vector<std::string> channels;
  while (PGnotify* const note = PQnotifies(connection_)) {
    channels.emplace_back(note->relname);
    PQfreemem(note);
  }
  return channels;
}

}  // namespace voltwell::pg
