#include "services/meter_scheduler/worker_links.h"

#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/status.h"
#include "libs/directory/directory.h"
#include "libs/log/log.h"
#include "services/meter_scheduler/store_claim.h"

namespace voltwell::scheduler {
namespace {

constexpr absl::Duration kBlock = absl::Seconds(1);  // Bounds how long a stop waits.
constexpr absl::Duration kAfterFailure = absl::Seconds(1);
constexpr absl::Duration kSettle = absl::Seconds(3);  // After Redis came back gateways restate their sessions.

constexpr pg::Query kHurry{
    "links.hurry",
    "UPDATE run_item i SET due_time = $3 FROM bus b, unnest($1::text[], $2::bigint[]) AS k (collector, bus) "
    "WHERE b.registration_id = k.collector AND b.bus = k.bus::int AND i.bus_no = b.number AND i.priority <= 2 AND "
    "i.lease = 0 "
    "AND i.reason = 'OFFLINE' AND i.due_time > $3"};
constexpr pg::Query kHurryAll{
    "links.hurry_all",
    "UPDATE run_item SET due_time = $1 WHERE priority <= 2 AND lease = 0 AND reason = 'OFFLINE' "
    "AND due_time > $1"};

// The buses that came online, and the id of the last entry.
std::set<BusName> OnlineIn(const redis::Reply& reply, std::string& last) {
  std::set<BusName> online;
  if (reply.items.empty() || reply.items[0].items.size() != 2) return online;
  for (const redis::Reply& entry : reply.items[0].items[1].items) {
    if (entry.items.size() != 2) continue;
    last = entry.items[0].text;
    BusName bus;
    bool came = false;
    const std::vector<redis::Reply>& fields = entry.items[1].items;
    for (size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text == directory::kFieldKind) came = fields[i + 1].text == directory::kKindOnline;
      if (fields[i].text == directory::kFieldCollector) bus.registration_id = fields[i + 1].text;
      if (fields[i].text == directory::kFieldBus && !absl::SimpleAtoi(fields[i + 1].text, &bus.bus)) came = false;
    }
    if (came) online.insert(bus);
  }
  return online;
}

}  // namespace

LinksWorker::LinksWorker(redis::Client& redis, pg::Pool& pool, os::Clock& clock, metrics::Registry& metrics)
    : redis_(redis),
      pool_(pool),
      clock_(clock),
      hurried_total_(metrics.Counter("voltwell_scheduler_links_total", "Buses that came online and were hurried for")),
      worker_("links", [this] { return Step(); }) {}

// Where the stream ends now: "$" would be the end at each call anew, and miss what came between two.
absl::Status LinksWorker::FindEnd() {
  VW_ASSIGN_OR_RETURN(const redis::Reply reply,
                      redis_.Call({"XREVRANGE", directory::kLinkStreamKey, "+", "-", "COUNT", "1"}));
  last_ = reply.items.empty() || reply.items[0].items.empty() ? "0-0" : reply.items[0].items[0].text;
  return absl::OkStatus();
}

absl::Duration LinksWorker::Step() {
  if (last_.empty() && !FindEnd().ok()) return kAfterFailure;
  const absl::StatusOr<redis::Reply> reply =
      redis_.CallBlocking({"XREAD", "BLOCK", absl::StrCat(absl::ToInt64Milliseconds(kBlock)), "COUNT",
                           absl::StrCat(kLinkFactsMax), "STREAMS", directory::kLinkStreamKey, last_},
                          kBlock);
  if (!reply.ok()) {
    was_away_ = true;
    return kAfterFailure;
  }
  if (was_away_) {
    // What came online meanwhile was told to nobody: everyone who waits may try.
    was_away_ = false;
    const absl::Status hurried = Hurry({});
    if (!hurried.ok()) log::Warning("waiting items were not hurried", {{"error", hurried.message()}});
  }
  const std::set<BusName> online = OnlineIn(*reply, last_);
  if (online.empty()) return absl::ZeroDuration();
  hurried_total_.Increment(static_cast<double>(online.size()));
  const absl::Status hurried = Hurry({online.begin(), online.end()});
  if (!hurried.ok()) log::Warning("waiting items were not hurried", {{"error", hurried.message()}});
  return absl::ZeroDuration();
}

absl::Status LinksWorker::Hurry(const std::vector<BusName>& buses) {
  std::vector<std::string> collectors;
  std::vector<int64_t> numbers;
  for (const BusName& bus : buses) {
    collectors.push_back(bus.registration_id);
    numbers.push_back(bus.bus);
  }
  return pool_.Transact({.name = "links.hurry"}, [&](pg::Tx& tx) -> absl::Status {
    const absl::StatusOr<pg::Result> rows = buses.empty() ? tx.Execute(kHurryAll, clock_.Now() + kSettle)
                                                          : tx.Execute(kHurry, collectors, numbers, clock_.Now());
    if (!rows.ok()) return rows.status();
    return rows->affected() > 0 ? tx.Notify(kWorkChannel) : absl::OkStatus();
  });
}

}  // namespace voltwell::scheduler
