// The life of one item on the bus; see group_run.h.
#include "services/collector_gateway/domain/group_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "libs/base/check.h"

namespace voltwell::gateway {
namespace {

base::ByteView WithoutPreamble(base::ByteView bytes) {
  while (!bytes.empty() && bytes[0] == codec::frame::kPreamble) bytes = bytes.subspan(1);
  return bytes;
}

// Preambles, and what a line without current reads as: nobody said anything.
bool IsIdle(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == '\xFE' || c == '\xFF' || c == '\0'; });
}

bool AsksForMore(const FollowUp& follow_up, base::ByteView reply) {
  return follow_up.flag_offset < reply.size() &&
         (reply[follow_up.flag_offset] & follow_up.flag_mask) == follow_up.flag_value;
}

}  // namespace

absl::Duration WireTime(size_t bytes, int baud) {
  if (baud <= 0) return absl::ZeroDuration();
  return absl::Microseconds(static_cast<int64_t>(bytes) * 11 * 1'000'000 / baud);
}

GroupRun::GroupRun(Item&& item, BusTiming timing, Keepalives keepalives, BusFacts& facts)
    : item_(std::move(item)), timing_(timing), keepalives_(keepalives), facts_(&facts) {
  VW_CHECK(!item_.exchanges.empty());
  result_.id = item_.id;
  result_.priority = item_.priority;
  result_.searched = item_.searches();
}

GroupRun::Move GroupRun::Begin(Instant now) {
  began_ = now;
  exchange_ = 0;
  return NextExchange(now);
}

GroupRun::Move GroupRun::NextExchange(Instant now) {
  const Exchange& exchange = item_.exchanges[exchange_];
  step_ = 0;
  if (cutter_.has_value()) CollectCounts();
  cutter_.emplace(exchange.frame_kind);
  result_.replies.Begin();
  heard_frames_ = 0;
  return Ask(exchange.question, now);
}

GroupRun::Move GroupRun::Ask(const Question& question, Instant now) {
  question_ = &question;
  cutter_->Reset();
  carry_.clear();
  seen_.clear();
  echo_skipped_ = false;
  echo_fresh_ = false;
  collided_ = false;
  last_byte_ = now;
  asked_ = now;
  key_ = KeyOf(question);
  const absl::Duration request_wire = WireTime(question.request.size(), timing_.baud);
  const absl::Duration full = request_wire + item_.exchanges[exchange_].reply_timeout + timing_.link_time;
  full_end_ = now + full;
  deadline_ =
      item_.searches() ? full_end_ : now + facts_->AnswerLimit(key_, request_wire, full, timing_.baud, item_.priority);
  return Move::kSend;
}

GroupRun::Move GroupRun::OnSent(Instant now) {
  if (!item_.exchanges[exchange_].no_reply) return Move::kWait;
  if (exchange_ + 1 == item_.exchanges.size()) return Finish(Outcome::kOk, now);
  deadline_ = full_end_;  // Meters need a moment with it; who answers all the same does so before the next question.
  return Move::kWait;
}

GroupRun::Move GroupRun::OnBytes(base::ByteView bytes, Instant now) {
  LookForCollision(bytes, now);
  last_byte_ = now;
  std::string joined;
  if (!carry_.empty()) {
    joined = std::exchange(carry_, std::string()) + base::ToString(bytes);
    bytes = base::AsBytes(joined);
  }
  Keepalives::Search search(keepalives_, bytes);
  while (!bytes.empty()) {
    const Keepalives::Found found = search.Next(bytes.size());
    const bool at_boundary = cutter_->pending() == 0;
    size_t take = found.at;
    if (found.length > 0 && found.at == 0) {
      if (at_boundary) {
        Keepalives::Count(found, keepalives_seen_);
        bytes = bytes.subspan(found.length);
        continue;
      }
      take = 1;  // Inside a frame these bytes are data; a true keepalive may still begin at the next byte.
    } else if (found.length == 0) {
      const size_t tail = keepalives_.UnfinishedTail(bytes);
      take = bytes.size() - tail;
      if (take == 0 && at_boundary) {
        carry_ = base::ToString(bytes);
        return Move::kWait;
      }
      if (take == 0) take = bytes.size();
    }
    const Move move = Consume(bytes.first(take), now);
    bytes = bytes.subspan(take);
    // What follows an answer came before the next question was asked: no part of that one's answer.
    if (move != Move::kWait) {
      counts_.noise_bytes += keepalives_.CountNoise(bytes, keepalives_seen_);
      return move;
    }
  }
  return Move::kWait;
}

GroupRun::Move GroupRun::Consume(base::ByteView bytes, Instant now) {
  for (base::ByteView rest = bytes; !rest.empty();) {
    rest = rest.subspan(cutter_->Push(rest));
    while (const auto frame = cutter_->Next()) {
      const Move move = OnFrame(*frame, now);
      if (move != Move::kWait) return move;  // What an answer consisted of need not be remembered.
    }
  }
  Remember(bytes);
  if (!std::exchange(echo_fresh_, false)) return Move::kWait;
  if (const size_t at = seen_.find(question_->request); at != std::string::npos) {
    seen_.erase(at, question_->request.size());
  }
  return Move::kWait;
}

GroupRun::Move GroupRun::OnFrame(base::ByteView frame, Instant now) {
  // Some collectors echo our own request; one identical frame is skipped. A second one means that the bus loops.
  if (!echo_skipped_ && IsEcho(frame)) {
    echo_skipped_ = true;
    echo_fresh_ = true;
    ++facts_->counts().echoes;
    return Move::kWait;
  }
  if (item_.exchanges[exchange_].listen) {
    if (heard_frames_++ < kListenFramesMax) result_.replies.Add(frame);
    return Move::kWait;
  }
  // A late answer, another master's request: not ours.
  if (!question_->replies.Matches(frame)) {
    ++facts_->counts().strays;
    return Move::kWait;
  }
  Learn(frame, now);

  result_.replies.Add(frame);
  const FollowUp& follow_up = item_.exchanges[exchange_].follow_up;
  // When the steps run out the frames go up as they are: codec sees that more would follow.
  if (step_ < follow_up.steps.size() && AsksForMore(follow_up, frame)) return Ask(follow_up.steps[step_++], now);
  if (++exchange_ < item_.exchanges.size()) return NextExchange(now);
  return Finish(Outcome::kOk, now);
}

GroupRun::Move GroupRun::OnTime(Instant now) {
  if (now >= Deadline()) {
    if (item_.exchanges[exchange_].no_reply) {
      ++exchange_;
      return NextExchange(now);
    }
    if (!carry_.empty()) {
      const std::string rest = std::exchange(carry_, std::string());
      const Move move = Consume(base::AsBytes(rest), now);
      if (move != Move::kWait) return move;
    }
    // A whole answer may stand behind the beginning of a frame that never ended.
    const Move move = DropStalled(now);
    if (move != Move::kWait) return move;
    if (item_.exchanges[exchange_].listen) return EndListening(now);
    facts_->Unanswered(key_, now, full_end_);
    return Finish(IsIdle(seen_) ? Outcome::kTimeout : Outcome::kNoise, now);
  }
  if (cutter_->pending() > 0 && now >= last_byte_ + kInterByteTimeout) return DropStalled(now);
  return Move::kWait;
}

// Everybody has spoken who will. What is no frame may be answers that lie over each other.
GroupRun::Move GroupRun::EndListening(Instant now) {
  const bool answered = heard_frames_ > 0;
  const codec::frame::CutterCounts& cut = cutter_->counts();
  const bool more = cut.noise_bytes > 0 || cut.bad_checksums > 0;
  if (more && !IsIdle(seen_)) heard_ += seen_;
  seen_ = heard_.substr(0, kNoiseKeptMax);
  if (answered && ++exchange_ < item_.exchanges.size()) return NextExchange(now);
  if (!seen_.empty()) return Finish(Outcome::kNoise, now);
  return Finish(answered ? Outcome::kOk : Outcome::kTimeout, now);
}

GroupRun::Move GroupRun::DropStalled(Instant now) {
  while (cutter_->DropStalled()) {
    while (const auto frame = cutter_->Next()) {
      const Move move = OnFrame(*frame, now);
      if (move != Move::kWait) return move;
    }
  }
  return Move::kWait;
}

GroupRun::Move GroupRun::Finish(Outcome outcome, Instant now) {
  CollectCounts();
  result_.outcome = outcome;
  result_.bus_time = now - began_;
  if (outcome == Outcome::kNoise) result_.noise = std::move(seen_);
  deadline_ = absl::InfiniteDuration();
  full_end_ = absl::InfiniteDuration();
  return Move::kDone;
}

Result GroupRun::TakeFailed(Outcome outcome, Instant now) {
  Finish(outcome, now);
  return std::move(result_);
}

Instant GroupRun::wake_at() const {
  if (!cutter_.has_value() || cutter_->pending() == 0) return deadline_;
  return std::min(Deadline(), last_byte_ + kInterByteTimeout);
}

bool GroupRun::IsEcho(base::ByteView frame) const {
  const base::ByteView request = WithoutPreamble(base::AsBytes(question_->request));
  return frame.size() == request.size() && std::memcmp(frame.data(), request.data(), frame.size()) == 0;
}

Instant GroupRun::Deadline() const { return cutter_->pending() == 0 ? deadline_ : full_end_; }

void GroupRun::Learn(base::ByteView frame, Instant now) {
  const absl::Duration round_trip = now - asked_;
  const absl::Duration wire = WireTime(question_->request.size() + frame.size(), timing_.baud);
  facts_->Answered(key_, now, round_trip - wire, round_trip, frame.size());
}

// Whoever speaks while our question is still on the wire does not know of us: a second master, or a meter that babbles.
void GroupRun::LookForCollision(base::ByteView bytes, Instant now) {
  if (collided_ || item_.searches() || timing_.baud <= 0 ||
      now >= asked_ + WireTime(question_->request.size(), timing_.baud))
    return;
  KeepalivesSeen ignored;
  if (keepalives_.CountNoise(bytes, ignored) == 0 ||
      absl::StartsWith(question_->request, seen_ + base::ToString(bytes)))
    return;
  collided_ = true;
  ++facts_->counts().collisions;
}

void GroupRun::Remember(base::ByteView bytes) {
  const size_t room = kNoiseKeptMax - std::min(kNoiseKeptMax, seen_.size());
  const base::ByteView kept = bytes.first(std::min(room, bytes.size()));
  seen_.append(reinterpret_cast<const char*>(kept.data()), kept.size());
}

void GroupRun::CollectCounts() {
  cutter_->Reset();  // Counts what is unfinished as noise.
  const codec::frame::CutterCounts& counts = cutter_->counts();
  counts_.frames += counts.frames;
  counts_.noise_bytes += counts.noise_bytes;
  counts_.bad_checksums += counts.bad_checksums;
  cutter_.reset();
}

}  // namespace voltwell::gateway
