// Questions of a search and what their answers tell, by protocol; see scan.h.
#pragma once

#include <string>
#include <vector>

#include "libs/codec/scan.h"
#include "libs/codec/scan_tree.h"

namespace voltwell::codec {

// How one protocol's addresses are narrowed down.
ScanTreeShape TreeShapeOf(Protocol protocol, bool thorough);
// The address with wildcards that a path means.
std::string PatternOf(Protocol protocol, const std::vector<int>& path);
// An address that no meter has.
std::string ControlAddressOf(Protocol protocol);

struct ScanQuestion {
  Protocol protocol = Protocol::kUnspecified;
  std::string address = {};
  bool asks_address = false;  // DL/T 645: 13H; M-Bus: a primary address. Else who answers to the pattern.
  int32_t baud = 0;
  absl::Duration patience = absl::ZeroDuration();
};

// All that comes until the time is over is taken.
absl::StatusOr<ExchangeGroup> GroupOf(const ScanQuestion& question);

struct ScanHearing {
  ScanHeard heard = ScanHeard::kNobody;
  std::vector<ScanFinding> found = {};
};
ScanHearing HearingOf(const ScanQuestion& question, const ScanAnswer& answer);

}  // namespace voltwell::codec
