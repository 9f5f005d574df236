// Shards behind one door; see hub.h.
#include "services/collector_gateway/core/hub.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "libs/base/status.h"
#include "libs/log/log.h"

namespace voltwell::gateway {
namespace {

constexpr int kBacklog =
    4096;  // A restart brings all collectors back at once; the kernel caps it at net.core.somaxconn.

// As many sockets as the kernel allows us without asking.
void RaiseFileLimit() {
  rlimit limit = {};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

absl::Status PortTaken(const HubConfig& config, int port, absl::string_view step) {
  return base::Unavailable("PORT_TAKEN", "cannot listen for collectors",
                           {{"address", absl::StrCat(config.listen, ":", port)},
                            {"step", std::string(step)},
                            {"error", std::strerror(errno)}});
}

int PortOf(int fd) {
  sockaddr_storage bound = {};
  socklen_t length = sizeof(bound);
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &length);
  return PeerOf(bound).port;
}

// Sessions that are asked of several shards and answered together.
struct Gathering {
  std::vector<SessionFacts> facts;
  std::vector<char> alive;  // One writer for each element: its shard.
  std::atomic<size_t> shards_left;
  Hub::FactsAnswer answer;
};

}  // namespace

Hub::Hub(HubConfig config, os::Clock& clock, os::Random& random, Routes& routes, LinkBook& links,
         GatewayMetrics& metrics)
    : config_(std::move(config)),
      clock_(clock),
      routes_(routes),
      links_(links),
      metrics_(metrics),
      gate_(config_.admission) {
  for (int i = 0; i < config_.shards; ++i) {
    shards_.push_back(std::make_unique<Shard>(
        static_cast<uint32_t>(i),
        ShardContext{clock, random, routes, links, metrics, traces_,
                     static_cast<size_t>(config_.sessions_max / config_.shards), config_.unregistered_max, gate_,
                     trusted_proxies_, [this](SessionId id, const char* reason) { Close(id, reason); },
                     [this](SessionId holder, SessionId newcomer) {
                       Shard* const shard = &ShardFor(holder);
                       shard->Post([shard, holder, newcomer] { shard->Probe(holder, newcomer); });
                     },
                     [this](SessionId newcomer, Holder holder) {
                       Shard* const shard = &ShardFor(newcomer);
                       shard->Post([shard, newcomer, holder] { shard->OnVerdict(newcomer, holder); });
                     },
                     [this](int fd, Peer peer, bool tls) { Deal(fd, peer, tls); }, tls_,
                     config_.registration_timeout}));
  }
}

Hub::~Hub() { Stop(); }

absl::Status Hub::ReadTrustedProxies() {
  for (const std::string& text : config_.trusted_proxies) {
    const std::optional<Network> network = text.empty() ? std::nullopt : ParseNetwork(text);
    if (!network.has_value()) {
      return base::InvalidArgument("BAD_NETWORK", "trusted-proxies takes networks such as 10.0.0.0/8",
                                   {{"network", text}});
    }
    trusted_proxies_.push_back(*network);
  }
  return absl::OkStatus();
}

absl::StatusOr<int> Hub::ListenOn(int port) {
  const bool v6 = config_.listen.find(':') != std::string::npos;
  sockaddr_in v4_address = {};
  v4_address.sin_family = AF_INET;
  v4_address.sin_port = htons(static_cast<uint16_t>(port));
  sockaddr_in6 v6_address = {};
  v6_address.sin6_family = AF_INET6;
  v6_address.sin6_port = v4_address.sin_port;
  const int known = v6 ? inet_pton(AF_INET6, config_.listen.c_str(), &v6_address.sin6_addr)
                       : inet_pton(AF_INET, config_.listen.c_str(), &v4_address.sin_addr);
  if (known != 1) return PortTaken(config_, port, "address");
  const int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return PortTaken(config_, port, "socket");
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
  const auto* const address =
      v6 ? reinterpret_cast<const sockaddr*>(&v6_address) : reinterpret_cast<const sockaddr*>(&v4_address);
  if (bind(fd, address, v6 ? sizeof(v6_address) : sizeof(v4_address)) != 0 || listen(fd, kBacklog) != 0) {
    absl::Status status = PortTaken(config_, port, "bind");
    close(fd);
    return status;
  }
  return fd;
}

absl::Status Hub::Start() {
  VW_RETURN_IF_ERROR(ReadTrustedProxies());
  RaiseFileLimit();
  const bool with_tls = !config_.tls.certificate_file.empty();
  if (with_tls) {
    VW_ASSIGN_OR_RETURN(tls_, TlsContext::Make(config_.tls));
  }
  VW_ASSIGN_OR_RETURN(const int plain, ListenOn(config_.port));
  int secured = -1;
  if (with_tls) {
    const absl::StatusOr<int> listening = ListenOn(config_.tls_port);
    if (!listening.ok()) {
      close(plain);
      return listening.status();
    }
    secured = *listening;
  }
  port_ = PortOf(plain);
  tls_port_ = with_tls ? PortOf(secured) : 0;
  for (const auto& shard : shards_) shard->Start();
  shards_[0]->Post([shard = shards_[0].get(), plain, secured] {
    shard->Listen(plain, false);
    if (secured >= 0) shard->Listen(secured, true);
  });
  log::Info("listening for collectors", {{"port", port_}, {"tls_port", tls_port_}, {"shards", config_.shards}});
  return absl::OkStatus();
}

void Hub::Stop() {
  for (const auto& shard : shards_) shard->Stop();
}

void Hub::Drain(absl::Duration limit) {
  for (const auto& shard : shards_) {
    shard->Post([shard = shard.get()] { shard->Drain(); });
  }
  constexpr absl::Duration kLook = absl::Milliseconds(20);
  const Instant end = clock_.Monotonic() + limit;
  while (AnyOpen() && clock_.Monotonic() < end) absl::SleepFor(kLook);
}

bool Hub::CloseAll() {
  for (const auto& shard : shards_) {
    shard->Post([shard = shard.get()] { shard->CloseAll("gateway drained"); });
  }
  constexpr absl::Duration kLook = absl::Milliseconds(2);
  for (absl::Duration waited; AnyOpen() && waited < kCloseAllMax; waited += kLook) absl::SleepFor(kLook);
  return !AnyOpen();
}

bool Hub::AnyOpen() const {
  return std::any_of(shards_.begin(), shards_.end(), [](const auto& shard) { return shard->open() > 0; });
}

void Hub::Deal(int fd, Peer peer, bool tls) {
  Shard* const shard = shards_[next_shard_++ % shards_.size()].get();
  if (shard == shards_[0].get()) {
    shard->Adopt(fd, peer, tls);  // We are on its thread: it listens.
  } else {
    shard->Post([shard, fd, peer, tls] { shard->Adopt(fd, peer, tls); });
  }
}

void Hub::AdoptDialled(int fd, const Peer& peer, const BusEntryPtr& entry) {
  Shard* const shard = shards_[absl::HashOf(entry->collector, entry->bus) % shards_.size()].get();
  shard->Post([shard, fd, peer, entry] { shard->AdoptDialled(fd, peer, entry); });
}

void Hub::Submit(std::vector<AddressedItem>&& items, const std::shared_ptr<ResultSink>& sink) {
  std::vector<std::vector<RoutedItem>> by_shard(shards_.size());
  std::vector<Result> refused;
  std::vector<LinkBook::Sought> sought;
  std::vector<Result> seeking;  // Results of `sought`, in its order.
  routes_.FindAll(
      items.size(),
      [&](size_t i) {
        return BusKey{items[i].collector, items[i].bus};
      },
      [&](size_t i, const Route* route) {
        AddressedItem& addressed = items[i];
        if (route != nullptr && route->entry->tenant == addressed.tenant) {
          by_shard[ShardOf(route->session)].push_back({route->session, std::move(addressed.item)});
          return;
        }
        Result result;
        result.id = addressed.item.id;
        result.priority = addressed.item.priority;
        if (route != nullptr) {
          refused.push_back(std::move(result));  // Another tenant's collector is as good as not there.
        } else {
          seeking.push_back(std::move(result));
          sought.push_back({std::string(addressed.collector), addressed.bus});
        }
      });
  for (size_t i = 0; i < by_shard.size(); ++i) {
    if (by_shard[i].empty()) continue;
    Shard* const shard = shards_[i].get();
    shard->Post([shard, routed = std::move(by_shard[i]), sink]() mutable { shard->Submit(std::move(routed), sink); });
  }
  if (!refused.empty()) {
    metrics_.Exchanges(Outcome::kOffline).Increment(static_cast<double>(refused.size()));
    sink->Deliver(std::move(refused));
  }
  if (seeking.empty()) return;
  links_.WhoHolds(std::move(sought), [this, sink, results = std::move(seeking)](std::vector<std::string> pods) mutable {
    for (size_t i = 0; i < results.size(); ++i) {
      if (i < pods.size() && !pods[i].empty()) {
        results[i].outcome = Outcome::kMoved;
        results[i].moved_to = std::move(pods[i]);
      }
      metrics_.Exchanges(results[i].outcome).Increment();
    }
    sink->Deliver(std::move(results));
  });
}

void Hub::Drop(const std::shared_ptr<ResultSink>& sink) {
  // A message to each shard, and one look at each of its sessions: calls are broken off seldom.
  for (const auto& shard : shards_) {
    shard->Post([shard = shard.get(), sink] { shard->Drop(sink); });
  }
}

void Hub::UseDirectory(const std::shared_ptr<const DirectoryCopy>& directory, bool usable) {
  for (const auto& shard : shards_) {
    shard->Post([shard = shard.get(), directory, usable] { shard->UseDirectory(directory, usable); });
  }
}

void Hub::Close(SessionId id, const char* reason) {
  Shard* const shard = &ShardFor(id);
  shard->Post([shard, id, reason] { shard->Close(id, reason); });
}

int Hub::CloseCollector(absl::string_view collector, const char* reason) {
  int closed = 0;
  for (const Route& route : routes_.All()) {
    if (route.entry->collector != collector) continue;
    Close(route.session, reason);
    ++closed;
  }
  return closed;
}

void Hub::Describe(std::vector<Route> routes, FactsAnswer answer) {
  const auto gathering = std::make_shared<Gathering>();
  gathering->facts.resize(routes.size());
  gathering->alive.resize(routes.size());
  gathering->shards_left = shards_.size();
  gathering->answer = std::move(answer);
  for (size_t i = 0; i < routes.size(); ++i) gathering->facts[i].route = std::move(routes[i]);
  for (const auto& shard : shards_) {
    shard->Post([shard = shard.get(), gathering, number = static_cast<uint32_t>(&shard - shards_.data())] {
      for (size_t i = 0; i < gathering->facts.size(); ++i) {
        SessionFacts& facts = gathering->facts[i];
        if (ShardOf(facts.route.session) == number) gathering->alive[i] = shard->Describe(facts) ? 1 : 0;
      }
      if (gathering->shards_left.fetch_sub(1) != 1) return;
      std::vector<SessionFacts> all;
      for (size_t i = 0; i < gathering->facts.size(); ++i) {
        if (gathering->alive[i] != 0) all.push_back(std::move(gathering->facts[i]));
      }
      gathering->answer(std::move(all));
    });
  }
}

void Hub::Examine(Route route, ReportAnswer answer) {
  Shard* const shard = &ShardFor(route.session);
  auto report = std::make_unique<BusReport>();
  report->session.route = std::move(route);
  shard->Post([shard, report = std::move(report), answer = std::move(answer)]() mutable {
    if (!shard->Examine(*report)) report.reset();
    answer(std::move(report));
  });
}

void Hub::Nudge() {
  for (const auto& shard : shards_) shard->Post([] {});
}

}  // namespace voltwell::gateway
