// Leases, lines and sockets; see dialler.h.
#include "services/collector_gateway/core/dialler.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/log/log.h"

namespace voltwell::gateway {
namespace {

constexpr absl::Duration kIdleLook = absl::Milliseconds(200);
constexpr absl::Duration kBusyLook = absl::Milliseconds(10);

// KEYS lease; ARGV pod, milliseconds. 1: it is ours.
constexpr char kLeaseScript[] = R"lua(
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
)lua";
constexpr char kReleaseLeaseScript[] = R"lua(
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
return 1
)lua";

std::string LeaseKey(const std::string& collector) { return absl::StrCat("dial:{", collector, "}"); }

Address AddressOf(const sockaddr* address, socklen_t length) {
  sockaddr_storage storage = {};
  std::memcpy(&storage, address, std::min<size_t>(length, sizeof(storage)));
  return PeerOf(storage).address;
}

absl::StatusOr<std::vector<Address>> AskSystem(const std::string& host) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (error != 0) return absl::NotFoundError(gai_strerror(error));
  std::vector<Address> addresses;
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    addresses.push_back(AddressOf(each->ai_addr, each->ai_addrlen));
  }
  freeaddrinfo(found);
  return addresses;
}

// A socket on its way; -1 and errno.
int StartConnect(const Peer& peer) {
  const Network v4 = *ParseNetwork("0.0.0.0/0");
  const bool is_v4 = v4.Contains(peer.address);
  sockaddr_in v4_address = {};
  v4_address.sin_family = AF_INET;
  v4_address.sin_port = htons(peer.port);
  std::memcpy(&v4_address.sin_addr, peer.address.data() + 12, 4);
  sockaddr_in6 v6_address = {};
  v6_address.sin6_family = AF_INET6;
  v6_address.sin6_port = htons(peer.port);
  std::memcpy(&v6_address.sin6_addr, peer.address.data(), 16);
  const int fd = socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const auto* const address =
      is_v4 ? reinterpret_cast<const sockaddr*>(&v4_address) : reinterpret_cast<const sockaddr*>(&v6_address);
  if (connect(fd, address, is_v4 ? sizeof(v4_address) : sizeof(v6_address)) == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

absl::Status ReadNetworks(const std::vector<std::string>& texts, const char* option, std::vector<Network>& networks) {
  for (const std::string& text : texts) {
    const std::optional<Network> network = text.empty() ? std::nullopt : ParseNetwork(text);
    if (!network.has_value()) {
      return base::InvalidArgument("BAD_NETWORK", absl::StrCat(option, " takes networks such as 10.0.0.0/8"),
                                   {{"network", text}});
    }
    networks.push_back(*network);
  }
  return absl::OkStatus();
}

}  // namespace

Dialler::Dialler(DiallerConfig config, redis::Client& redis, const Routes& routes, os::Clock& clock, os::Random& random,
                 GatewayMetrics& metrics, Resolve resolve)
    : config_(std::move(config)),
      redis_(redis),
      routes_(routes),
      clock_(clock),
      random_(random),
      metrics_(metrics),
      resolve_(resolve ? std::move(resolve) : Resolve(AskSystem)) {}

Dialler::~Dialler() {
  Stop();
  for (auto& [key, line] : lines_) Forget(line);
}

absl::Status Dialler::Prepare(Adopt adopt, HangUp hang_up) {
  VW_RETURN_IF_ERROR(ReadNetworks(config_.networks, "dial-networks", rules_.allowed));
  VW_RETURN_IF_ERROR(ReadNetworks(config_.refused, "dial-refused-networks", rules_.refused));
  rules_.loopback = config_.loopback;
  adopt_ = std::move(adopt);
  hang_up_ = std::move(hang_up);
  return absl::OkStatus();
}

absl::Status Dialler::Start(Adopt adopt, HangUp hang_up) {
  VW_RETURN_IF_ERROR(Prepare(std::move(adopt), std::move(hang_up)));
  if (rules_.allowed.empty()) return absl::OkStatus();  // No thread for what will never be done.
  resolver_ = std::make_unique<os::Worker>("resolver", [this] { return ResolveOne(); });
  worker_ = std::make_unique<os::Worker>("dialler", [this] { return Step(); });
  return absl::OkStatus();
}

void Dialler::Stop() {
  worker_.reset();
  resolver_.reset();
}

void Dialler::Release() {
  std::vector<redis::Command> commands;
  for (auto& [collector, lease] : leases_) {
    if (lease.held) commands.push_back({"EVAL", kReleaseLeaseScript, "1", LeaseKey(collector), config_.pod});
  }
  leases_.clear();
  if (!commands.empty()) (void)redis_.Pipeline(commands);  // Else they end by themselves.
}

void Dialler::UseDirectory(std::shared_ptr<const DirectoryCopy> directory) {
  const std::lock_guard lock(mutex_);
  directory_ = std::move(directory);
}

absl::Duration Dialler::Step() {
  TakeDirectory();
  const Instant now = clock_.Monotonic();
  RenewLeases(now);
  TakeResolved(now);
  // What is under way is looked at each round, the many that rest only now and then.
  const bool all = now >= next_look_;
  if (all) next_look_ = now + kIdleLook;
  bool busy = false;
  dialling_ = Dialling();
  for (auto& [key, line] : lines_) {
    const bool rests = line.state == State::kUp || (line.state == State::kIdle && now < line.retry_at);
    if (rests && !all) continue;
    Look(key, line, now);
    busy = busy || (line.state != State::kIdle && line.state != State::kUp);
  }
  return busy ? kBusyLook : kIdleLook;
}

void Dialler::TakeDirectory() {
  std::shared_ptr<const DirectoryCopy> directory;
  {
    const std::lock_guard lock(mutex_);
    directory.swap(directory_);
  }
  if (directory == nullptr) return;
  std::map<Key, BusEntryPtr> wanted;
  std::map<std::string, bool> shared;
  for (const BusEntryPtr& entry : directory->Dialled()) {
    // All ports of a collector share one connection: one of its buses stands for it.
    if (entry->port >= 0 && !shared.try_emplace(entry->collector, true).second) continue;
    wanted[{entry->collector, entry->bus}] = entry;
  }
  for (auto line = lines_.begin(); line != lines_.end();) {
    const auto found = wanted.find(line->first);
    const bool gone = found == wanted.end() || found->second->dial_target != line->second.entry->dial_target;
    if (gone) Forget(line->second);
    if (!gone) line->second.entry = found->second;
    line = gone ? lines_.erase(line) : std::next(line);
  }
  std::map<std::string, Lease> leases;
  for (const auto& [key, entry] : wanted) {
    if (lines_.size() >= kDialledMax && lines_.count(key) == 0) {
      log::Error("more lines to dial than a gateway dials; the rest is not dialled",
                 {{"limit", static_cast<uint64_t>(kDialledMax)}});
      break;
    }
    Line& line = lines_[key];
    if (line.entry == nullptr) line.entry = entry;
    const auto known = leases_.find(key.first);
    if (known == leases_.end()) next_lease_ = -absl::InfiniteDuration();  // Asked for at once.
    if (known != leases_.end()) leases[key.first] = known->second;
    leases.try_emplace(key.first);
  }
  leases_ = std::move(leases);
}

// A lease counts from before it was asked for: an answer that took long has used it up.
void Dialler::RenewLeases(Instant now) {
  if (now >= next_lease_) {
    next_lease_ = now + kDialLeaseEvery;
    std::vector<std::map<std::string, Lease>::iterator> asked;
    std::vector<redis::Command> commands;
    const auto ask = [&] {
      if (commands.empty()) return;
      const Instant before = clock_.Monotonic();
      const auto replies = redis_.Pipeline(commands);
      for (size_t i = 0; replies.ok() && i < asked.size(); ++i) {
        const redis::Reply& reply = (*replies)[i];
        if (reply.kind == redis::Reply::Kind::kError) continue;
        const bool ours = reply.integer == 1;
        if (!ours && asked[i]->second.held) Lose(asked[i]->first, asked[i]->second, "another gateway dials");
        asked[i]->second.held = ours;
        if (ours) asked[i]->second.until = before + kDialLeaseTtl - kDialLeaseMargin;
      }
      asked.clear();
      commands.clear();
    };
    for (auto lease = leases_.begin(); lease != leases_.end(); ++lease) {
      asked.push_back(lease);
      commands.push_back({"EVAL", kLeaseScript, "1", LeaseKey(lease->first), config_.pod,
                          absl::StrCat(absl::ToInt64Milliseconds(kDialLeaseTtl))});
      if (commands.size() >= kDialLeaseBatch) ask();
    }
    ask();
  }
  size_t held = 0;
  for (auto& [collector, lease] : leases_) {
    if (lease.held && clock_.Monotonic() >= lease.until) Lose(collector, lease, "dial lease lost");
    held += lease.held ? 1 : 0;
  }
  metrics_.dial_leases.Set(static_cast<double>(held));
}

void Dialler::Lose(const std::string& collector, Lease& lease, const char* reason) {
  lease.held = false;
  metrics_.dial_leases_lost.Increment();
  log::Warning("a collector that we dialled is another gateway's now", {{"collector", collector}, {"reason", reason}});
  for (auto line = lines_.lower_bound({collector, 0}); line != lines_.end() && line->first.first == collector; ++line) {
    Forget(line->second);
  }
  hang_up_(collector, reason);
}

void Dialler::Forget(Line& line) {
  if (line.fd >= 0) close(line.fd);
  line.fd = -1;
  line.state = State::kIdle;
}

bool Dialler::Holds(const std::string& collector, Instant now) const {
  const auto lease = leases_.find(collector);
  return lease != leases_.end() && lease->second.held && now < lease->second.until;
}

size_t Dialler::Dialling() const {
  return static_cast<size_t>(std::count_if(lines_.begin(), lines_.end(), [](const auto& each) {
    return each.second.state == State::kResolving || each.second.state == State::kConnecting;
  }));
}

void Dialler::Look(const Key& key, Line& line, Instant now) {
  const bool routed = routes_.Find({key.first, key.second}).has_value();
  switch (line.state) {
    case State::kIdle:
      if (routed || now < line.retry_at || !Holds(key.first, now) || dialling_ >= kDiallingMax) return;
      ++dialling_;
      Begin(key, line, now);
      return;
    case State::kResolving:
      return;
    case State::kConnecting:
      LookAtSocket(line, now);
      return;
    case State::kHanded:
      if (routed) {
        line.state = State::kUp;
        line.since = now;
        line.reason.clear();
      } else if (now >= line.since + kDialAdoptMax) {
        Fail(line, now, "the line went at once");
      }
      return;
    case State::kUp:
      if (routed) return;
      if (now >= line.since + kDialHeld) line.failures = 0;
      line.state = State::kIdle;
      line.retry_at = now + DialBackoff(++line.failures, os::Fraction(random_));
      return;
  }
}

void Dialler::Begin(const Key& key, Line& line, Instant now) {
  const DialTarget target = DialTargetOf(*line.entry);
  if (target.port == 0) {
    Fail(line, now, "a target that cannot be read");
    return;
  }
  metrics_.dials.Increment();
  line.state = State::kResolving;
  line.since = now;
  line.peer.port = static_cast<uint16_t>(target.port);
  // An address needs no resolver, which others may have to wait for.
  if (const std::optional<Network> address = ParseNetwork(target.host);
      address.has_value() && target.host.find('/') == std::string::npos) {
    Connect(line, {address->address}, now);
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back({key, {target.host, line.entry->dial_target}});
  }
  if (resolver_ != nullptr) {
    resolver_->Wake();
  } else {
    ResolveOne();  // Stepped by hand.
  }
}

absl::Duration Dialler::ResolveOne() {
  std::pair<Key, std::pair<std::string, std::string>> question;
  {
    const std::lock_guard lock(mutex_);
    if (questions_.empty()) return absl::Seconds(1);
    question = std::move(questions_.front());
    questions_.pop_front();
  }
  Resolved resolved{question.first, question.second.second, resolve_(question.second.first)};
  const std::lock_guard lock(mutex_);
  answers_.push_back(std::move(resolved));
  return absl::ZeroDuration();
}

void Dialler::TakeResolved(Instant now) {
  std::deque<Resolved> answers;
  {
    const std::lock_guard lock(mutex_);
    answers.swap(answers_);
  }
  for (Resolved& answer : answers) {
    const auto found = lines_.find(answer.key);
    if (found == lines_.end() || found->second.state != State::kResolving ||
        found->second.entry->dial_target != answer.target) {
      continue;  // The directory or the lease changed meanwhile.
    }
    if (answer.addresses.ok()) {
      Connect(found->second, *answer.addresses, now);
    } else {
      Fail(found->second, now, absl::StrCat("no such name: ", std::string(answer.addresses.status().message())));
    }
  }
}

// The first address that may be dialled, and that one only: a name that is asked again may answer something else.
void Dialler::Connect(Line& line, const std::vector<Address>& addresses, Instant now) {
  absl::string_view why = "no address";
  for (const Address& address : addresses) {
    why = WhyNotDial(address, rules_);
    if (!why.empty()) continue;
    line.peer.address = address;
    line.fd = StartConnect(line.peer);
    if (line.fd < 0) {
      Fail(line, now, std::strerror(errno));
      return;
    }
    line.state = State::kConnecting;
    line.since = now;
    return;
  }
  metrics_.dials_refused.Increment();
  Fail(line, now, absl::StrCat("must not be dialled: ", why));
}

void Dialler::LookAtSocket(Line& line, Instant now) {
  pollfd ready = {.fd = line.fd, .events = POLLOUT, .revents = 0};
  if (poll(&ready, 1, 0) <= 0) {
    if (now >= line.since + kDialTimeout) Fail(line, now, "no answer");
    return;
  }
  int error = 0;
  socklen_t size = sizeof(error);
  getsockopt(line.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) {
    Fail(line, now, std::strerror(error));
    return;
  }
  line.state = State::kHanded;
  line.since = now;
  adopt_(std::exchange(line.fd, -1), line.peer, line.entry);
}

void Dialler::Fail(Line& line, Instant now, const std::string& reason) {
  Forget(line);
  metrics_.dials_failed.Increment();
  line.retry_at = now + DialBackoff(++line.failures, os::Fraction(random_));
  if (reason == line.reason) return;  // Told once.
  line.reason = reason;
  Tell(line, reason);
}

// For operators: the log, and the collector's history by way of the link stream.
void Dialler::Tell(const Line& line, const std::string& reason) {
  const BusEntry& entry = *line.entry;
  log::Warning("a collector cannot be dialled",
               {{"collector", entry.collector}, {"bus", entry.bus}, {"target", entry.dial_target}, {"reason", reason}});
  const auto told = redis_.Call({"XADD",
                                 directory::kLinkStreamKey,
                                 "MAXLEN",
                                 "~",
                                 absl::StrCat(directory::kLinksMax),
                                 "*",
                                 directory::kFieldKind,
                                 directory::kKindOffline,
                                 directory::kFieldRegistrationId,
                                 entry.registration_id,
                                 directory::kFieldCollector,
                                 entry.collector,
                                 directory::kFieldBus,
                                 absl::StrCat(entry.bus),
                                 directory::kFieldPod,
                                 config_.pod,
                                 directory::kFieldPeer,
                                 entry.dial_target,
                                 directory::kFieldReason,
                                 absl::StrCat("not dialled: ", reason),
                                 directory::kFieldTimeMs,
                                 absl::StrCat(absl::ToUnixMillis(clock_.Now())),
                                 directory::kFieldEpoch,
                                 ""});
  if (!told.ok()) log::Debug("Redis was not told", {{"error", told.status().ToString()}});
}

}  // namespace voltwell::gateway
