// Conversions of PlanScan; see convert_scan.h.
#include "services/protocol_codec/convert_scan.h"

#include "services/protocol_codec/convert.h"

namespace voltwell::codec_service {

codec::ScanRules FromProto(const v1::ScanRules& rules) {
  codec::ScanRules out;
  for (const int protocol : rules.protocols()) out.protocols.push_back(FromProto(static_cast<v1::Protocol>(protocol)));
  out.baud = rules.baud();
  if (rules.has_patience()) {
    out.patience = absl::Seconds(rules.patience().seconds()) + absl::Nanoseconds(rules.patience().nanos());
  }
  out.thorough = rules.thorough();
  out.primary_sweep = !rules.without_primary();
  return out;
}

codec::ScanAnswer FromProto(const v1::ScanAnswer& answer) {
  codec::ScanAnswer out;
  for (const v1::ReplyFrames& reply : answer.replies()) {
    out.replies.emplace_back(reply.frames().begin(), reply.frames().end());
  }
  out.noise = answer.noise();
  return out;
}

void ToProto(const codec::ScanStep& step, v1::PlanScanResponse& out) {
  out.set_state(step.state);
  if (step.question.has_value()) ToProto(*step.question, *out.mutable_group());
  out.set_protocol(static_cast<v1::Protocol>(step.protocol));
  out.set_pattern(step.pattern);
  out.set_done_per_mille(step.done_per_mille);
  for (const codec::ScanFinding& finding : step.findings) {
    v1::ScanFinding& added = *out.add_findings();
    added.set_protocol(static_cast<v1::Protocol>(finding.protocol));
    added.set_address(finding.address);
    for (const std::string& alias : finding.aliases) added.add_aliases(alias);
    added.set_unresolved(finding.unresolved);
    added.set_medium(finding.medium);
    added.set_manufacturer(finding.manufacturer);
    if (finding.version >= 0) added.set_version(finding.version);
  }
  if (step.trouble.has_value()) {
    out.mutable_trouble()->set_protocol(static_cast<v1::Protocol>(step.trouble->protocol));
    out.mutable_trouble()->set_reason(step.trouble->reason);
  }
}

}  // namespace voltwell::codec_service
