#include "services/meter_scheduler/closings.h"

#include <algorithm>

#include "libs/base/status.h"
#include "libs/decimal/decimal.h"
#include "services/meter_scheduler/domain/relay_machine.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

using domain::Kind;
using domain::Outcome;
using domain::Phase;
using voltwell::codec::v1::RegisterValue;
using voltwell::scheduler::v1::Reading;
using voltwell::scheduler::v1::RunItem;

constexpr absl::Duration kStampAheadMax = absl::Hours(24 * 31);  // A meter's stamp further ahead is no time.
constexpr int64_t kStampOldest = 946684800;  // 2000-01-01: older ones are a clock that was never set.

bool MovesRelay(const domain::Item& item) { return item.work->kind == Kind::kOpen || item.work->kind == Kind::kClose; }

std::optional<absl::Time> Stamp(const RegisterValue& value, const ClosingRules& rules, absl::Time now) {
  absl::Time time;
  // Demands and freezes are stamped without seconds.
  if (value.meter_time().empty() ||
      (!absl::ParseTime("%Y-%m-%dT%H:%M:%S", value.meter_time(), rules.meter_zone, &time, nullptr) &&
       !absl::ParseTime("%Y-%m-%dT%H:%M", value.meter_time(), rules.meter_zone, &time, nullptr))) {
    return std::nullopt;
  }
  if (time > now + kStampAheadMax || absl::ToUnixSeconds(time) < kStampOldest) return std::nullopt;
  return time;
}

absl::Status AddReadings(Attempt& attempt, RegisterStore& registers, const ClosingRules& rules, absl::Time now,
                         Closing& closing) {
  const std::string meter = NameOf("meters", attempt.item.meter);
  const bool of_run = attempt.item.work->kind == Kind::kRun;
  const std::string origin = NameOf(of_run ? "runs" : "operations", attempt.item.work->origin);
  // All at once: a record of an event has fifty parts, each with an id that may be new.
  if (attempt.values.size() > 1) {
    std::vector<RegisterStore::Register> told;
    told.reserve(attempt.values.size());
    for (const RegisterValue& value : attempt.values) told.emplace_back(value.register_(), value.unit());
    VW_RETURN_IF_ERROR(registers.Ensure(told));
  }
  for (const RegisterValue& value : attempt.values) {
    ReadingRow row;
    VW_ASSIGN_OR_RETURN(row.register_no, registers.NumberOf(value.register_(), value.unit()));
    row.time = attempt.ended;
    if (const std::optional<absl::Time> stamp = Stamp(value, rules, now)) {
      row.time = *stamp;
      row.stamped = true;
    }
    // One row a register and time: a meter that tells it twice in an answer is believed once.
    const bool twice = std::any_of(closing.readings.begin(), closing.readings.end(), [&](const ReadingRow& other) {
      return other.register_no == row.register_no && other.time == row.time;
    });
    if (twice) continue;
    row.text = value.text();
    if (!value.value().value().empty()) {
      const absl::StatusOr<decimal::Decimal> number = decimal::Decimal::Parse(value.value().value());
      if (number.ok()) {
        row.units = number->units();
        row.scale = static_cast<int16_t>(number->scale());
      } else {
        row.text = value.value().value();  // More digits than a number of ours has: kept as it came.
      }
    }
    Reading& reading = *closing.told.add_readings();
    reading.set_meter(meter);
    reading.set_register_(value.register_());
    *reading.mutable_time() = ToProto(row.time);
    *reading.mutable_value() = value.value();
    reading.set_text(row.text);
    reading.set_unit(value.unit());
    reading.set_source(of_run ? Reading::SOURCE_SCHEDULED : Reading::SOURCE_INTERACTIVE);
    reading.set_origin(origin);
    *reading.mutable_store_time() = ToProto(now);
    closing.readings.push_back(std::move(row));
  }
  return absl::OkStatus();
}

Closing CloseRelay(Attempt& attempt, Closing closing, absl::Time now) {
  const domain::Work& work = *attempt.item.work;
  const absl::Duration life = work.kind == Kind::kOpen ? domain::kPermitMax : domain::kCloseFor;
  const domain::RelayStep step =
      domain::NextRelayStep({.kind = attempt.item.work->kind,
                             .phase = attempt.item.phase,
                             .attempts = attempt.item.attempts,
                             .outcome = attempt.outcome,
                             .seen = attempt.seen,
                             .now = now,
                             .began = work.give_up_time - life,
                             .not_after = std::min(attempt.permit_end, attempt.item.work->give_up_time)});
  closing.attempts = step.attempts;
  closing.reason = step.reason;
  closing.final = step.state != domain::RelayState::kAgain;
  closing.state = step.state == domain::RelayState::kSucceeded ? RunItem::STATE_STORED : RunItem::STATE_FAILED;
  closing.next_phase = step.next;
  closing.due = step.due;
  closing.unknown = step.unknown;
  return closing;
}

}  // namespace

void TakeDecoded(Attempt& attempt, voltwell::codec::v1::DecodeResult& result) {
  bool dropped = false;
  for (RegisterValue& value : *result.mutable_values()) {
    // A number that the meter itself calls wrong, or what no such register can hold, is no reading. A status word that
    // tells of a fault is one: its bits say so.
    if (value.quality() == voltwell::codec::v1::QUALITY_OUT_OF_RANGE ||
        (value.quality() == voltwell::codec::v1::QUALITY_METER_ERROR && value.text().empty())) {
      dropped = true;
    } else {
      attempt.values.push_back(std::move(value));
    }
  }
  if (result.relay_state() != voltwell::codec::v1::RELAY_STATE_UNSPECIFIED) {
    attempt.seen = static_cast<domain::Relay>(result.relay_state());
  }
  if (!result.has_error() && !dropped) return;
  attempt.reason = result.has_error() ? result.error().reason() : "VALUE_NOT_VALID";
  // Some registers refused and others told: what was told is stored, and the reason stands beside it.
  if (!attempt.values.empty()) return;
  attempt.outcome = attempt.reason == "METER_REFUSED" ? Outcome::kMeterRefused : Outcome::kNotUnderstood;
}

absl::StatusOr<Closing> ToClosing(Attempt& attempt, RegisterStore& registers, const ClosingRules& rules,
                                  absl::Time now) {
  Closing closing;
  closing.item = attempt.item;
  closing.time = attempt.ended;
  closing.observed = attempt.outcome == Outcome::kOk ? attempt.seen : domain::Relay::kUnknown;
  if (domain::WasSent(attempt.outcome)) {
    closing.request = std::move(attempt.request_bytes);
    closing.reply = std::move(attempt.reply_bytes);
  }
  if (MovesRelay(attempt.item)) return CloseRelay(attempt, std::move(closing), now);
  if (attempt.outcome == Outcome::kOk) {
    VW_RETURN_IF_ERROR(AddReadings(attempt, registers, rules, now, closing));
    closing.state = RunItem::STATE_STORED;
    closing.attempts = attempt.item.attempts + 1;
    closing.reason = attempt.reason;
    return closing;
  }
  const domain::Verdict verdict = domain::AfterFailure(attempt.item, attempt.outcome, now, rules.jitter);
  closing.final = verdict.final;
  closing.attempts = verdict.attempts;
  closing.reason = attempt.reason.empty() ? verdict.reason : attempt.reason;
  closing.due = verdict.due;
  return closing;
}

Closing Refused(const domain::Item& item, const std::string& reason, absl::Time now) {
  Closing closing;
  closing.item = item;
  closing.attempts = item.attempts;
  closing.reason = reason;
  closing.time = now;
  return closing;
}

}  // namespace voltwell::scheduler
