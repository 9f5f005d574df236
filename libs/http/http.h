// An HTTP/1.1 server on Boost.Beast: bounded, asynchronous, streaming answers. Beast's headers stay inside libs/http.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "libs/metrics/metrics.h"

namespace voltwell::http {

// Every limit is enforced before memory is spent; beyond it the answer is named in docs/limits.md.
struct Limits {
  int connections = 4096;
  int connections_per_address = 512;
  int header_bytes = 16 * 1024;
  int body_bytes = 4 * 1024 * 1024;
  absl::Duration header_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(30);
  absl::Duration idle_timeout = absl::Seconds(75);
  absl::Duration write_timeout = absl::Seconds(30);
};

struct Request {
  std::string method = {};
  std::string target = {};                               // As sent: path and query.
  std::string path = {};                                 // Percent-decoded, without query.
  std::string query = {};                                // As sent, without '?'.
  std::multimap<std::string, std::string> headers = {};  // Names in lower case.
  std::string body = {};
  std::string peer = {};  // Address without port.
  // First value of a header (name in lower case); empty when absent.
  std::string Header(const std::string& name) const;
};

struct Headers {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields = {};
};

// Answers one request, from any thread. Destroyed without an answer: 500.
class Responder {
 public:
  virtual ~Responder() = default;
  // The whole answer at once.
  virtual void Respond(Headers headers, std::string body) = 0;
  // A streamed answer (chunked): Begin, then Write as often as wanted, then End. `written` runs on the server's thread
  // when the chunk has gone out (write the next one then), with false when the client is gone.
  virtual void Begin(Headers headers) = 0;
  virtual void Write(std::string chunk, std::function<void(bool alive)> written) = 0;
  virtual void End() = 0;
  // Runs once when the client disconnects before the answer is complete. Set it before Begin or any asynchronous work.
  // A client that only ends its side still gets a whole answer, no stream: before Begin nothing but a reset counts.
  virtual void OnDisconnect(std::function<void()> gone) = 0;
};

using Handler = std::function<void(Request request, std::shared_ptr<Responder> responder)>;

class Server {
 public:
  // port 0: any free port. Runs `threads` io threads of its own. Does not start listening before Start.
  Server(std::string listen, int port, Limits limits, int threads, Handler handler, metrics::Registry& metrics);
  ~Server();
  absl::Status Start();
  int port() const;
  // Stops accepting, answers what is under way (streams are ended by their writers), at most `grace`.
  void Drain(absl::Duration grace);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::http
