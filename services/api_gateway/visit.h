// One HTTP request on its way through the front door: what is known of it so far, and its answer, written once.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "grpcpp/support/status.h"
#include "libs/http/http.h"
#include "libs/metrics/metrics.h"
#include "libs/os/clock.h"
#include "libs/rpc/identity.h"
#include "services/api_gateway/connect.h"
#include "services/api_gateway/routes.h"

namespace voltwell::front {

inline constexpr absl::string_view kDomain = "voltwell.front";

// How many visits are under way: who closes the house waits for the last one.
class Visitors {
 public:
  void Enter();
  void Leave();
  bool AwaitNone(absl::Duration limit);

 private:
  std::mutex mutex_;
  std::condition_variable left_;
  int inside_ = 0;
};

// What all visits share.
struct House {
  const Routes& routes;
  os::Clock& clock;
  metrics::Registry& metrics;
  Visitors& visitors;
};

struct Visit : std::enable_shared_from_this<Visit> {
  Visit(const House& house_in, http::Request request_in, std::shared_ptr<http::Responder> responder_in);
  ~Visit() { house.visitors.Leave(); }

  // Without a route: a plain HTTP answer.
  void AnswerPlain(http::Headers headers, std::string body);
  // A refusal of ours, or of the service behind. For a stream that has not begun it is a stream of nothing but its end,
  // unless it is told by HTTP (405, 415), as the protocol wants.
  void AnswerError(const Refusal& refusal);
  void AnswerError(const grpc::Status& status, int http = 0);
  // The answer's wire form; `headers` may bear fields already.
  void AnswerMessage(std::string wire, http::Headers headers = {});

  // One line of the access log, and the counters. Called by the answers; by streams at their end.
  void Done(int http_status, const grpc::Status& status, size_t bytes);
  void AddCommonFields(http::Headers& headers) const;

  const House& house;
  http::Request request;
  const std::shared_ptr<http::Responder> responder;
  const absl::Duration started;
  std::string request_id = {};
  std::string client_address = {};
  const Route* route = nullptr;
  ConnectCall call = {};
  std::string token = {};
  bool by_cookie = false;
  rpc::Identity identity = {};
  std::vector<std::pair<std::string, std::string>> error_fields = {};  // Go out with a refusal, e.g. retry-after.

 private:
  std::atomic<bool> done_{false};
};

}  // namespace voltwell::front
