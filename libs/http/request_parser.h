// Bytes to one request. Behind it is Beast's parser, which alone knows its templates: this is the only unit that
// compiles them.
#pragma once

#include <memory>

#include "absl/strings/string_view.h"
#include "libs/http/http.h"

namespace voltwell::http {

class RequestParser {
 public:
  explicit RequestParser(const Limits& limits);
  ~RequestParser();

  // Feeds bytes not yet consumed (all of them, contiguous); says how many were. What is left belongs to the next call.
  // An error sets failure().
  size_t Put(absl::string_view bytes);

  // 0: none; else the status to refuse with: 400, 413, 431, 501.
  int failure() const;
  bool header_done() const;
  bool done() const;
  bool expects_continue() const;  // Once header_done.

  // Once done. `peer` is left to the caller. Failure by a target, method or version that we do not serve: failure() is
  // set.
  Request Take();
  bool keep_alive() const;
  bool http_1_0() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::http
