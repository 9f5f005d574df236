#include "libs/testing/chaos_proxy.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <list>
#include <mutex>
#include <vector>

#include "libs/base/check.h"
#include "libs/os/clock.h"
#include "libs/os/worker.h"

namespace voltwell::testing {
namespace {

enum class Mode { kPass, kDelay, kBlackhole, kRefuse, kGarbage };

constexpr int kPollMs = 5;  // How soon a change of mode is seen.

struct Piece {
  absl::Duration due;
  std::string bytes;
};

struct Link {
  int client = -1;
  int server = -1;
  std::deque<Piece> to_server = {};
  std::deque<Piece> to_client = {};
  bool lose_answer = false;  // The marked request was forwarded: the next answer is dropped and the link closed.
  bool closed = false;
};

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

int Listen(int* port) {
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  VW_CHECK(socket_number >= 0);
  sockaddr_in address = Loopback(0);
  VW_CHECK(bind(socket_number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  VW_CHECK(listen(socket_number, 64) == 0);
  socklen_t length = sizeof(address);
  VW_CHECK(getsockname(socket_number, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  *port = ntohs(address.sin_port);
  return socket_number;
}

// -1 when the target refuses.
int Dial(int port) {
  const int socket_number = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  VW_CHECK(socket_number >= 0);
  const sockaddr_in address = Loopback(port);
  if (connect(socket_number, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0) {
    close(socket_number);
    return -1;
  }
  VW_CHECK(fcntl(socket_number, F_SETFL, O_NONBLOCK) == 0);
  return socket_number;
}

void SetNoDelay(int socket_number) {
  const int one = 1;
  (void)setsockopt(socket_number, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

}  // namespace

struct ChaosProxy::State {
  int target = 0;
  int port = 0;
  int listener = -1;
  os::SystemClock clock;

  mutable std::mutex mutex;
  Mode mode = Mode::kPass;
  absl::Duration delay = absl::ZeroDuration();
  std::string garbage;
  std::string lose_answer_to;  // Empty: none.
  bool cut = false;
  int accepted = 0;
  std::list<Link> links;

  std::unique_ptr<os::Worker> worker;  // Last: it uses all of the above.

  absl::Duration Step();
  void Accept();
  void Read(Link& link, bool from_client);
  void Write(Link& link, bool to_client);
  void CloseAll();
};

void ChaosProxy::State::CloseAll() {
  for (Link& link : links) {
    close(link.client);
    close(link.server);
  }
  links.clear();
}

void ChaosProxy::State::Accept() {
  const int client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  ++accepted;
  const int server = mode == Mode::kRefuse ? -1 : Dial(target);
  if (server < 0) {
    close(client);
    return;
  }
  SetNoDelay(client);
  SetNoDelay(server);
  Link link;
  link.client = client;
  link.server = server;
  links.push_back(std::move(link));
}

void ChaosProxy::State::Read(Link& link, bool from_client) {
  char buffer[65536];
  const ssize_t got = recv(from_client ? link.client : link.server, buffer, sizeof(buffer), 0);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (got <= 0) {
    link.closed = true;
    return;
  }
  std::string bytes(buffer, static_cast<size_t>(got));
  const absl::Duration now = clock.Monotonic();
  if (from_client) {
    if (!lose_answer_to.empty() && bytes.find(lose_answer_to) != std::string::npos) {
      lose_answer_to.clear();
      link.lose_answer = true;
    }
    link.to_server.push_back({now, std::move(bytes)});
    return;
  }
  if (link.lose_answer) {
    link.closed = true;
    return;
  }
  if (mode == Mode::kGarbage) bytes = garbage;
  link.to_client.push_back({mode == Mode::kDelay ? now + delay : now, std::move(bytes)});
}

void ChaosProxy::State::Write(Link& link, bool to_client) {
  std::deque<Piece>& queue = to_client ? link.to_client : link.to_server;
  while (!queue.empty() && queue.front().due <= clock.Monotonic()) {
    std::string& bytes = queue.front().bytes;
    const ssize_t sent = send(to_client ? link.client : link.server, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      link.closed = link.closed || (errno != EAGAIN && errno != EINTR);
      return;
    }
    bytes.erase(0, static_cast<size_t>(sent));
    if (bytes.empty()) queue.pop_front();
  }
}

absl::Duration ChaosProxy::State::Step() {
  std::vector<pollfd> entries = {{.fd = listener, .events = POLLIN, .revents = 0}};
  {
    const std::lock_guard lock(mutex);
    for (const Link& link : links) {
      entries.push_back({.fd = link.client, .events = POLLIN, .revents = 0});
      entries.push_back({.fd = link.server, .events = POLLIN, .revents = 0});
    }
    // In a black hole nothing is read, so the poll would not wait; only the listener counts.
    if (mode == Mode::kBlackhole) entries.resize(1);
  }
  (void)poll(entries.data(), entries.size(), kPollMs);
  const std::lock_guard lock(mutex);
  if (cut || mode == Mode::kRefuse) CloseAll();
  cut = false;
  if ((entries[0].revents & POLLIN) != 0) Accept();
  if (mode == Mode::kBlackhole) return absl::ZeroDuration();
  for (Link& link : links) {
    Read(link, true);
    Read(link, false);
    Write(link, false);
    Write(link, true);
    if (!link.closed) continue;
    close(link.client);
    close(link.server);
  }
  links.remove_if([](const Link& link) { return link.closed; });
  return absl::ZeroDuration();
}

ChaosProxy::ChaosProxy(int target_port) : state_(std::make_unique<State>()) {
  state_->target = target_port;
  state_->listener = Listen(&state_->port);
  state_->worker = std::make_unique<os::Worker>("chaos-proxy", [state = state_.get()] { return state->Step(); });
}

ChaosProxy::~ChaosProxy() {
  state_->worker->Stop();
  state_->CloseAll();
  close(state_->listener);
}

int ChaosProxy::port() const { return state_->port; }

int ChaosProxy::connections() const {
  const std::lock_guard lock(state_->mutex);
  return static_cast<int>(state_->links.size());
}

int ChaosProxy::accepted() const {
  const std::lock_guard lock(state_->mutex);
  return state_->accepted;
}

void ChaosProxy::Pass() {
  const std::lock_guard lock(state_->mutex);
  state_->mode = Mode::kPass;
}

void ChaosProxy::Delay(absl::Duration by) {
  const std::lock_guard lock(state_->mutex);
  state_->mode = Mode::kDelay;
  state_->delay = by;
}

void ChaosProxy::Blackhole() {
  const std::lock_guard lock(state_->mutex);
  state_->mode = Mode::kBlackhole;
}

void ChaosProxy::Cut() {
  const std::lock_guard lock(state_->mutex);
  state_->cut = true;
}

void ChaosProxy::Refuse() {
  const std::lock_guard lock(state_->mutex);
  state_->mode = Mode::kRefuse;
}

void ChaosProxy::Garbage(std::string bytes) {
  const std::lock_guard lock(state_->mutex);
  state_->mode = Mode::kGarbage;
  state_->garbage = std::move(bytes);
}

void ChaosProxy::LoseAnswerTo(std::string text) {
  const std::lock_guard lock(state_->mutex);
  state_->lose_answer_to = std::move(text);
}

}  // namespace voltwell::testing
