// One connection of the server: reads a request, waits for its answer, writes it, and again. Everything of a connection
// runs on the thread of its Loop; answers come from any thread and are posted there.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "libs/http/http.h"
#include "libs/http/request_parser.h"
#include "libs/http/response_text.h"
#include "libs/os/clock.h"

namespace voltwell::http {

inline constexpr size_t kReadChunk = 64 * 1024;      // Bytes taken from a socket at once.
inline constexpr size_t kPipelineBytes = 64 * 1024;  // Read ahead while an answer is under way; then the peer waits.
inline constexpr size_t kWriteQueueBytes =
    8 * 1024 * 1024;                                 // Unsent bytes of a streamed answer; beyond it the line is cut.
inline constexpr size_t kLingerBytes = 1024 * 1024;  // Read and thrown away after a refusal, so that it arrives.
inline constexpr absl::Duration kLingerTime = absl::Seconds(2);
inline constexpr int kRefusalsMax = 64;  // Connections beyond the limit that are told so; more are just closed.

class Connection;

struct ServerMetrics {
  ServerMetrics(metrics::Registry& registry, int port);
  prometheus::Counter& Refused(const std::string& why);  // connections, per_address, header_bytes, body_bytes, ...
  metrics::Registry& registry;
  metrics::Labels labels;
  prometheus::Gauge& connections;
  prometheus::Counter& accepted;
  prometheus::Counter& requests;
  prometheus::Counter& disconnects;
  prometheus::Counter& accept_pauses;
};

// What the connections of one server share.
struct Shared {
  Shared(Limits limits_in, Handler handler_in, metrics::Registry& registry, int port)
      : limits(limits_in), handler(std::move(handler_in)), metrics(registry, port) {}
  const Limits limits;
  const Handler handler;
  ServerMetrics metrics;
  os::SystemClock clock;
  std::atomic<bool> draining{false};
  std::atomic<int> open{0};
  std::atomic<int> refusing{0};
  std::mutex mutex;
  std::unordered_map<std::string, int> per_address;  // Guarded by mutex.
  std::condition_variable closed;                    // open changed.
};

// One io thread and its connections. Connections and answers still on their way keep it, so that nothing dangles after
// a drain.
struct Loop {
  explicit Loop(std::shared_ptr<Shared> shared_in) : kept(std::move(shared_in)), shared(*kept), tick(io) {}
  void Tick();  // Looks after deadlines ten times a second while there are connections.
  const std::string& Date();

  const std::shared_ptr<Shared> kept;
  Shared& shared;
  std::atomic<bool> stopped{false};  // Nothing posted from now on would run.
  boost::asio::io_context io{1};
  boost::asio::steady_timer tick;
  bool ticking = false;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::array<char, kReadChunk> scratch;
  int64_t date_second = 0;
  std::string date;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(std::shared_ptr<Loop> loop, boost::asio::ip::tcp::socket socket, std::string peer);
  void Start();
  // Beyond a limit of connections: an answer, and closed.
  void StartRefused();
  void CheckDeadline(absl::Duration now);
  void Drain();
  void Close();

  // Called (posted) by the Responder of request `sequence`; ignored when that one is over.
  void Respond(uint64_t sequence, const Headers& headers, std::string body);
  void Begin(uint64_t sequence, const Headers& headers);
  void Write(uint64_t sequence, const std::string& chunk, std::function<void(bool)> written);
  void End(uint64_t sequence);
  void Abandoned(uint64_t sequence);
  void SetGone(uint64_t sequence, std::function<void()> gone);
  // Runs it on the connection's thread; drops it when the server has stopped.
  void Post(std::function<void()> step);
  bool stopped() const { return loop_.stopped; }

 private:
  enum class Step { kReading, kAnswering, kLingering, kClosed };
  struct Outgoing {
    std::string bytes;
    std::function<void(bool)> written;
  };

  void RunPosted();
  void Watch();
  void OnReadable(const boost::system::error_code& error);
  void PeerClosed(bool reset);
  void Advance();
  void ReadOn();
  void Dispatch();
  void Refuse(int status);
  void Send(std::string bytes, std::function<void(bool)> written);
  void Flush();
  void DropOutgoing();
  void AnswerDone();
  void Linger();
  void TellGone();
  void SetDeadline(absl::Duration from_now);
  bool Current(uint64_t sequence) const { return step_ == Step::kAnswering && sequence == sequence_; }

  const std::shared_ptr<Loop> kept_;
  Loop& loop_;
  boost::asio::ip::tcp::socket socket_;
  const std::string peer_;
  Step step_ = Step::kReading;
  bool watching_ = false;
  bool flushing_ = false;  // A wait for the socket to take more is under way.
  bool keep_alive_ = true;
  bool head_only_ = false;  // HEAD.
  bool http_1_0_ = false;
  bool peer_closed_ = false;
  bool began_ = false;
  bool ended_ = false;
  bool counted_ = false;  // In shared.open.
  bool body_started_ = false;
  Framing framing_ = Framing::kLength;
  uint64_t sequence_ = 0;
  std::string in_;
  std::unique_ptr<RequestParser> parser_;
  std::deque<Outgoing> out_;
  size_t out_bytes_ = 0;
  size_t out_offset_ = 0;  // Sent of out_.front().
  size_t discarded_ = 0;
  absl::Duration deadline_ = absl::InfiniteDuration();
  std::function<void()> gone_;
  std::mutex posted_mutex_;
  std::vector<std::function<void()>> posted_;  // Guarded by posted_mutex_.
};

// The Responder of one request.
std::shared_ptr<Responder> MakeResponder(std::shared_ptr<Connection> connection, uint64_t sequence);

}  // namespace voltwell::http
