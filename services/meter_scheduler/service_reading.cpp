#include "services/meter_scheduler/service_reading.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "libs/base/status.h"
#include "services/meter_scheduler/names.h"

namespace voltwell::scheduler {
namespace {

namespace v1 = voltwell::scheduler::v1;

constexpr absl::Duration kClockSlack =
    absl::Hours(24 * 32);  // "Now" as an end includes stamps of meters that run ahead.

absl::Status BadToken() { return base::InvalidArgument("BAD_PAGE_TOKEN", "page_token is not one that was given"); }

absl::StatusOr<std::optional<ReadingPlace>> PlaceOf(const std::string& token) {
  if (token.empty()) return std::nullopt;
  const std::vector<std::string> parts = absl::StrSplit(token, '.');
  ReadingPlace place;
  if (parts.size() != 3 || !absl::SimpleAtoi(parts[0], &place.time_us) ||
      !absl::SimpleAtoi(parts[1], &place.register_no) || !absl::SimpleAtoi(parts[2], &place.origin)) {
    return BadToken();
  }
  return place;
}

}  // namespace

grpc::Status ReadingService::ListReadings(grpc::ServerContext* context, const v1::ListReadingsRequest* request,
                                          v1::ListReadingsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    HistoryQuery query;
    VW_ASSIGN_OR_RETURN(query.limit, PageSize(request->page_size()));
    VW_ASSIGN_OR_RETURN(query.meter, IdOf("meters", request->meter(), "meter"));
    VW_ASSIGN_OR_RETURN(query.after, PlaceOf(request->page_token()));
    VW_ASSIGN_OR_RETURN(const MeterRow meter, finder_.Require(call, query.meter));
    query.meter_no = meter.number;
    if (request->has_start_time()) query.from = FromProto(request->start_time());
    query.before = request->has_end_time() ? FromProto(request->end_time()) : clock_.Now() + kClockSlack;
    if (!request->registers().empty()) {
      VW_ASSIGN_OR_RETURN(query.registers,
                          registers_.NumbersOf({request->registers().begin(), request->registers().end()}));
      if (query.registers.empty()) return absl::OkStatus();  // No meter ever showed any of them.
    }
    const pg::TxOptions options = {
        .name = "reading.list", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      VW_ASSIGN_OR_RETURN(ReadingPage page, readings_.History(tx, query));
      for (v1::Reading& reading : page.readings) *response->add_readings() = std::move(reading);
      if (page.next.has_value()) {
        response->set_next_page_token(
            absl::StrCat(page.next->time_us, ".", page.next->register_no, ".", page.next->origin));
      }
      return absl::OkStatus();
    });
  });
}

grpc::Status ReadingService::GetLatestReadings(grpc::ServerContext* context,
                                               const v1::GetLatestReadingsRequest* request,
                                               v1::GetLatestReadingsResponse* response) {
  return door_.Handle(context, *request, *response, [&](const rpc::Call& call) -> absl::Status {
    VW_RETURN_IF_ERROR(CheckTenant(call.identity));
    VW_ASSIGN_OR_RETURN(const int limit, PageSize(request->page_size(), kLatestMetersMax));
    if (request->meters_size() > kLatestMetersMax) {
      return base::InvalidArgument("TOO_MANY_METERS", "at most 1000 meters",
                                   {{"limit", absl::StrCat(kLatestMetersMax)}});
    }
    std::vector<std::string> ids;
    for (const std::string& name : request->meters()) {
      VW_ASSIGN_OR_RETURN(ids.emplace_back(), IdOf("meters", name, "meters"));
    }
    int64_t after = 0;
    if (!request->page_token().empty() && !absl::SimpleAtoi(request->page_token(), &after)) return BadToken();
    std::vector<int64_t> registers;
    if (!request->registers().empty()) {
      VW_ASSIGN_OR_RETURN(registers, registers_.NumbersOf({request->registers().begin(), request->registers().end()}));
      if (registers.empty()) return absl::OkStatus();
    }
    const pg::TxOptions options = {
        .name = "reading.latest", .tenant = call.identity.tenant, .deadline = call.deadline, .read_only = true};
    return pool_.Transact(options, [&](pg::Tx& tx) -> absl::Status {
      response->Clear();
      const std::vector<std::string>& scope = call.identity.site_scope;
      absl::StatusOr<std::vector<LatestMeter>> meters =
          ids.empty() ? ReadingStore::Meters(tx, call.identity.tenant, scope, after, limit + 1)
                      : ReadingStore::MetersNamed(tx, call.identity.tenant, scope, ids);
      if (!meters.ok()) return meters.status();
      if (ids.empty() && meters->size() > static_cast<size_t>(limit)) {
        meters->pop_back();
        response->set_next_page_token(absl::StrCat(meters->back().number));
      }
      VW_ASSIGN_OR_RETURN(std::vector<v1::Reading> readings, readings_.Latest(tx, *meters, registers));
      for (v1::Reading& reading : readings) *response->add_readings() = std::move(reading);
      return absl::OkStatus();
    });
  });
}

}  // namespace voltwell::scheduler
