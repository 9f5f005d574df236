// Beast reads the grammar of RFC 9112 and refuses what smugglers send (two lengths, length with chunked); we add the
// limits.
#include "libs/http/request_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "libs/http/uri.h"

namespace voltwell::http {

namespace beast = boost::beast;

struct RequestParser::State {
  beast::http::request_parser<beast::http::string_body> parser;
  size_t header_bytes = 0;
  int failure = 0;
  std::multimap<std::string, std::string> headers = {};  // As they stood before the body.

  // Beast puts the trailers of a chunked body among the headers; nobody may add an authorization or an address behind
  // what was looked at, so ours are taken before.
  void KeepHeaders() {
    for (const auto& field : parser.get()) {
      const auto name = field.name_string();
      const auto value = field.value();
      headers.emplace(absl::AsciiStrToLower(absl::string_view(name.data(), name.size())),
                      std::string(value.data(), value.size()));
    }
  }

  void Fail(const beast::error_code& error) {
    if (error == beast::http::error::header_limit) {
      failure = 431;
    } else if (error == beast::http::error::body_limit) {
      failure = 413;
    } else {
      failure = 400;
    }
  }
};

RequestParser::RequestParser(const Limits& limits) : state_(std::make_unique<State>()) {
  // Beast's own limit is not counted to the byte; it stands behind ours.
  state_->header_bytes = static_cast<size_t>(limits.header_bytes);
  state_->parser.header_limit(static_cast<uint32_t>(limits.header_bytes) + 1);
  state_->parser.body_limit(static_cast<uint64_t>(limits.body_bytes));
  state_->parser.eager(false);  // The header by itself first, to be measured.
}
RequestParser::~RequestParser() = default;

size_t RequestParser::Put(absl::string_view bytes) {
  size_t consumed = 0;
  while (state_->failure == 0 && !state_->parser.is_done() && consumed < bytes.size()) {
    const bool in_body = state_->parser.is_header_done();
    if (in_body) state_->parser.eager(true);
    beast::error_code error;
    const size_t n =
        state_->parser.put(boost::asio::const_buffer(bytes.data() + consumed, bytes.size() - consumed), error);
    consumed += n;
    const bool need_more = error == beast::http::error::need_more;
    if (!in_body && (need_more ? bytes.size() : consumed) > state_->header_bytes) {
      state_->failure = 431;
      break;
    }
    if (!in_body && state_->parser.is_header_done()) state_->KeepHeaders();
    if (need_more) break;
    if (error) {
      state_->Fail(error);
      break;
    }
    if (n == 0) break;
  }
  // Data is taken as it comes; what waits in a body is the line of a chunk or the trailers, and Beast would wait for
  // their end for ever.
  const bool waiting = state_->failure == 0 && state_->parser.is_header_done() && !state_->parser.is_done();
  if (waiting && bytes.size() - consumed > state_->header_bytes) state_->failure = 431;
  return consumed;
}

int RequestParser::failure() const { return state_->failure; }
bool RequestParser::header_done() const { return state_->parser.is_header_done(); }
bool RequestParser::done() const { return state_->parser.is_done(); }
bool RequestParser::keep_alive() const { return state_->parser.keep_alive(); }
bool RequestParser::http_1_0() const { return state_->parser.get().version() < 11; }

bool RequestParser::expects_continue() const {
  const auto value = state_->parser.get()[beast::http::field::expect];
  return absl::EqualsIgnoreCase(absl::string_view(value.data(), value.size()), "100-continue");
}

Request RequestParser::Take() {
  auto& message = state_->parser.get();
  Request request;
  const auto method = message.method_string();
  request.method.assign(method.data(), method.size());
  const auto target = message.target();
  request.target.assign(target.data(), target.size());
  request.headers = std::move(state_->headers);
  auto parsed = ParseTarget(request.target);
  if (!parsed.has_value()) {
    state_->failure = 400;
    return request;
  }
  if (!http_1_0() && request.headers.count("host") != 1) state_->failure = 400;  // RFC 9112 section 3.2.
  if (method == "CONNECT" || method == "TRACE") state_->failure = 501;
  request.path = std::move(parsed->path);
  request.query = std::move(parsed->query);
  request.body = std::move(message.body());
  return request;
}

}  // namespace voltwell::http
