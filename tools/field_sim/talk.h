// How a box speaks to its server beside what its meters say: what it registers with, its heartbeats, the answers it
// waits for, and what stands before its packets. One row for each convention; a park names it by `dialect`. Written
// from what boxes do, not from the gateway's files: it is the other opinion.
#pragma once

#include <string>

#include "absl/strings/string_view.h"
#include "tools/field_sim/frame.h"
#include "tools/field_sim/park.h"

namespace voltwell::field_sim {

// Port and two bytes of length, the higher one first.
inline constexpr size_t kPortAndLength = 3;

// In all of these {id} is the id of the bus, or for a box with ports its own.
struct Talk {
  absl::string_view dialect;
  absl::string_view registration = "{id}";
  bool registration_each = false;              // Again before each packet.
  bool proves_key = false;                     // Answers CHAL:nonce with RESP:mac, if the park gives it a key.
  absl::string_view registration_answer = {};  // It forwards nothing before this has come; empty: it does not wait.
  absl::string_view heartbeat = {};            // Empty: what the park says.
  absl::string_view heartbeat_answer = {};     // Without it the box dials anew; empty: it does not wait.
  bool heartbeat_echoed = false;               // The answer is the heartbeat itself.
  PortHeader ports = PortHeader::kNone;
};

// Null: no box speaks so.
const Talk* FindTalk(absl::string_view dialect);
// The bytes of an id as people write it: "hex:" and digits, or the text itself.
std::string IdBytes(absl::string_view id);
// Puts into the bus what the collector's dialect says, where the park did not. False: there is no such dialect.
bool Speak(const ParkCollector& collector, ParkBus* bus);

// The answer to the challenge that stands in these bytes, which is taken out of them; empty: there is none, or the box
// cannot answer. The MAC is HMAC-SHA256 of "VW1:" nonce ":" id, in hexadecimal.
std::string TakeChallenge(const ParkCollector& collector, const ParkBus& bus, std::string* bytes);

// How long the request is that these bytes begin with, whatever its protocol; 0: more bytes will tell.
size_t RequestLength(Bytes bytes);
// What stands before `size` bytes of a port.
std::string HeaderOf(PortHeader kind, int port, size_t size);

}  // namespace voltwell::field_sim
