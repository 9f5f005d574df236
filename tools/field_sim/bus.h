// One line behind a collector: hears what the gateway sends, lets the meters answer, takes the time that the wire
// takes, and spoils what its faults spoil. Knows no sockets; time comes in as an argument.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/field_sim/device.h"
#include "tools/field_sim/dialect.h"

namespace voltwell::field_sim {

struct BusCounts {
  uint64_t requests = 0;    // Whole, valid requests.
  uint64_t replies = 0;     // Answers that left, spoilt or not.
  uint64_t collisions = 0;  // Requests that met an answer on the wire.
  uint64_t unanswered = 0;
};

// Beyond so many waiting segments a bus forgets the oldest: nobody listens any more.
inline constexpr size_t kMaxPendingSegments = 1'024;

class Bus {
 public:
  Bus(const ParkBus& config, const LoadSettings& settings, Moment start);

  // Bytes from the gateway. What is to be sent at once is appended to out; the rest waits until due().
  void Receive(Bytes bytes, Moment now, std::string* out);
  // When the next waiting segment leaves; INT64_MAX when none waits.
  int64_t due() const { return pending_.empty() ? INT64_MAX : pending_.front().at_ns; }
  // The first waiting segment whose time has come. Each is one TCP segment of its own.
  bool TakeDue(int64_t mono_ns, std::string* segment);
  std::string Babble();
  // The uplink is gone: what waits for it is lost.
  void Reset();

  const std::vector<std::unique_ptr<Device>>& devices() const { return devices_; }
  Device* Find(const std::string& address) const;
  const BusCounts& counts() const { return counts_; }
  uint64_t bad_frames() const;
  const ParkBus& config() const { return config_; }

 private:
  struct Segment {
    int64_t at_ns;
    std::string bytes;
  };
  // Meters of a protocol that is not DL/T 645. Meters of several protocols may share a bus; each hears all bytes.
  struct Lane {
    std::unique_ptr<Cutter> cutter;
    std::vector<Device*> devices;
  };
  void ClearCutters();
  bool InFrame() const;
  void Handle(const Request& request, Moment now, int64_t heard_ns, std::string* out);
  void HandleForeign(const Lane& lane, Moment now, int64_t heard_ns, std::string* out);
  void Overlay(Device* device, size_t size, const std::array<uint8_t, kMaxAnswer>& other, size_t* length,
               Device** speaker);
  void SendAnswer(Device* speaker, size_t size, int64_t heard_ns, std::string* out);
  size_t AnswerAll(const Request& request, Moment now, Device** speaker);
  void Spoil(const Faults& faults, std::string* answer);
  void SendReply(const Faults* faults, int64_t heard_ns, std::string* out);
  void SendSplit(const std::string& reply, int segments, int64_t gap_ns, int64_t at_ns);
  void Queue(int64_t at_ns, std::string bytes);
  int64_t WireNs(size_t bytes) const { return static_cast<int64_t>(bytes) * ns_per_byte_; }
  void Envelop(std::string* packet) const;
  void AppendRandom(size_t count, std::string* out);

  const ParkBus& config_;
  int64_t ns_per_byte_;
  Random random_;
  std::vector<std::unique_ptr<Device>> devices_;
  std::unordered_map<Address, size_t> by_address_;
  std::vector<Device*> dlt645_;
  std::vector<Lane> lanes_;
  FrameCutter cutter_;
  Request request_;  // Kept here: it is large, and there is one at a time.
  std::array<uint8_t, kMaxAnswer> answer_ = {};
  std::string frame_, reply_, previous_reply_;
  std::string held_reply_;       // Comes with the next answer.
  std::deque<Segment> pending_;  // By time.
  int64_t last_byte_ns_ = 0;
  int64_t uart_free_ns_ = 0;                        // When the collector has put everything it got on the wire.
  int64_t reply_from_ns_ = 0, reply_until_ns_ = 0;  // The last answer's time on the wire.
  BusCounts counts_;
};

}  // namespace voltwell::field_sim
