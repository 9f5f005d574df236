// The search over all protocols; see scan.h.
#include "libs/codec/scan.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/codec/scan_question.h"
#include "libs/codec/scan_state.h"

namespace voltwell::codec {
namespace {

constexpr int kPrimaryFirst = 1;  // 0 is every meter fresh from the factory.
constexpr int kPrimaryLast = 250;

void Enter(ScanState& state, ScanPart part) {
  state.part = part;
  state.tree = {};
  state.primary = kPrimaryFirst;
  state.asks = 0;
  state.spoilt = 0;
}

// Of the protocol whose turn it is.
void EnterFirst(ScanState& state) {
  state.crowded = false;
  state.lone.clear();
  const bool has_lone = !state.over() && state.protocol() == Protocol::kDlt645_2007;
  Enter(state, has_lone ? ScanPart::kLone : ScanPart::kTree);
}

void NextProtocol(ScanState& state) {
  ++state.turn;
  EnterFirst(state);
}

void EndTree(ScanState& state) {
  if (state.protocol() == Protocol::kMbus && state.rules.primary_sweep) {
    Enter(state, ScanPart::kSweep);
  } else {
    NextProtocol(state);
  }
}

std::string PrimaryOf(int primary) { return absl::StrCat("p", primary); }

ScanQuestion QuestionOf(const ScanState& state) {
  ScanQuestion question = {.protocol = state.protocol(), .baud = state.rules.baud, .patience = state.rules.patience};
  switch (state.part) {
    case ScanPart::kLone:
      question.address = PatternOf(question.protocol, {});
      question.asks_address = true;
      break;
    case ScanPart::kTree:
      question.address =
          state.tree.control ? ControlAddressOf(question.protocol) : PatternOf(question.protocol, state.tree.path);
      break;
    case ScanPart::kSweep:
      question.address = PrimaryOf(state.primary);
      question.asks_address = true;
      break;
  }
  return question;
}

void Babbles(ScanState& state, ScanStep& step) {
  step.trouble = ScanTrouble{state.protocol(), "BUS_BABBLES"};
  NextProtocol(state);
}

// Of the questions that stand in no tree.
bool AsksAgain(ScanState& state, ScanHeard heard) {
  ++state.asks;
  if (heard == ScanHeard::kGarbled) return state.asks < kScanGarbledCertain;
  return heard == ScanHeard::kNobody && state.rules.thorough && state.asks < kScanSilenceCertain;
}

void AfterLone(ScanState& state, const ScanHearing& hearing) {
  if (AsksAgain(state, hearing.heard)) return;
  const bool crowded = hearing.heard == ScanHeard::kGarbled || hearing.heard == ScanHeard::kSeveral;
  if (hearing.heard == ScanHeard::kOne) state.lone = hearing.found[0].address;
  Enter(state, ScanPart::kTree);
  state.crowded = crowded;
}

// What 13H told of the root's question, which some meters do not know.
ScanHeard RootOf(const ScanState& state, const ScanHearing& hearing) {
  const bool quiet = hearing.heard == ScanHeard::kNobody;
  if (quiet && !state.crowded) return ScanHeard::kNobody;
  const bool another = !state.lone.empty() && !hearing.found.empty() && hearing.found[0].address != state.lone;
  return state.crowded || another ? ScanHeard::kSeveral : hearing.heard;
}

void AfterTree(ScanState& state, const ScanHearing& hearing, ScanStep& step) {
  const ScanTreeShape shape = TreeShapeOf(state.protocol(), state.rules.thorough);
  ScanHeard heard = hearing.heard;
  if (!state.tree.control) {
    const bool whole = state.tree.path.size() == shape.branches.size();
    const bool spoke = heard == ScanHeard::kOne || heard == ScanHeard::kNobody;
    if (state.tree.path.empty() && spoke) heard = RootOf(state, hearing);
    // Nobody else has this address: the rest is noise.
    if (whole && heard == ScanHeard::kGarbled && !hearing.found.empty()) heard = ScanHeard::kOne;
  }
  const ScanTreeTurn turn = NextOf(shape, state.tree, heard);
  for (const std::vector<int>& path : turn.unresolved) {
    step.findings.push_back(
        {.protocol = state.protocol(), .address = PatternOf(state.protocol(), path), .unresolved = true});
  }
  if (turn.babbles) {
    Babbles(state, step);
  } else if (turn.over) {
    EndTree(state);
  }
}

void AfterPrimary(ScanState& state, const ScanHearing& hearing, ScanStep& step) {
  if (AsksAgain(state, hearing.heard)) return;
  const bool garbled = hearing.heard == ScanHeard::kGarbled || hearing.heard == ScanHeard::kSeveral;
  state.spoilt = garbled ? state.spoilt + 1 : 0;
  if (garbled) {
    step.findings.push_back({.protocol = state.protocol(), .address = PrimaryOf(state.primary), .unresolved = true});
  }
  if (state.spoilt >= kScanBabbledMax) {
    Babbles(state, step);
    return;
  }
  state.asks = 0;
  if (++state.primary > kPrimaryLast) NextProtocol(state);
}

// Of the protocols, each counted alike.
int32_t DonePerMille(const ScanState& state) {
  if (state.over()) return 1000;
  double share = 0;
  const bool sweeps = state.protocol() == Protocol::kMbus && state.rules.primary_sweep;
  if (state.part == ScanPart::kTree) {
    share = ProgressOf(TreeShapeOf(state.protocol(), state.rules.thorough), state.tree) * (sweeps ? 0.5 : 1.0);
  } else if (state.part == ScanPart::kSweep) {
    share = 0.5 + 0.5 * (state.primary - kPrimaryFirst) / kPrimaryLast;
  }
  const double all = static_cast<double>(state.rules.protocols.size());
  return static_cast<int32_t>(1000 * (static_cast<double>(state.turn) + share) / all);
}

absl::StatusOr<ScanStep> StepOf(const ScanState& state, ScanStep step) {
  step.state = TextOf(state);
  step.done_per_mille = DonePerMille(state);
  if (state.over()) return step;
  const ScanQuestion question = QuestionOf(state);
  VW_ASSIGN_OR_RETURN(step.question, GroupOf(question));
  step.protocol = question.protocol;
  step.pattern = question.address;
  return step;
}

}  // namespace

absl::StatusOr<ScanStep> BeginScan(const ScanRules& rules) {
  ScanState state;
  state.rules = rules;
  std::vector<Protocol>& protocols = state.rules.protocols;
  if (protocols.empty()) protocols = ListProtocols();
  for (auto at = protocols.begin(); at != protocols.end(); ++at) {
    const std::vector<Protocol> known = ListProtocols();
    const bool twice = std::find(protocols.begin(), at, *at) != at;
    if (!twice && std::find(known.begin(), known.end(), *at) != known.end()) continue;
    return base::InvalidArgument("PROTOCOL_NOT_SUPPORTED", "protocols to search by, each once",
                                 {{"position", absl::StrCat(at - protocols.begin())}});
  }
  if (rules.patience < kScanPatienceMin || rules.patience > kScanPatienceMax) {
    return base::InvalidArgument("BAD_PATIENCE", "patience is 50 ms to 10 s", {{"field", "patience"}});
  }
  EnterFirst(state);
  return StepOf(state, {});
}

absl::StatusOr<ScanStep> ResumeScan(absl::string_view text) {
  VW_ASSIGN_OR_RETURN(const ScanState state, ParseScanState(text));
  return StepOf(state, {});
}

absl::StatusOr<ScanStep> ContinueScan(absl::string_view text, const ScanAnswer& answer) {
  VW_ASSIGN_OR_RETURN(ScanState state, ParseScanState(text));
  if (state.over()) return StepOf(state, {});
  ScanHearing hearing = HearingOf(QuestionOf(state), answer);
  ScanStep step;
  switch (state.part) {
    case ScanPart::kLone:
      AfterLone(state, hearing);
      break;
    case ScanPart::kTree:
      AfterTree(state, hearing, step);
      break;
    case ScanPart::kSweep:
      AfterPrimary(state, hearing, step);
      break;
  }
  for (ScanFinding& finding : hearing.found) step.findings.push_back(std::move(finding));
  return StepOf(state, std::move(step));
}

}  // namespace voltwell::codec
