// All collectors of a park at work: one TCP connection a bus, dialled to the gateway, with registration, heartbeats and
// reconnects. One thread, one epoll; nothing is allocated for an exchange without wire time and faults.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "absl/status/status.h"
#include "tools/field_sim/bus.h"
#include "tools/field_sim/park.h"
#include "tools/field_sim/socket.h"

namespace voltwell::field_sim {

// Connections that collectors forgot half-open; beyond it the oldest is closed.
inline constexpr size_t kForgottenMax = 256;
// A gateway that does not read for so long is given up.
inline constexpr size_t kMaxUnsentBytes = 64 * 1024;

struct FieldOptions {
  std::vector<Target> targets;
  // Connects a second at the start; a listen backlog is short.
  int dial_per_second = 2'000;
};

struct FieldCounts {
  uint64_t connects = 0, connect_failures = 0, disconnects = 0, heartbeats = 0;
  uint64_t bytes_in = 0, bytes_out = 0;
  uint64_t answers = 0, answers_missed = 0;  // To registrations and heartbeats, of boxes that wait for them.
  uint64_t line_faults = 0, unknown_ports = 0;
};

class Field {
 public:
  // The park must outlive the field.
  Field(const Park& park, FieldOptions options);

  // Waits at most timeout_ms for something to happen, and does all that is due.
  void Poll(int timeout_ms);
  // Another pollable thing in the same loop: work runs when fd can be read.
  void Watch(int fd, std::function<void()> work);

  size_t connected() const { return connected_; }
  size_t links() const { return links_.size(); }
  Moment now() const { return now_; }
  const FieldCounts& counts() const { return counts_; }
  BusCounts BusTotals() const;
  uint64_t BadFrames() const;

  // Null when no bus has it.
  Device* FindDevice(const std::string& address, size_t* link) const;
  // Cuts all connections of the collector; false when there is none of this id. It stays away for `dark_ms` and then
  // dials again as after any loss.
  bool Drop(const std::string& collector, int64_t dark_ms);
  nlohmann::json LinkJson(size_t link) const;
  nlohmann::json CollectorsJson() const;

 private:
  enum class State { kIdle, kConnecting, kConnected };
  enum class TimerKind : uint8_t { kDial, kHeartbeat, kSegment, kBabble, kAnswer, kFault, kThaw };
  struct Link {
    size_t collector = 0;
    std::unique_ptr<Bus> bus;
    size_t carrier = 0;  // The link whose connection this one shares; mostly itself.
    UniqueFd listener;   // Of a bus that waits to be dialled.
    UniqueFd fd;
    State state = State::kIdle;
    uint32_t generation = 0;  // Timers of an earlier connection are void.
    size_t target = 0;
    int64_t segment_timer_ns = INT64_MAX;
    std::string unsent;
    std::deque<std::string> expected;  // Answers that the gateway owes, in their order.
    std::string inbox;                 // The beginning of an answer or of a packet with a port.
    bool mute = false;                 // Its registration is not answered yet: nothing goes up.
    bool frozen = false;               // It does not read.
    uint64_t connects = 0;
  };
  struct CollectorState {
    size_t target = 0;
    int64_t dark_until_ns = 0;
    std::vector<size_t> links;
  };
  struct Timer {
    int64_t at_ns;
    size_t link;
    uint32_t generation;
    TimerKind kind;
    bool operator>(const Timer& other) const { return at_ns > other.at_ns; }
  };

  void Arm(size_t link, TimerKind kind, int64_t at_ns);
  void Fire(const Timer& timer);
  void FireDue();
  void Dial(size_t index);
  void DialFailed(size_t index);
  void Connected(size_t index);
  void Begin(size_t index);
  void Listen(size_t index);
  void Take(size_t index);
  bool Shares(size_t index) const { return links_[index].bus->config().ports != PortHeader::kNone; }
  std::string WithoutAnswers(Link& link, Bytes bytes);
  void Hear(size_t index, Bytes bytes);
  void HearPackets(size_t index, Bytes bytes);
  void Beat(size_t index);
  void BreakLine(size_t index);
  void Release(size_t index);
  uint32_t WantedEvents(const Link& link) const;
  void Close(size_t index);
  void OnEvent(size_t index, uint32_t events);
  void OnReadable(size_t index);
  void Send(size_t index, Bytes bytes);
  void SendSegments(size_t index);
  void Flush(size_t index);
  void ArmSegments(size_t index);
  bool WatchSocket(size_t index, uint32_t events, bool add);
  void MoveToNextTarget(size_t index);

  const Park& park_;
  FieldOptions options_;
  UniqueFd epoll_;
  Random random_;
  Moment now_;
  std::vector<Link> links_;
  std::vector<CollectorState> collectors_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<std::function<void()>> watched_;
  std::array<uint8_t, 16 * 1024> received_ = {};
  std::string out_, segment_;
  std::deque<UniqueFd> forgotten_;  // Half-open; at most kForgottenMax.
  size_t connected_ = 0;
  FieldCounts counts_;
};

}  // namespace voltwell::field_sim
