// In order: how often, is there such a method, in which form, from where, who, may they, then on to the service.
#include "services/api_gateway/front_door.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/rpc/access.h"
#include "libs/rpc/door.h"
#include "services/api_gateway/cookies.h"
#include "services/api_gateway/forward.h"
#include "services/api_gateway/hooks.h"

namespace voltwell::front {
namespace {

constexpr char kCallPrefix[] = "/voltwell.";
constexpr char kOwnPackage[] = "front";

// Scripts, fonts and calls from our own origin only. Ant Design writes its styles into the page, hence unsafe-inline
// for them.
constexpr char kContentPolicy[] =
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; font-src 'self' data:; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";

Rate PerSecond(int rate) { return {static_cast<double>(rate), 2.0 * rate}; }
Rate PerMinute(int rate) { return {rate / 60.0, static_cast<double>(rate)}; }

}  // namespace

FrontDoor::FrontDoor(Parts parts)
    : parts_(std::move(parts)),
      house_{parts_.routes, parts_.clock, parts_.metrics, visitors_},
      files_(parts_.config.static_dir, {kCallPrefix, "/notify/", "/files/", "/healthz"}),
      by_address_(PerSecond(parts_.config.rate_per_address)),
      by_token_(PerSecond(parts_.config.rate_per_token)),
      logins_(PerMinute(parts_.config.logins_per_minute)),
      limited_(parts_.metrics.Counter("voltwell_front_rate_limited_total", "Calls refused by a rate limit.")),
      streams_(parts_.metrics) {}

void FrontDoor::Handle(http::Request request, std::shared_ptr<http::Responder> responder) {
  std::string client = AddressOf(request);
  const auto visit = std::make_shared<Visit>(house_, std::move(request), std::move(responder));
  visit->client_address = std::move(client);
  if (visit->request.path == "/healthz") {
    auto [status, body] = Health();
    http::Headers headers{status, {{"content-type", "application/json"}, {"cache-control", "no-store"}}};
    return visit->AnswerPlain(std::move(headers), std::move(body));
  }
  if (absl::StartsWith(visit->request.path, kCallPrefix)) return HandleCall(visit);
  HandlePage(visit);
}

std::string FrontDoor::AddressOf(const http::Request& request) const {
  std::string forwarded;
  const auto [first, last] = request.headers.equal_range("x-forwarded-for");
  for (auto it = first; it != last; ++it) absl::StrAppend(&forwarded, forwarded.empty() ? "" : ",", it->second);
  return ClientAddress(request.peer, forwarded, parts_.trusted_proxies);
}

std::pair<int, std::string> FrontDoor::Health() const {
  if (draining_) return {503, "{\"status\":\"draining\"}\n"};
  if (!parts_.upstreams.Reachable("registry")) return {503, "{\"status\":\"waiting\",\"missing\":[\"registry\"]}\n"};
  return {200, "{\"status\":\"serving\"}\n"};
}

void FrontDoor::HandlePage(const VisitPtr& visit) {
  if (!CheckRate(*visit).ok()) {
    http::Headers headers{429, {{"content-type", "text/plain; charset=utf-8"}}};
    for (const auto& field : visit->error_fields) headers.fields.push_back(field);
    return visit->AnswerPlain(std::move(headers), "too many requests\n");
  }
  auto answer = files_.Find(visit->request);
  if (!answer.has_value()) {
    http::Headers headers{404, {{"content-type", "text/plain; charset=utf-8"}}};
    return visit->AnswerPlain(std::move(headers), "not found\n");
  }
  auto& fields = answer->headers.fields;
  fields.emplace_back("content-security-policy", kContentPolicy);
  fields.emplace_back("referrer-policy", "same-origin");
  fields.emplace_back("cross-origin-opener-policy", "same-origin");
  if (parts_.config.secure_cookies) fields.emplace_back("strict-transport-security", "max-age=31536000");
  visit->AnswerPlain(std::move(answer->headers), std::move(answer->body));
}

// Pages, calls and paths that nobody knows count alike; what costs more than this comes after it.
absl::Status FrontDoor::CheckRate(Visit& visit) {
  const absl::Duration now = parts_.clock.Monotonic();
  const std::string address = AddressKey(visit.client_address);
  absl::Duration wait = by_address_.Take(address, now);
  if (!visit.token.empty()) wait = std::max(wait, by_token_.Take(visit.token, now));
  const Hook* hook = HookOf(visit.request.path);
  if (hook != nullptr && hook->strict_rate) wait = std::max(wait, logins_.Take(address, now));
  if (wait == absl::ZeroDuration()) return absl::OkStatus();
  limited_.Increment();
  const std::string seconds = absl::StrCat(absl::ToInt64Seconds(absl::Ceil(wait, absl::Seconds(1))));
  visit.error_fields.emplace_back("retry-after", seconds);
  return base::ResourceExhausted("RATE_LIMITED", absl::StrCat("too many calls; try again in ", seconds, " s"),
                                 {{"retry_after_seconds", seconds}});
}

void FrontDoor::HandleCall(const VisitPtr& visit) {
  const Route* route = parts_.routes.Find(visit->request.path);
  visit->route = route;
  std::optional<Refusal> refusal;
  // Tells also in which form a refusal of the rate goes out.
  if (route != nullptr) refusal = ParseConnectHead(visit->request, route->connect, visit->call);
  auto [token, by_cookie] = TokenOf(visit->request);
  const bool nobodys_token = token.size() > kTokenBytesMax;  // Not even remembered by the limit.
  if (!nobodys_token) visit->token = std::move(token);
  visit->by_cookie = by_cookie;
  if (const absl::Status rate = CheckRate(*visit); !rate.ok()) return visit->AnswerError({0, rate});
  if (route == nullptr) {
    return visit->AnswerError(
        {404, base::Error(absl::StatusCode::kUnimplemented, "METHOD_NOT_FOUND", "there is no such method")});
  }
  if (!refusal.has_value()) refusal = ParseConnectBody(visit->request, route->connect, visit->call);
  if (refusal.has_value()) {
    if (refusal->http == 405)
      visit->error_fields.emplace_back("allow", route->connect.get_allowed ? "GET, POST" : "POST");
    return visit->AnswerError(*refusal);
  }
  LetIn(visit, nobodys_token);
}

void FrontDoor::LetIn(const VisitPtr& visit, bool nobodys_token) {
  const Route* route = visit->route;
  const Hook* hook = HookOf(route->path);
  const bool own_pages_only = visit->by_cookie || (hook != nullptr && hook->own_pages_only);
  if (own_pages_only && !FromOurPages(visit->request, parts_.config.allowed_origins)) {
    return visit->AnswerError({0, base::PermissionDenied("CROSS_SITE", "pages of other sites may not call this")});
  }
  if (visit->token.empty() || (hook != nullptr && hook->strict_rate)) {
    if (!route->open_to_all && nobodys_token) {
      return visit->AnswerError({0, base::Unauthenticated("SESSION_ENDED", "no session has such a token; sign in")});
    }
    if (!route->open_to_all) {
      return visit->AnswerError({0, base::Unauthenticated("NOT_SIGNED_IN", "sign in, or send a bearer token")});
    }
    return Authenticated(visit, rpc::Identity{.caller_kind = "PUBLIC"});
  }
  // The token is copied: the visit may be over before the answer comes.
  const std::string asked = visit->token;
  parts_.sessions.Authenticate(
      asked, [this, visit](const absl::StatusOr<rpc::Identity>& identity) { Authenticated(visit, identity); });
}

void FrontDoor::Authenticated(const VisitPtr& visit, const absl::StatusOr<rpc::Identity>& identity) {
  if (identity.ok()) {
    visit->identity = *identity;
  } else if (visit->route->open_to_all) {
    visit->identity = {.caller_kind = "PUBLIC"};  // An old cookie must not keep anybody from what is open to all.
    visit->token.clear();
  } else {
    return visit->AnswerError({0, identity.status()});
  }
  visit->identity.issuer = parts_.issuer.issuer();
  const absl::Status allowed = rpc::CheckAccess(visit->route->rules, visit->identity);
  if (!allowed.ok()) return visit->AnswerError({0, allowed});
  Call(visit);
}

void FrontDoor::Call(const VisitPtr& visit) {
  const Route& route = *visit->route;
  const auto wire =
      parts_.routes.ToWire(*route.method->input_type(), visit->call.codec, std::move(visit->call.message));
  if (!wire.ok()) return visit->AnswerError({0, wire.status()});
  Upstream* upstream = parts_.upstreams.Find(route.package);
  if (upstream == nullptr && route.package != kOwnPackage) {
    return visit->AnswerError({0, base::Unavailable("SERVICE_DOWN", absl::StrCat("no target named ", route.package))});
  }
  if (route.connect.streaming) return OpenStream(visit, upstream, *wire);
  ForwardUnary(visit, *upstream, parts_.issuer, *wire, [this, visit](const grpc::Status& status, std::string answer) {
    if (!status.ok()) return visit->AnswerError(status);
    http::Headers headers;
    if (const Hook* hook = HookOf(visit->route->path)) {
      hook->succeeded(answer, parts_.clock.Now(), parts_.config.secure_cookies, headers);
      if (hook->ends_session) parts_.sessions.Forget(visit->token);
    }
    visit->AnswerMessage(std::move(answer), std::move(headers));
  });
}

void FrontDoor::OpenStream(const VisitPtr& visit, Upstream* upstream, const std::string& wire) {
  const auto opened = streams_.Open(visit);
  if (!opened.ok()) return visit->AnswerError({0, opened.status()});
  const std::shared_ptr<Stream>& stream = *opened;
  if (!visit->token.empty()) {
    const uint64_t watch = parts_.sessions.Watch(visit->token, visit->identity,
                                                 [weak = std::weak_ptr<Stream>(stream)](const absl::Status& why) {
                                                   if (const auto open = weak.lock())
                                                     open->End(rpc::ToGrpc(why, kDomain));
                                                 });
    streams_.SetLeft(*stream, [this, watch] { parts_.sessions.Unwatch(watch); });
  }
  if (upstream != nullptr) return ForwardStream(stream, *upstream, parts_.issuer, wire);
  voltwell::front::v1::WatchRequest request;
  request.ParseFromString(wire);  // Routes has made it of this very type.
  parts_.live.Watch(stream, request);
}

void FrontDoor::Tick() {
  parts_.sessions.Tick();
  parts_.live.Tick();
}

void FrontDoor::Drain() {
  draining_ = true;
  streams_.Drain();
}

}  // namespace voltwell::front
