// The search for the meters of an unknown line: which question next, given what came back. One after another each
// protocol is tried: DL/T 645 by 13H to the lone meter, then by addresses with AA in their high bytes; CJ/T 188 by its
// broadcast, then by meter type and AA likewise; M-Bus by secondary addresses with wildcard digits, then by each
// primary address. Pure: the state is a text that the caller keeps, so that a search goes on wherever it was left.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "libs/codec/codec.h"

namespace voltwell::codec {

// What a state may measure: eight depths and some twenty numbers.
inline constexpr size_t kScanStateMax = 512;
// Time to the first byte of an answer that a scan may grant.
inline constexpr absl::Duration kScanPatienceMin = absl::Milliseconds(50);
inline constexpr absl::Duration kScanPatienceMax = absl::Seconds(10);

struct ScanRules {
  std::vector<Protocol> protocols = {};  // In this order, each once; empty: all.
  int32_t baud = 0;                      // bit/s; 0: no wire time.
  absl::Duration patience = absl::Milliseconds(500);
  bool thorough = false;      // A pattern that nobody answers is asked twice: for lines that lose answers.
  bool primary_sweep = true;  // M-Bus: also asks p1 to p250.
};

// What came for a question: frames of each of its exchanges, and where these are not all that came, the bytes. Nothing:
// silence.
struct ScanAnswer {
  std::vector<ReplyFrames> replies = {};
  std::string noise = {};
};

struct ScanFinding {
  Protocol protocol = Protocol::kUnspecified;
  std::string address = {};               // As a command wants it; if unresolved the pattern.
  std::vector<std::string> aliases = {};  // Other addresses of the same meter, in the forms that a register may hold.
  bool unresolved = false;                // Several answer to the pattern, and cannot be told apart.
  std::string medium = {};                // "ELECTRICITY", "WATER", "HEAT", "GAS"; empty: not told.
  std::string manufacturer = {};          // M-Bus: three letters; empty: not told.
  int32_t version = -1;                   // M-Bus; -1: not told.
};

// A protocol's search that ended before its time.
struct ScanTrouble {
  Protocol protocol = Protocol::kUnspecified;
  std::string reason = {};  // BUS_BABBLES
};

struct ScanStep {
  std::string state = {};                      // To go on from.
  std::optional<ExchangeGroup> question = {};  // None: the search is over.
  Protocol protocol = Protocol::kUnspecified;  // That the question is of.
  std::string pattern = {};                    // Whom it asks.
  int32_t done_per_mille = 0;                  // Of the patterns that are known to be left; only a guide.
  std::vector<ScanFinding> findings = {};      // From the answer; some may have been told before.
  std::optional<ScanTrouble> trouble = {};
};

// The first question. PROTOCOL_NOT_SUPPORTED, BAD_BAUD, BAD_PATIENCE.
absl::StatusOr<ScanStep> BeginScan(const ScanRules& rules);
// The question that the state asks: to repeat one whose answer was lost with who asked it. BAD_SCAN_STATE.
absl::StatusOr<ScanStep> ResumeScan(absl::string_view state);
// The next one. BAD_SCAN_STATE.
absl::StatusOr<ScanStep> ContinueScan(absl::string_view state, const ScanAnswer& answer);

}  // namespace voltwell::codec
