// The admin port: a tiny HTTP server on loopback that tells the truth about the simulated field and injects faults.
// It answers one request a connection; it is for tests and for us, never for the outside.
#pragma once

#include <list>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "tools/field_sim/field.h"

namespace voltwell::field_sim {

inline constexpr size_t kMaxAdminRequestBytes = 64 * 1024;
inline constexpr size_t kMaxAdminConnections = 64;

struct HttpReply {
  int code = 200;
  std::string json;
};

// Pure but for the field: method, path with query, body -> reply.
class AdminApi {
 public:
  explicit AdminApi(Field& field) : field_(field) {}
  HttpReply Handle(absl::string_view method, absl::string_view target, absl::string_view body);

 private:
  HttpReply Meter(absl::string_view method, absl::string_view rest, absl::string_view body);
  HttpReply Collector(absl::string_view method, absl::string_view rest, absl::string_view query);
  HttpReply Stats() const;

  Field& field_;
};

class AdminServer {
 public:
  AdminServer(UniqueFd listener, AdminApi& api);
  int poll_fd() const { return epoll_.get(); }
  uint16_t port() const { return PortOf(listener_.get()); }
  // Does what can be done without waiting.
  void Work();

 private:
  struct Connection {
    UniqueFd fd;
    std::string in, out;
    bool answered = false;
  };
  void Accept();
  // False when the connection is over.
  bool Serve(Connection& connection);

  UniqueFd listener_;
  UniqueFd epoll_;  // Nested in the field's own.
  AdminApi& api_;
  std::list<Connection> connections_;
};

}  // namespace voltwell::field_sim
