// Where a search stands, and the text that it is kept as; see scan.h.
#pragma once

#include <string>
#include <vector>

#include "libs/codec/scan.h"
#include "libs/codec/scan_tree.h"

namespace voltwell::codec {

enum class ScanPart {
  kLone = 0,   // DL/T 645-2007: 13H, which only a lone meter can answer.
  kTree = 1,   // Patterns.
  kSweep = 2,  // M-Bus: primary addresses.
};

struct ScanState {
  ScanRules rules = {};  // protocols: never empty.
  size_t turn = 0;       // Of the protocols; as many as there are: over.
  ScanPart part = ScanPart::kTree;
  ScanTree tree = {};
  int primary = 0;        // Of the sweep.
  int asks = 0;           // Of the lone question, or of this primary address.
  int spoilt = 0;         // Primary addresses in a row whose answers were garbled.
  bool crowded = false;   // 13H was answered by several.
  std::string lone = {};  // Who answered 13H.

  bool over() const { return turn >= rules.protocols.size(); }
  Protocol protocol() const { return rules.protocols[turn]; }
};

std::string TextOf(const ScanState& state);
// BAD_SCAN_STATE.
absl::StatusOr<ScanState> ParseScanState(absl::string_view text);

}  // namespace voltwell::codec
