#include "services/meter_scheduler/domain/retry.h"

#include <algorithm>

namespace voltwell::scheduler::domain {

absl::string_view ReasonOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk:
      return "";
    case Outcome::kNoise:
      return "NOISE";
    case Outcome::kTimeout:
      return "TIMEOUT";
    case Outcome::kLost:
      return "LOST";
    case Outcome::kOffline:
      return "OFFLINE";
    case Outcome::kBusy:
      return "BUSY";
    case Outcome::kMoved:
      return "MOVED";
    case Outcome::kExpired:
      return "EXPIRED";
    case Outcome::kStreamBroken:
      return "GATEWAY_LOST";
    case Outcome::kMeterRefused:
      return "METER_REFUSED";
    case Outcome::kNotUnderstood:
      return "FRAME_NOT_UNDERSTOOD";
    case Outcome::kNotEncodable:
      return "NOT_ENCODABLE";
    case Outcome::kCodecDown:
      return "CODEC_DOWN";
  }
  return "";
}

bool WasSent(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOffline:
    case Outcome::kBusy:
    case Outcome::kMoved:
    case Outcome::kExpired:
    case Outcome::kNotEncodable:
    case Outcome::kCodecDown:
      return false;
    default:
      return true;
  }
}

Verdict AfterFailure(const Item& item, Outcome outcome, absl::Time now, double jitter) {
  // A gateway that went says nothing of the meter, and reading once more does no harm: only the window ends that.
  const bool sent = WasSent(outcome) && outcome != Outcome::kStreamBroken;
  const int attempts = item.attempts + (sent ? 1 : 0);
  Verdict verdict = {.final = false, .attempts = attempts, .reason = std::string(ReasonOf(outcome))};
  const absl::Duration left = item.work->give_up_time - now;
  const bool hopeless = outcome == Outcome::kMeterRefused || outcome == Outcome::kNotEncodable;
  const bool unwaited = outcome == Outcome::kOffline && item.work->kind != Kind::kRun;
  if (hopeless || unwaited || (sent && attempts >= item.work->max_attempts) || left <= absl::ZeroDuration()) {
    verdict.final = true;
    return verdict;
  }
  // What was not sent goes by the same ladder from its first step: a busy queue or a dial-in mends within seconds.
  const int step = sent ? std::min(attempts - 1, 6) : 0;
  absl::Duration wait = std::min(kBackOffFirst * (1 << step), kBackOffMax) * (0.75 + 0.5 * jitter);
  if (outcome == Outcome::kOffline) {
    // Most lines are back within seconds (a gateway or a collector restarted). One that is not is asked more seldom: it
    // costs a claim each time, and the link stream tells when it is back.
    wait = item.last_reason == ReasonOf(outcome) ? std::clamp(left / 20, kOfflineFirst, kOfflineMax) : kOfflineFirst;
    wait *= 0.75 + 0.5 * jitter;
  }
  if (outcome == Outcome::kMoved || outcome == Outcome::kBusy || outcome == Outcome::kCodecDown ||
      outcome == Outcome::kStreamBroken) {
    wait = absl::Seconds(1) * (0.5 + jitter);
  }
  // The attempts that are left must fit into the window.
  const int attempts_left = std::max(1, item.work->max_attempts - attempts);
  wait = std::min(wait, left / (attempts_left + 1));
  verdict.due = now + std::max(wait, absl::Milliseconds(200));
  return verdict;
}

}  // namespace voltwell::scheduler::domain
