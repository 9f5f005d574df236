// What people look at, as messages; see convert.h.
#include <algorithm>
#include <cmath>

#include "services/collector_gateway/convert.h"

namespace voltwell::gateway {
namespace {

void SetDuration(absl::Duration duration, google::protobuf::Duration& out) {
  out.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &duration));
  out.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(duration)));
}

void SetTime(int64_t unix_ms, google::protobuf::Timestamp& out) {
  out.set_seconds(unix_ms / 1000);
  out.set_nanos(static_cast<int32_t>(unix_ms % 1000) * 1'000'000);
}

void ToProto(const Liveness& life, v1::Liveness& out) {
  out.set_state(static_cast<v1::Liveness::State>(life.state));
  out.set_reason(static_cast<v1::Liveness::Reason>(life.reason));
  if (life.silent.has_value()) SetDuration(std::max(*life.silent, absl::ZeroDuration()), *out.mutable_silent());
}

void ToProto(const LineCounts& counts, v1::LineCounts& out) {
  out.set_asked(counts.asked);
  out.set_retries(counts.retries);
  out.set_answered(counts.answered);
  out.set_timeouts(counts.timeouts);
  out.set_learned_timeouts(counts.learned_timeouts);
  out.set_noises(counts.noises);
  out.set_bad_checksums(counts.bad_checksums);
  out.set_noise_bytes(counts.noise_bytes);
  out.set_echoes(counts.echoes);
  out.set_strays(counts.strays);
  out.set_collisions(counts.collisions);
  out.set_babble_bytes(counts.babble_bytes);
}

void ToProto(const MeterFacts& meter, Instant now, v1::MeterHealth& out) {
  out.set_label(meter.label);
  out.set_asked(meter.asked);
  out.set_answered(meter.answered);
  out.set_timeouts(meter.timeouts);
  out.set_noises(meter.noises);
  out.set_failures_in_a_row(static_cast<int32_t>(meter.failures_in_a_row));
  for (const uint16_t count : meter.round_trips) out.add_round_trips(count);
  if (meter.turnaround.known()) SetDuration(meter.turnaround.mean(), *out.mutable_turnaround());
  ToProto(MeterLife(meter, now), *out.mutable_liveness());
}

}  // namespace

void ToProto(const BusReport& report, v1::BusHealth& out) {
  const BusEntry& entry = *report.session.route.entry;
  out.set_collector(entry.collector);
  out.set_bus(entry.bus);
  out.set_tenant(entry.tenant);
  out.set_verdict(static_cast<v1::BusVerdict>(Judge(report.facts, report.session.queued, report.now)));
  out.set_utilisation_per_mille(static_cast<int32_t>(std::lround(1000 * report.facts.Utilisation(report.now))));
  out.set_queued(report.session.queued);
  ToProto(report.facts.counts(), *out.mutable_counts());
  std::vector<const MeterFacts*> meters;
  for (const MeterFacts& meter : report.facts.meters()) meters.push_back(&meter);
  std::sort(meters.begin(), meters.end(), [](const auto* a, const auto* b) { return a->label < b->label; });
  for (const MeterFacts* const meter : meters) ToProto(*meter, report.now, *out.add_meters());
  for (const int upper : kRoundTripMs) out.add_round_trip_ms(upper);
  ToProto(SocketLife(report.signs), *out.mutable_socket());
  ToProto(CollectorLife(report.signs), *out.mutable_collector_liveness());
}

void ToProto(const Trace& trace, const std::string& collector, int bus, v1::Trace& out) {
  out.set_collector(collector);
  out.set_bus(bus);
  out.set_tenant(trace.tenant);
  SetTime(trace.began_ms, *out.mutable_start_time());
  SetTime(trace.began_ms + absl::ToInt64Milliseconds(trace.duration), *out.mutable_end_time());
  out.set_dropped(trace.dropped);
  for (const TraceFrame& frame : trace.frames) {
    v1::TraceFrame& added = *out.add_frames();
    SetTime(frame.at_ms, *added.mutable_time());
    added.set_direction(frame.up ? v1::TraceFrame::DIRECTION_UP : v1::TraceFrame::DIRECTION_DOWN);
    added.set_data(frame.data);
    added.set_size(static_cast<int32_t>(frame.size));
  }
}

void ToProto(const SessionChange& change, v1::SessionChange& out) {
  out.set_collector(change.entry->collector);
  out.set_bus(change.entry->bus);
  out.set_tenant(change.entry->tenant);
  out.set_peer(ToText(change.peer));
  out.set_online(change.online);
  out.set_reason(change.reason);
  SetTime(change.at_ms, *out.mutable_time());
}

}  // namespace voltwell::gateway
