#include "tools/field_sim/field.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "tools/field_sim/talk.h"

namespace voltwell::field_sim {
namespace {

constexpr int64_t kNsPerMs = 1'000'000;
constexpr int kEventsAtOnce = 256;
// epoll's data of a watched thing is its index above this mark; links are below.
constexpr uint64_t kWatchedMark = uint64_t{1} << 32;

Bytes AsBytes(absl::string_view text) { return base::AsBytes(text); }

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
      link.bus = std::make_unique<Bus>(bus, settings, now_);
      link.carrier = bus.ports == PortHeader::kNone ? links_.size() - 1 : state.links.front();
    }
  }
  const int64_t between_ns = 1'000'000'000 / std::max(options_.dial_per_second, 1);
  for (size_t i = 0; i < links_.size(); ++i) {
    if (links_[i].carrier != i) continue;
    if (park.collectors[links_[i].collector].listen_port >= 0) {
      Listen(i);
      continue;
    }
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
  switch (timer.kind) {
    case TimerKind::kDial:
      Dial(timer.link);
      break;
    case TimerKind::kHeartbeat:
      Beat(timer.link);
      break;
    case TimerKind::kAnswer:
      if (!link.mute) break;
      ++counts_.answers_missed;
      Close(timer.link);
      break;
    case TimerKind::kFault:
      BreakLine(timer.link);
      break;
    case TimerKind::kThaw:
      link.frozen = false;
      WatchSocket(timer.link, WantedEvents(link), false);
      break;
    case TimerKind::kSegment:
      link.segment_timer_ns = INT64_MAX;
      SendSegments(timer.link);
      break;
    case TimerKind::kBabble: {
      const std::string noise = link.bus->Babble();
      Arm(timer.link, TimerKind::kBabble, now_.mono_ns + link.bus->config().babble_period_ms * kNsPerMs);
      if (!links_[link.carrier].mute) Send(timer.link, AsBytes(noise));
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
  WatchSocket(index, EPOLLIN, false);
  ++counts_.connects;
  const auto begin = [this](size_t each) {
    Link& link = links_[each];
    link.state = State::kConnected;
    ++link.connects;
    ++connected_;
    const ParkBus& bus = link.bus->config();
    if (bus.babble_period_ms > 0) Arm(each, TimerKind::kBabble, now_.mono_ns + bus.babble_period_ms * kNsPerMs);
  };
  if (Shares(index)) {
    for (const size_t each : collectors_[links_[index].collector].links) begin(each);
  } else {
    begin(index);
  }
  Begin(index);
}

// What a connection begins with.
void Field::Begin(size_t index) {
  Link& link = links_[index];
  const ParkCollector& collector = park_.collectors[link.collector];
  const ParkBus& bus = link.bus->config();
  if (!bus.heartbeat.empty()) {
    Arm(index, TimerKind::kHeartbeat, now_.mono_ns + collector.heartbeat_period_ms * kNsPerMs);
  }
  if (const LineFaults& faults = collector.line_faults; faults.every_ms > 0) {
    const auto wait_ms = static_cast<int64_t>(faults.every_ms * (0.5 + random_.Unit()));
    Arm(index, TimerKind::kFault, now_.mono_ns + wait_ms * kNsPerMs);
  }
  link.mute = !bus.registration_answer.empty();
  if (link.mute) {
    link.expected.push_back(bus.registration_answer);
    Arm(index, TimerKind::kAnswer, now_.mono_ns + collector.answer_timeout_ms * kNsPerMs);
  }
  // A plain serial server that is dialled says nothing.
  if (link.listener && collector.dialect == "transparent") return;
  Send(index, AsBytes(bus.registration));
}

void Field::Listen(size_t index) {
  Link& link = links_[index];
  const int base = park_.collectors[link.collector].listen_port;
  const int port = base == 0 ? 0 : base + link.bus->config().number - 1;
  auto listener = ListenLoopback(static_cast<uint16_t>(port));
  VW_CHECK(listener.ok());
  link.listener = *std::move(listener);
  Watch(link.listener.get(), [this, index] { Take(index); });
}

// One connection at a time, as serial servers do: a second one is closed at once.
void Field::Take(size_t index) {
  Link& link = links_[index];
  UniqueFd fd(accept4(link.listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd || link.state != State::kIdle || collectors_[link.collector].dark_until_ns > now_.mono_ns) return;
  link.fd = std::move(fd);
  if (WatchSocket(index, EPOLLIN, true)) Connected(index);
}

void Field::Close(size_t index) {
  index = links_[index].carrier;
  if (Shares(index)) {
    for (const size_t each : collectors_[links_[index].collector].links) Release(each);
  } else {
    Release(index);
  }
  const Link& link = links_[index];
  if (link.listener) return;
  const ParkCollector& collector = park_.collectors[link.collector];
  const auto jitter = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(collector.reconnect_jitter_ms) + 1));
  const int64_t at = now_.mono_ns + (collector.reconnect_delay_ms + jitter) * kNsPerMs;
  Arm(index, TimerKind::kDial, std::max(at, collectors_[link.collector].dark_until_ns));
}

void Field::Release(size_t index) {
  Link& link = links_[index];
  if (link.state == State::kConnected) {
    --connected_;
    if (link.carrier == index) ++counts_.disconnects;
  }
  link.state = State::kIdle;
  link.fd.Reset();
  link.unsent.clear();
  link.expected.clear();
  link.inbox.clear();
  link.mute = link.frozen = false;
  link.bus->Reset();
  ++link.generation;
  link.segment_timer_ns = INT64_MAX;
}

void Field::Beat(size_t index) {
  Link& link = links_[index];
  const ParkBus& bus = link.bus->config();
  if (!bus.heartbeat_answer.empty()) {
    // "Reconnect without data": the last one was not answered, so the line must be dead.
    if (!link.expected.empty()) {
      ++counts_.answers_missed;
      Close(index);
      return;
    }
    link.expected.push_back(bus.heartbeat_answer);
  }
  ++counts_.heartbeats;
  Arm(index, TimerKind::kHeartbeat, now_.mono_ns + park_.collectors[link.collector].heartbeat_period_ms * kNsPerMs);
  Send(index, AsBytes(bus.heartbeat));
}

void Field::BreakLine(size_t index) {
  Link& link = links_[index];
  const LineFaults& faults = park_.collectors[link.collector].line_faults;
  ++counts_.line_faults;
  const linger reset = {.l_onoff = 1, .l_linger = 0};
  switch (faults.kinds[random_.Below(faults.kinds.size())]) {
    case LineFaults::Kind::kFin:
      return Close(index);
    case LineFaults::Kind::kRst:
      setsockopt(link.fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
      return Close(index);
    case LineFaults::Kind::kHalfOpen:
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, link.fd.get(), nullptr);
      forgotten_.push_back(std::move(link.fd));
      link.fd = UniqueFd();
      if (forgotten_.size() > kForgottenMax) forgotten_.pop_front();
      return Close(index);
    case LineFaults::Kind::kSlow:
      link.frozen = true;
      WatchSocket(index, WantedEvents(link), false);
      Arm(index, TimerKind::kThaw, now_.mono_ns + faults.pause_ms * kNsPerMs);
      const auto wait_ms = static_cast<int64_t>(faults.pause_ms + faults.every_ms * (0.5 + random_.Unit()));
      Arm(index, TimerKind::kFault, now_.mono_ns + wait_ms * kNsPerMs);
      return;
  }
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
  Bytes bytes = Bytes(received_).first(static_cast<size_t>(size));
  std::string unasked;
  if (const ParkCollector& collector = park_.collectors[link.collector]; !collector.key.empty()) {
    unasked = base::ToString(bytes);
    const std::string answer = TakeChallenge(collector, link.bus->config(), &unasked);
    if (!answer.empty()) Send(index, AsBytes(answer));
    bytes = AsBytes(unasked);
  }
  if (bytes.empty()) return;
  if (link.expected.empty() && !Shares(index)) return Hear(index, bytes);
  const std::string rest = WithoutAnswers(link, bytes);
  if (Shares(index)) {
    HearPackets(index, AsBytes(rest));
  } else if (!rest.empty()) {
    Hear(index, AsBytes(rest));
  }
}

void Field::Hear(size_t index, Bytes bytes) {
  out_.clear();
  links_[index].bus->Receive(bytes, now_, &out_);
  if (!out_.empty() && !links_[links_[index].carrier].mute) Send(index, AsBytes(out_));
  ArmSegments(index);
}

// What is left when the answers that are owed are taken out, wherever they stand. The beginning of one waits.
std::string Field::WithoutAnswers(Link& link, Bytes bytes) {
  std::string rest = std::exchange(link.inbox, std::string()) + base::ToString(bytes);
  while (!link.expected.empty()) {
    const std::string& answer = link.expected.front();
    if (const size_t at = rest.find(answer); at != std::string::npos) {
      rest.erase(at, answer.size());
      link.expected.pop_front();
      link.mute = false;
      ++counts_.answers;
      continue;
    }
    size_t tail = std::min(answer.size() - 1, rest.size());
    while (tail > 0 && rest.compare(rest.size() - tail, tail, answer, 0, tail) != 0) --tail;
    link.inbox = rest.substr(rest.size() - tail);
    rest.erase(rest.size() - tail);
    break;
  }
  return rest;
}

// Packets with a port before them, of the box's one connection.
void Field::HearPackets(size_t index, Bytes bytes) {
  Link& link = links_[index];
  const PortHeader kind = link.bus->config().ports;
  const std::string all = std::exchange(link.inbox, std::string()) + base::ToString(bytes);
  Bytes rest = AsBytes(all);
  while (!rest.empty() && links_[index].state == State::kConnected) {
    const size_t header = kind == PortHeader::kByte ? 1 : kPortAndLength;
    size_t size = 0;
    if (rest.size() > header) {
      size = kind == PortHeader::kByte ? RequestLength(rest.subspan(1)) : size_t{rest[1]} << 8 | rest[2];
    }
    if (size == 0 || rest.size() < header + size) {
      link.inbox = base::ToString(rest);
      return;
    }
    const std::vector<size_t>& sharing = collectors_[link.collector].links;
    const auto meant = std::find_if(sharing.begin(), sharing.end(),
                                    [&](size_t each) { return links_[each].bus->config().port == rest[0]; });
    if (meant != sharing.end()) {
      Hear(*meant, rest.subspan(header, size));
    } else {
      ++counts_.unknown_ports;
    }
    rest = rest.subspan(header + size);
  }
}

uint32_t Field::WantedEvents(const Link& link) const {
  return (link.frozen ? 0U : static_cast<uint32_t>(EPOLLIN)) |
         (link.unsent.empty() ? 0U : static_cast<uint32_t>(EPOLLOUT));
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
    if (!links_[link.carrier].mute) Send(index, AsBytes(segment_));
  }
  ArmSegments(index);
}

void Field::Send(size_t index, Bytes bytes) {
  index = links_[index].carrier;
  Link& link = links_[index];
  if (link.state != State::kConnected) return;
  counts_.bytes_out += bytes.size();
  size_t sent = 0;
  if (link.unsent.empty()) {
    const ssize_t size = send(link.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(index);
    sent = size < 0 ? 0 : static_cast<size_t>(size);
    if (sent == bytes.size()) return;
  }
  const Bytes rest = bytes.subspan(sent);
  link.unsent.append(reinterpret_cast<const char*>(rest.data()), rest.size());
  WatchSocket(index, WantedEvents(link), false);
  if (link.unsent.size() > kMaxUnsentBytes) Close(index);
}

void Field::Flush(size_t index) {
  Link& link = links_[index];
  const ssize_t size = send(link.fd.get(), link.unsent.data(), link.unsent.size(), MSG_NOSIGNAL);
  if (size < 0 && errno != EAGAIN && errno != EINTR) return Close(index);
  if (size > 0) link.unsent.erase(0, static_cast<size_t>(size));
  if (link.unsent.empty()) WatchSocket(index, WantedEvents(link), false);
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
      if (links_[link].carrier == link && links_[link].state != State::kIdle) Close(link);
    }
    return true;
  }
  return false;
}

}  // namespace voltwell::field_sim
