// The life of one connection. Asio without coroutines: each step is a function, and the next is named where the last
// ends.
#include "libs/http/connection.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "libs/base/check.h"

namespace voltwell::http {

namespace asio = boost::asio;
using boost::system::error_code;

Connection::Connection(std::shared_ptr<Loop> loop, asio::ip::tcp::socket socket, std::string peer)
    : kept_(std::move(loop)), loop_(*kept_), socket_(std::move(socket)), peer_(std::move(peer)) {}

// Steps keep their order whoever posts them: asio alone would let another thread's step overtake one that the loop's
// own thread posted a moment before.
void Connection::Post(std::function<void()> step) {
  if (loop_.stopped) return;
  {
    const std::lock_guard lock(posted_mutex_);
    posted_.push_back(std::move(step));
    if (posted_.size() > 1) return;  // Whoever posted the first has woken the loop.
  }
  asio::post(loop_.io, [self = shared_from_this()] { self->RunPosted(); });
}

void Connection::RunPosted() {
  std::vector<std::function<void()>> steps;
  {
    const std::lock_guard lock(posted_mutex_);
    steps.swap(posted_);
  }
  for (const auto& step : steps) step();
}

void Connection::Start() {
  counted_ = true;
  error_code ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  SetDeadline(loop_.shared.limits.header_timeout);  // Whoever connects and says nothing is not idle but slow.
  Watch();
}

void Connection::StartRefused() {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  Watch();
  Refuse(503);
}

void Connection::SetDeadline(absl::Duration from_now) {
  deadline_ = from_now == absl::InfiniteDuration() ? from_now : loop_.shared.clock.Monotonic() + from_now;
}

void Connection::CheckDeadline(absl::Duration now) {
  if (now < deadline_) return;
  deadline_ = absl::InfiniteDuration();
  if (step_ == Step::kReading && parser_ != nullptr) {
    loop_.shared.metrics.Refused("read_timeout").Increment();
    Refuse(408);
    return;
  }
  if (step_ == Step::kAnswering) loop_.shared.metrics.Refused("write_timeout").Increment();
  Close();
}

void Connection::Drain() {
  keep_alive_ = false;
  if (step_ == Step::kReading && parser_ == nullptr) Close();
}

void Connection::Close() {
  if (step_ == Step::kClosed) return;
  const auto self = shared_from_this();
  step_ = Step::kClosed;
  TellGone();
  DropOutgoing();
  error_code ignored;
  socket_.close(ignored);
  loop_.connections.erase(self);
  Shared& shared = loop_.shared;
  const std::lock_guard lock(shared.mutex);
  if (!counted_) {
    --shared.refusing;
    return;
  }
  --shared.open;
  shared.metrics.connections.Decrement();
  const auto found = shared.per_address.find(peer_);
  if (found != shared.per_address.end() && --found->second == 0) shared.per_address.erase(found);
  shared.closed.notify_all();
}

void Connection::TellGone() {
  if (gone_ == nullptr) return;
  const auto gone = std::exchange(gone_, nullptr);
  loop_.shared.metrics.disconnects.Increment();
  gone();
}

void Connection::DropOutgoing() {
  auto dropped = std::exchange(out_, {});
  out_bytes_ = out_offset_ = 0;
  for (auto& outgoing : dropped) {
    if (outgoing.written != nullptr) outgoing.written(false);
  }
}

// --- reading ---

void Connection::Watch() {
  if (watching_ || peer_closed_ || step_ == Step::kClosed) return;
  watching_ = true;
  socket_.async_wait(asio::ip::tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& error) { self->OnReadable(error); });
}

void Connection::OnReadable(const error_code& error) {
  watching_ = false;
  if (step_ == Step::kClosed || error == asio::error::operation_aborted) return;
  error_code read_error;
  const size_t n = socket_.read_some(asio::buffer(loop_.scratch), read_error);
  if (read_error == asio::error::would_block || read_error == asio::error::try_again) return Watch();
  if (read_error) return PeerClosed(read_error != asio::error::eof);
  if (step_ == Step::kLingering) {
    discarded_ += n;
    return discarded_ > kLingerBytes ? Close() : Watch();
  }
  in_.append(loop_.scratch.data(), n);
  if (step_ == Step::kReading) return Advance();
  if (in_.size() < kPipelineBytes) Watch();
}

// A peer that shut down its side may still read our answer; one that reset the connection does not. A stream has no end
// of its own, so there the peer counts as gone.
void Connection::PeerClosed(bool reset) {
  peer_closed_ = true;
  keep_alive_ = false;
  if (reset || step_ != Step::kAnswering) return Close();
  if (began_) TellGone();
}

void Connection::Advance() {
  if (in_.empty()) return ReadOn();
  if (parser_ == nullptr) {
    parser_ = std::make_unique<RequestParser>(loop_.shared.limits);
    body_started_ = false;
    SetDeadline(loop_.shared.limits.header_timeout);
  }
  in_.erase(0, parser_->Put(in_));
  if (parser_->failure() != 0) return Refuse(parser_->failure());
  if (parser_->done()) return Dispatch();
  if (parser_->header_done() && !body_started_) {
    body_started_ = true;
    SetDeadline(loop_.shared.limits.body_timeout);
    if (parser_->expects_continue() && in_.empty()) Send("HTTP/1.1 100 Continue\r\n\r\n", nullptr);
  }
  ReadOn();
}

void Connection::ReadOn() {
  if (in_.empty() && in_.capacity() > 4096) in_ = std::string();  // An idle connection holds no buffer.
  Watch();
}

void Connection::Dispatch() {
  Request request = parser_->Take();
  if (parser_->failure() != 0) return Refuse(parser_->failure());
  keep_alive_ = parser_->keep_alive() && !peer_closed_ && !loop_.shared.draining;
  http_1_0_ = parser_->http_1_0();
  parser_.reset();
  head_only_ = request.method == "HEAD";
  request.peer = peer_;
  step_ = Step::kAnswering;
  began_ = ended_ = false;
  ++sequence_;
  SetDeadline(absl::InfiniteDuration());  // How long an answer may take is the handler's business.
  loop_.shared.metrics.requests.Increment();
  Watch();
  loop_.shared.handler(std::move(request), MakeResponder(shared_from_this(), sequence_));
}

void Connection::Refuse(int status) {
  const char* why = status == 431 ? "header_bytes" : status == 413 ? "body_bytes" : "bad_request";
  if (status != 408 && status != 503) loop_.shared.metrics.Refused(why).Increment();
  parser_.reset();
  step_ = Step::kAnswering;
  keep_alive_ = false;
  began_ = ended_ = head_only_ = false;
  ++sequence_;
  Headers headers{status, {{"content-type", "application/json"}}};
  if (status == 503) headers.fields.emplace_back("retry-after", "1");
  Respond(sequence_, headers, RefusalBody(status));
}

// --- answering ---

void Connection::SetGone(uint64_t sequence, std::function<void()> gone) {
  if (sequence != sequence_ || ended_) return;  // Answered before it was asked for.
  if (step_ == Step::kClosed || (peer_closed_ && began_)) return gone();
  gone_ = std::move(gone);
}

void Connection::Respond(uint64_t sequence, const Headers& headers, std::string body) {
  if (!Current(sequence) || began_) return;
  began_ = ended_ = true;
  if (HasNoBody(headers.status)) body.clear();
  keep_alive_ = keep_alive_ && !loop_.shared.draining;
  std::string bytes = ResponseHead(headers, {.framing = Framing::kLength,
                                             .length = body.size(),
                                             .keep_alive = keep_alive_ && !http_1_0_,
                                             .date = loop_.Date()});
  if (http_1_0_) keep_alive_ = false;
  if (head_only_) body.clear();
  if (body.size() <= kReadChunk) {
    bytes.append(body);
    Send(std::move(bytes), nullptr);
  } else {
    out_bytes_ += bytes.size();
    out_.push_back({std::move(bytes), nullptr});
    Send(std::move(body), nullptr);
  }
}

void Connection::Begin(uint64_t sequence, const Headers& headers) {
  if (!Current(sequence) || began_) return;
  began_ = true;
  framing_ = http_1_0_ ? Framing::kUntilClose : Framing::kChunked;
  if (http_1_0_) keep_alive_ = false;
  Send(ResponseHead(headers, {.framing = framing_, .length = 0, .keep_alive = keep_alive_, .date = loop_.Date()}),
       nullptr);
  if (peer_closed_) TellGone();
}

void Connection::Write(uint64_t sequence, const std::string& chunk, std::function<void(bool)> written) {
  const bool alive = Current(sequence) && began_ && !ended_ && !peer_closed_;
  if (!alive || chunk.empty() || head_only_) {
    if (written != nullptr) written(alive);
    return;
  }
  if (out_bytes_ + chunk.size() > kWriteQueueBytes) {
    loop_.shared.metrics.Refused("write_queue_bytes").Increment();
    if (written != nullptr) written(false);
    return Close();
  }
  Send(framing_ == Framing::kChunked ? Chunk(chunk) : chunk, std::move(written));
}

void Connection::End(uint64_t sequence) {
  if (!Current(sequence) || !began_ || ended_) return;
  ended_ = true;
  const bool last = framing_ == Framing::kChunked && !head_only_;
  Send(last ? std::string(kLastChunk) : std::string(), nullptr);
}

// Its Responder is gone: without an answer that is a fault of ours, and half an answer must not look like a whole one.
void Connection::Abandoned(uint64_t sequence) {
  if (!Current(sequence) || ended_) return;
  if (began_) return Close();
  Respond(sequence, {500, {{"content-type", "application/json"}}}, RefusalBody(500));
}

// --- writing ---

void Connection::Send(std::string bytes, std::function<void(bool)> written) {
  out_bytes_ += bytes.size();
  out_.push_back({std::move(bytes), std::move(written)});
  if (!flushing_) Flush();
}

void Connection::Flush() {
  const auto self = shared_from_this();
  while (step_ != Step::kClosed && !out_.empty()) {
    Outgoing& front = out_.front();
    error_code error;
    const size_t n = front.bytes.size() == out_offset_
                         ? 0
                         : socket_.write_some(
                               asio::buffer(front.bytes.data() + out_offset_, front.bytes.size() - out_offset_), error);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      if (!flushing_) SetDeadline(loop_.shared.limits.write_timeout);
      flushing_ = true;
      socket_.async_wait(asio::ip::tcp::socket::wait_write, [self](const error_code& wait_error) {
        self->flushing_ = false;
        if (self->step_ == Step::kClosed || wait_error == asio::error::operation_aborted) return;
        self->SetDeadline(self->loop_.shared.limits.write_timeout);  // The peer took something: the time begins anew.
        self->Flush();
      });
      return;
    }
    if (error) return Close();
    out_offset_ += n;
    if (out_offset_ < front.bytes.size()) continue;
    const auto written = std::move(front.written);
    out_bytes_ -= front.bytes.size();
    out_.pop_front();
    out_offset_ = 0;
    if (written != nullptr) written(true);
  }
  if (step_ != Step::kAnswering) return;
  SetDeadline(absl::InfiniteDuration());
  if (ended_) AnswerDone();
}

void Connection::AnswerDone() {
  gone_ = nullptr;
  if (!keep_alive_ || loop_.shared.draining) return Linger();
  step_ = Step::kReading;
  SetDeadline(loop_.shared.limits.idle_timeout);
  // A pipelined request may be waiting; it is taken in a step of its own, so that answers do not pile up the stack.
  if (in_.empty()) return Watch();
  asio::post(loop_.io, [self = shared_from_this()] {
    if (self->step_ == Step::kReading && self->parser_ == nullptr) self->Advance();
  });
}

// Closing with unread bytes would reset the connection, and the peer might lose the answer.
void Connection::Linger() {
  if (peer_closed_) return Close();
  step_ = Step::kLingering;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  SetDeadline(kLingerTime);
  Watch();
}

// --- the Responder ---

namespace {

class Answer final : public Responder {
 public:
  Answer(std::shared_ptr<Connection> connection, uint64_t sequence)
      : connection_(std::move(connection)), sequence_(sequence) {}
  ~Answer() override {
    if (!ended_) connection_->Post([c = connection_, n = sequence_] { c->Abandoned(n); });
  }

  void Respond(Headers headers, std::string body) override {
    ended_ = true;
    connection_->Post([c = connection_, n = sequence_, headers = std::move(headers), body = std::move(body)]() mutable {
      c->Respond(n, headers, std::move(body));
    });
  }
  void Begin(Headers headers) override {
    connection_->Post([c = connection_, n = sequence_, headers = std::move(headers)] { c->Begin(n, headers); });
  }
  void Write(std::string chunk, std::function<void(bool)> written) override {
    if (connection_->stopped()) {  // Nobody would ever say that it was written.
      if (written != nullptr) written(false);
      return;
    }
    connection_->Post([c = connection_, n = sequence_, chunk = std::move(chunk),
                       written = std::move(written)]() mutable { c->Write(n, chunk, std::move(written)); });
  }
  void End() override {
    ended_ = true;
    connection_->Post([c = connection_, n = sequence_] { c->End(n); });
  }
  void OnDisconnect(std::function<void()> gone) override {
    connection_->Post(
        [c = connection_, n = sequence_, gone = std::move(gone)]() mutable { c->SetGone(n, std::move(gone)); });
  }

 private:
  const std::shared_ptr<Connection> connection_;
  const uint64_t sequence_;
  std::atomic<bool> ended_{false};
};

}  // namespace

std::shared_ptr<Responder> MakeResponder(std::shared_ptr<Connection> connection, uint64_t sequence) {
  return std::make_shared<Answer>(std::move(connection), sequence);
}

}  // namespace voltwell::http
