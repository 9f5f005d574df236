// Accepting, threads and drain. What happens on a connection is in connection.cpp.
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <list>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/http/connection.h"
#include "libs/http/http.h"
#include "libs/os/worker.h"

namespace voltwell::http {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

constexpr auto kTick = std::chrono::milliseconds(100);
constexpr auto kAcceptPause =
    std::chrono::milliseconds(200);  // Out of descriptors: look again then, instead of spinning.
constexpr int kBacklog = 1024;

// IPv4 that came over a v6 socket is shown as IPv4.
std::string AddressText(const tcp::socket& socket) {
  error_code error;
  const auto endpoint = socket.remote_endpoint(error);
  if (error) return "";
  auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    address = asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  }
  return address.to_string();
}

}  // namespace

std::string Request::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

ServerMetrics::ServerMetrics(metrics::Registry& registry_in, int port)
    : registry(registry_in),
      labels{{"port", absl::StrCat(port)}},
      connections(registry.Gauge("voltwell_http_connections", "Open HTTP connections.", labels)),
      accepted(registry.Counter("voltwell_http_connections_accepted_total", "HTTP connections accepted.", labels)),
      requests(registry.Counter("voltwell_http_requests_total", "HTTP requests read.", labels)),
      disconnects(registry.Counter("voltwell_http_disconnects_total", "Clients gone before their answer.", labels)),
      accept_pauses(registry.Counter("voltwell_http_accept_pauses_total", "Pauses for want of descriptors.", labels)) {}

prometheus::Counter& ServerMetrics::Refused(const std::string& why) {
  metrics::Labels with_why = labels;
  with_why["limit"] = why;
  return registry.Counter("voltwell_http_refused_total", "What a limit of the HTTP server refused.", with_why);
}

void Loop::Tick() {
  ticking = !connections.empty();
  if (!ticking) return;
  const absl::Duration now = shared.clock.Monotonic();
  const std::vector<std::shared_ptr<Connection>> all(connections.begin(), connections.end());
  for (const auto& connection : all) connection->CheckDeadline(now);
  tick.expires_after(kTick);
  tick.async_wait([this](const error_code& error) {
    if (!error) Tick();
  });
}

const std::string& Loop::Date() {
  const absl::Time now = shared.clock.Now();
  const int64_t second = absl::ToUnixSeconds(now);
  if (second != date_second) {
    date_second = second;
    date = absl::FormatTime("%a, %d %b %E4Y %H:%M:%S GMT", now, absl::UTCTimeZone());
  }
  return date;
}

struct Server::State {
  State(std::string listen_in, int port_in, Limits limits, int threads, Handler handler, metrics::Registry& registry)
      : listen(std::move(listen_in)),
        port(port_in),
        kept(std::make_shared<Shared>(limits, std::move(handler), registry, port_in)),
        shared(*kept) {
    for (int i = 0; i < threads; ++i) loops.push_back(std::make_shared<Loop>(kept));
    acceptor = std::make_unique<tcp::acceptor>(loops.front()->io);
    pause = std::make_unique<asio::steady_timer>(loops.front()->io);
  }

  absl::Status Open();
  void Accept();
  void OnAccept(const error_code& error, tcp::socket socket);
  void Adopt(tcp::socket socket, const std::shared_ptr<Loop>& loop);
  void Stop();

  const std::string listen;
  int port;
  const std::shared_ptr<Shared> kept;
  Shared& shared;
  std::vector<std::shared_ptr<Loop>> loops;
  std::unique_ptr<tcp::acceptor> acceptor;    // On the first loop.
  std::unique_ptr<asio::steady_timer> pause;  // On the first loop.
  size_t next_loop = 0;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
  std::list<os::Worker> workers;
  bool started = false;
};

absl::Status Server::State::Open() {
  const auto failed = [&](const error_code& error) {
    return base::Unavailable("LISTEN_FAILED",
                             absl::StrCat("cannot listen on ", listen, ":", port, ": ", error.message()),
                             {{"address", absl::StrCat(listen, ":", port)}});
  };
  error_code error;
  const auto address = asio::ip::make_address(listen, error);
  if (error) return failed(error);
  const tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
  acceptor->open(endpoint.protocol(), error);
  if (error) return failed(error);
  acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  acceptor->bind(endpoint, error);
  if (error) return failed(error);
  acceptor->listen(kBacklog, error);
  if (error) return failed(error);
  port = acceptor->local_endpoint(error).port();
  return absl::OkStatus();
}

void Server::State::Accept() {
  next_loop = (next_loop + 1) % loops.size();
  const std::shared_ptr<Loop>& loop = loops[next_loop];
  acceptor->async_accept(loop->io, [this, &loop](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted || shared.draining) return;
    if (error == asio::error::no_descriptors || error == boost::system::errc::too_many_files_open_in_system ||
        error == asio::error::no_buffer_space || error == asio::error::no_memory) {
      shared.metrics.accept_pauses.Increment();
      pause->expires_after(kAcceptPause);
      pause->async_wait([this](const error_code& pause_error) {
        if (!pause_error) Accept();
      });
      return;
    }
    if (!error) {
      asio::post(loop->io,
                 [this, &loop, s = std::make_shared<tcp::socket>(std::move(socket))] { Adopt(std::move(*s), loop); });
    }
    Accept();
  });
}

void Server::State::Adopt(tcp::socket socket, const std::shared_ptr<Loop>& loop) {
  std::string peer = AddressText(socket);
  const char* refused = nullptr;
  {
    const std::lock_guard lock(shared.mutex);
    int& of_address = shared.per_address[peer];
    if (shared.open >= shared.limits.connections) {
      refused = "connections";
    } else if (of_address >= shared.limits.connections_per_address) {
      refused = "connections_per_address";
    } else {
      ++shared.open;
      ++of_address;
    }
    if (of_address == 0) shared.per_address.erase(peer);
    if (refused != nullptr && ++shared.refusing > kRefusalsMax) {
      --shared.refusing;
      shared.metrics.Refused(refused).Increment();
      return;  // The socket closes here.
    }
  }
  const auto connection = std::make_shared<Connection>(loop, std::move(socket), std::move(peer));
  loop->connections.insert(connection);
  if (refused != nullptr) {
    shared.metrics.Refused(refused).Increment();
    connection->StartRefused();
  } else {
    shared.metrics.accepted.Increment();
    shared.metrics.connections.Increment();
    connection->Start();
    if (shared.draining) connection->Drain();
  }
  if (!loop->ticking) loop->Tick();
}

// Only when nothing runs on the loops any more may their connections be closed from here.
void Server::State::Stop() {
  for (auto& loop : loops) loop->io.stop();
  workers.clear();
  guards.clear();
  error_code ignored;
  acceptor->close(ignored);
  for (auto& loop : loops) {
    loop->stopped = true;
    const std::vector<std::shared_ptr<Connection>> all(loop->connections.begin(), loop->connections.end());
    for (const auto& connection : all) connection->Close();
    loop->tick.cancel();
    loop->io.restart();
    loop->io.poll();  // What was posted before, and the waits that closing ended.
  }
  started = false;
}

Server::Server(std::string listen, int port, Limits limits, int threads, Handler handler, metrics::Registry& metrics)
    : state_(std::make_unique<State>(std::move(listen), port, limits, threads, std::move(handler), metrics)) {}

Server::~Server() {
  if (state_->started) Drain(absl::ZeroDuration());
}

absl::Status Server::Start() {
  VW_RETURN_IF_ERROR(state_->Open());
  state_->Accept();
  for (auto& loop : state_->loops) {
    state_->guards.push_back(asio::make_work_guard(loop->io));
    state_->workers.emplace_back("http", [&io = loop->io] {
      io.run();
      return absl::Hours(1);
    });
  }
  state_->started = true;
  return absl::OkStatus();
}

int Server::port() const { return state_->port; }

void Server::Drain(absl::Duration grace) {
  if (!state_->started) return;
  Shared& shared = state_->shared;
  shared.draining = true;
  asio::post(state_->loops.front()->io, [state = state_.get()] {
    error_code ignored;
    state->acceptor->close(ignored);
    state->pause->cancel();
  });
  for (auto& loop : state_->loops) {
    asio::post(loop->io, [&loop] {
      const std::vector<std::shared_ptr<Connection>> all(loop->connections.begin(), loop->connections.end());
      for (const auto& connection : all) connection->Drain();
    });
  }
  {
    std::unique_lock lock(shared.mutex);
    shared.closed.wait_for(lock, absl::ToChronoMilliseconds(grace), [&] { return shared.open == 0; });
  }
  state_->Stop();
}

}  // namespace voltwell::http
