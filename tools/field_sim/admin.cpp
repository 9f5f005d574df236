#include "tools/field_sim/admin.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "libs/base/check.h"

namespace voltwell::field_sim {
namespace {

// The value of Content-Length, 0 without one.
size_t BodySize(absl::string_view head) {
  for (absl::string_view line : absl::StrSplit(head, "\r\n")) {
    if (!absl::StartsWithIgnoreCase(line, "content-length:")) continue;
    size_t size = 0;
    line.remove_prefix(15);
    return absl::SimpleAtoi(line, &size) ? size : 0;
  }
  return 0;
}

std::string Format(const HttpReply& reply) {
  return absl::StrCat("HTTP/1.1 ", reply.code, reply.code == 200 ? " OK" : " Refused",
                      "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ",
                      reply.json.size() + 1, "\r\n\r\n", reply.json, "\n");
}

}  // namespace

AdminServer::AdminServer(UniqueFd listener, AdminApi& api)
    : listener_(std::move(listener)), epoll_(epoll_create1(EPOLL_CLOEXEC)), api_(api) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.ptr = nullptr;
  VW_CHECK(epoll_ && epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, listener_.get(), &event) == 0);
}

void AdminServer::Accept() {
  while (true) {
    UniqueFd fd(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd) return;
    if (connections_.size() >= kMaxAdminConnections) continue;  // Closed at once.
    Connection& connection = connections_.emplace_back();
    connection.fd = std::move(fd);
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.ptr = &connection;
    epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connection.fd.get(), &event);
  }
}

void AdminServer::Work() {
  std::array<epoll_event, 16> events;
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  for (int i = 0; i < count; ++i) {
    void* const which = events[static_cast<size_t>(i)].data.ptr;
    if (which == nullptr) {
      Accept();
      continue;
    }
    const auto found = std::find_if(connections_.begin(), connections_.end(),
                                    [which](const Connection& connection) { return &connection == which; });
    if (found != connections_.end() && !Serve(*found)) connections_.erase(found);
  }
}

bool AdminServer::Serve(Connection& connection) {
  if (!connection.answered) {
    std::array<char, 4096> buffer;
    const ssize_t size = recv(connection.fd.get(), buffer.data(), buffer.size(), 0);
    if (size < 0) return errno == EAGAIN || errno == EINTR;
    if (size == 0) return false;
    connection.in.append(buffer.data(), static_cast<size_t>(size));
    if (connection.in.size() > kMaxAdminRequestBytes) return false;
    const size_t end = connection.in.find("\r\n\r\n");
    if (end == std::string::npos) return true;
    const absl::string_view head(connection.in.data(), end);
    const size_t body_size = BodySize(head);
    if (connection.in.size() < end + 4 + body_size) return true;
    const std::vector<absl::string_view> words = absl::StrSplit(head.substr(0, head.find("\r\n")), ' ');
    connection.out = Format(
        words.size() == 3 ? api_.Handle(words[0], words[1], absl::string_view(connection.in).substr(end + 4, body_size))
                          : HttpReply{400, "{\"error\": \"not HTTP\"}"});
    connection.answered = true;
    epoll_event event = {};
    event.events = EPOLLOUT;
    event.data.ptr = &connection;
    epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, connection.fd.get(), &event);
    return true;
  }
  const ssize_t size = send(connection.fd.get(), connection.out.data(), connection.out.size(), MSG_NOSIGNAL);
  if (size < 0) return errno == EAGAIN || errno == EINTR;
  connection.out.erase(0, static_cast<size_t>(size));
  return !connection.out.empty();
}

}  // namespace voltwell::field_sim
