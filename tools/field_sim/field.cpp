#include "tools/field_sim/field.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "libs/base/check.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int kEventsAtOnce = 256;
// epoll's data of a watched thing is its index above this mark; links are below.
constexpr uint64_t kWatchedMark = uint64_t{1} << 32;

}  // namespace

Field::Field(const Park& park, FieldOptions options)
    : park_(park),
      options_(std::move(options)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      random_(park.seed),
      now_(ReadClocks()) {
  VW_CHECK(epoll_ && !options_.targets.empty());
  const LoadSettings settings{park.seed, park.clock_zone_minutes, park.energy_speed, park.steady};
  links_.reserve(static_cast<size_t>(park.links()));
  for (size_t c = 0; c < park.collectors.size(); ++c) {
    CollectorState& state = collectors_.emplace_back();
    state.target = c % options_.targets.size();
    for (const ParkBus& bus : park.collectors[c].buses) {
      state.links.push_back(links_.size());
      Link& link = links_.emplace_back();
      link.collector = c;
      link.bus = std::make_unique<Bus>(bus, park.collectors[c], settings, now_);
    }
  }
  const int64_t between_ns = 1'000'000'000 / std::max(options_.dial_per_second, 1);
  for (size_t i = 0; i < links_.size(); ++i) {
    Arm(i, TimerKind::kDial, now_.mono_ns + static_cast<int64_t>(i) * between_ns);
  }
}

void Field::Watch(int fd, std::function<void()> work) {
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = kWatchedMark + watched_.size();
  watched_.push_back(std::move(work));
  VW_CHECK(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0);
}

void Field::Poll(int timeout_ms) {
  if (!timers_.empty()) {
    // Rounded up: a timer must not fire before its time.
    const int64_t wait_ns = timers_.top().at_ns - ReadClocks().mono_ns;
    const int64_t wait_ms = wait_ns <= 0 ? 0 : (wait_ns + kNsPerMs - 1) / kNsPerMs;
    timeout_ms = static_cast<int>(std::min<int64_t>(timeout_ms, wait_ms));
  }
  std::array<epoll_event, kEventsAtOnce> events;
  const int count = epoll_wait(epoll_.get(), events.data(), kEventsAtOnce, timeout_ms);
  now_ = ReadClocks();
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.u64 >= kWatchedMark) {
      watched_[event.data.u64 - kWatchedMark]();
    } else {
      OnEvent(event.data.u64, event.events);
    }
  }
  FireDue();
}

void Field::Arm(size_t link, TimerKind kind, int64_t at_ns) {
  timers_.push({at_ns, link, links_[link].generation, kind});
}

void Field::FireDue() {
  while (!timers_.empty() && timers_.top().at_ns <= now_.mono_ns) {
    const Timer timer = timers_.top();
    timers_.pop();
    if (timer.generation == links_[timer.link].generation) Fire(timer);
  }
}

void Field::Fire(const Timer& timer) {
  Link& link = links_[timer.link];
  const ParkCollector& collector = park_.collectors[link.collector];
  switch (timer.kind) {
    case TimerKind::kDial:
      Dial(timer.link);
      break;
    case TimerKind::kHeartbeat:
      ++counts_.heartbeats;
      Arm(timer.link, TimerKind::kHeartbeat, now_.mono_ns + collector.heartbeat_period_ms * kNsPerMs);
      Send(timer.link, Bytes(reinterpret_cast<const uint8_t*>(collector.heartbeat.data()), collector.heartbeat.size()));
      break;
    case TimerKind::kSegment:
      link.segment_timer_ns = INT64_MAX;
      SendSegments(timer.link);
      break;
    case TimerKind::kBabble: {
      const std::string noise = link.bus->Babble();
      Arm(timer.link, TimerKind::kBabble, now_.mono_ns + link.bus->config().babble_period_ms * kNsPerMs);
      Send(timer.link, Bytes(reinterpret_cast<const uint8_t*>(noise.data()), noise.size()));
      break;
    }
  }
}

void Field::Dial(size_t index) {
  Link& link = links_[index];
  if (link.state != State::kIdle) return;
  const CollectorState& collector = collectors_[link.collector];
  if (collector.dark_until_ns > now_.mono_ns) return Arm(index, TimerKind::kDial, collector.dark_until_ns);
  link.target = collector.target;
  link.fd = StartConnect(options_.targets[link.target]);
  if (!link.fd || !WatchSocket(index, EPOLLOUT, true)) return DialFailed(index);
  link.state = State::kConnecting;
}

void Field::DialFailed(size_t index) {
  ++counts_.connect_failures;
  MoveToNextTarget(index);
  Close(index);
}

// All buses of a collector sit in one box with one uplink: they go to the same gateway together.
void Field::MoveToNextTarget(size_t index) {
  CollectorState& collector = collectors_[links_[index].collector];
  if (options_.targets.size() < 2 || collector.target != links_[index].target) return;
  collector.target = (collector.target + 1) % options_.targets.size();
  for (const size_t other : collector.links) {
    if (other != index && links_[other].state != State::kIdle) Close(other);
  }
}

void Field::Connected(size_t index) {
  Link& link = links_[index];
  link.state = State::kConnected;
  ++link.connects;
  ++connected_;
  ++counts_.connects;
  WatchSocket(index, EPOLLIN, false);
  const ParkCollector& collector = park_.collectors[link.collector];
  const ParkBus& bus = link.bus->config();
  if (!collector.heartbeat.empty()) {
    Arm(index, TimerKind::kHeartbeat, now_.mono_ns + collector.heartbeat_period_ms * kNsPerMs);
  }
  if (bus.babble_period_ms > 0) Arm(index, TimerKind::kBabble, now_.mono_ns + bus.babble_period_ms * kNsPerMs);
  Send(index, Bytes(reinterpret_cast<const uint8_t*>(bus.registration.data()), bus.registration.size()));
}

void Field::Close(size_t index) {
  Link& link = links_[index];
  if (link.state == State::kConnected) {
    --connected_;
    ++counts_.disconnects;
  }
  link.state = State::kIdle;
  link.fd.Reset();
  link.unsent.clear();
  link.bus->Reset();
  ++link.generation;
  link.segment_timer_ns = INT64_MAX;
  const ParkCollector& collector = park_.collectors[link.collector];
  const auto jitter = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(collector.reconnect_jitter_ms) + 1));
  const int64_t at = now_.mono_ns + (collector.reconnect_delay_ms + jitter) * kNsPerMs;
  Arm(index, TimerKind::kDial, std::max(at, collectors_[link.collector].dark_until_ns));
}

void Field::OnEvent(size_t index, uint32_t events) {
  Link& link = links_[index];
  switch (link.state) {
    case State::kIdle:
      return;  // Closed by an earlier event of this round.
    case State::kConnecting:
      if (ConnectResult(link.fd.get()) != 0) return DialFailed(index);
      return Connected(index);
    case State::kConnected:
      break;
  }
  if ((events & EPOLLOUT) != 0) Flush(index);
  // Also after an error: recv tells which.
  if ((events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0 && link.state == State::kConnected) OnReadable(index);
}

void Field::OnReadable(size_t index) {
  Link& link = links_[index];
  const ssize_t size = recv(link.fd.get(), received_.data(), received_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return Close(index);
  counts_.bytes_in += static_cast<uint64_t>(size);
  out_.clear();
  link.bus->Receive(Bytes(received_).first(static_cast<size_t>(size)), now_, &out_);
  if (!out_.empty()) Send(index, Bytes(reinterpret_cast<const uint8_t*>(out_.data()), out_.size()));
  ArmSegments(index);
}

void Field::ArmSegments(size_t index) {
  Link& link = links_[index];
  const int64_t due = link.bus->due();
  if (link.state != State::kConnected || due >= link.segment_timer_ns) return;
  link.segment_timer_ns = due;
  Arm(index, TimerKind::kSegment, due);
}

void Field::SendSegments(size_t index) {
  Link& link = links_[index];
  while (link.state == State::kConnected && link.bus->TakeDue(now_.mono_ns, &segment_)) {
    Send(index, Bytes(reinterpret_cast<const uint8_t*>(segment_.data()), segment_.size()));
  }
  ArmSegments(index);
}

void Field::Send(size_t index, Bytes bytes) {
  Link& link = links_[index];
  if (link.state != State::kConnected) return;
  counts_.bytes_out += bytes.size();
  size_t sent = 0;
  if (link.unsent.empty()) {
    const ssize_t size = send(link.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(index);
    sent = size < 0 ? 0 : static_cast<size_t>(size);
    if (sent == bytes.size()) return;
    WatchSocket(index, EPOLLIN | EPOLLOUT, false);
  }
  const Bytes rest = bytes.subspan(sent);
  link.unsent.append(reinterpret_cast<const char*>(rest.data()), rest.size());
  if (link.unsent.size() > kMaxUnsentBytes) Close(index);
}

void Field::Flush(size_t index) {
  Link& link = links_[index];
  const ssize_t size = send(link.fd.get(), link.unsent.data(), link.unsent.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(index);
  if (size > 0) link.unsent.erase(0, static_cast<size_t>(size));
  if (link.unsent.empty()) WatchSocket(index, EPOLLIN, false);
}

bool Field::WatchSocket(size_t index, uint32_t events, bool add) {
  epoll_event event = {};
  event.events = events;
  event.data.u64 = index;
  return epoll_ctl(epoll_.get(), add ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, links_[index].fd.get(), &event) == 0;
}

bool Field::Drop(const std::string& collector, int64_t dark_ms) {
  for (size_t c = 0; c < collectors_.size(); ++c) {
    if (park_.collectors[c].id != collector) continue;
    now_ = ReadClocks();
    collectors_[c].dark_until_ns = now_.mono_ns + dark_ms * kNsPerMs;
    for (const size_t link : collectors_[c].links) {
      if (links_[link].state != State::kIdle) Close(link);
    }
    return true;
  }
  return false;
}

}  // namespace voltwell::field_sim
