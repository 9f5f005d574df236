// For tests: a gateway with meters behind it. It answers DL/T 645-2007 frames from its own state and shares no code
// with the codec; each meter can be told to misbehave.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "voltwell/gateway/v1/gateway_service.grpc.pb.h"

namespace voltwell::scheduler::testing {

enum class Manner {
  kAnswers,
  kSilent,          // Hears nothing.
  kActsThenSilent,  // Does what it is told; the answer to a command is lost.
  kRelayStuck,      // Says yes and does not move.
  kOffline,
  kMoved,  // Once; then it answers.
};

struct FakeMeter {
  std::string bcd = "00123456";  // Energy as the display shows it, two decimals.
  bool relay_open = false;
  Manner manner = Manner::kAnswers;
  int reads = 0;
  int relay_commands = 0;
  int64_t last_not_after_ms = 0;  // Of the last relay command.
};

class FakeField final : public voltwell::gateway::v1::GatewayService::Service {
 public:
  explicit FakeField(std::string pod) : pod_(std::move(pod)) {}

  grpc::Status Exchange(grpc::ServerContext*, const voltwell::gateway::v1::ExchangeRequest* request,
                        grpc::ServerWriter<voltwell::gateway::v1::ExchangeResponse>* writer) override;
  grpc::Status ListSessions(grpc::ServerContext*, const voltwell::gateway::v1::ListSessionsRequest*,
                            voltwell::gateway::v1::ListSessionsResponse*) override;
  grpc::Status GetSession(grpc::ServerContext*, const voltwell::gateway::v1::GetSessionRequest*,
                          voltwell::gateway::v1::Session*) override;
  grpc::Status GetBusHealth(grpc::ServerContext*, const voltwell::gateway::v1::GetBusHealthRequest*,
                            voltwell::gateway::v1::BusHealth*) override;
  grpc::Status StartTrace(grpc::ServerContext*, const voltwell::gateway::v1::StartTraceRequest*,
                          voltwell::gateway::v1::Trace*) override;
  // One relay command, then half of its echo.
  grpc::Status GetTrace(grpc::ServerContext*, const voltwell::gateway::v1::GetTraceRequest*,
                        voltwell::gateway::v1::Trace*) override;

  // A meter that only searches of this line meet: DL/T 645-2007, with wildcards; two at once are garbled.
  void PutOnLine(const std::string& collector, int bus, const std::string& address);
  // Questions of searches, by priority: voltwell.gateway.v1.Priority.
  std::map<int, int> searched() const;
  // While set, searches find the line offline.
  void SetLinesOffline(bool offline);

  void Put(const std::string& address, FakeMeter meter);
  FakeMeter Get(const std::string& address) const;
  void SetManner(const std::string& address, Manner manner);
  int exchanges() const;
  // Exchange calls block in the field while it is held: the line is slow.
  void Hold(bool held);

 private:
  voltwell::gateway::v1::ExchangeResult Answer(const voltwell::gateway::v1::ExchangeItem& item);
  voltwell::gateway::v1::ExchangeResult Search(const voltwell::gateway::v1::ExchangeItem& item);
  const std::string pod_;
  mutable std::mutex mutex_;
  std::map<std::string, FakeMeter> meters_;
  std::map<std::string, std::vector<std::string>> lines_;  // "collector/bus"
  std::map<int, int> searched_;
  bool lines_offline_ = false;
  int exchanges_ = 0;
  bool held_ = false;
};

}  // namespace voltwell::scheduler::testing
