// What the admin port answers.
#include <sys/resource.h>

#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "tools/field_sim/admin.h"
#include "tools/field_sim/park_pattern.h"

namespace voltwell::field_sim {
namespace {

using nlohmann::json;

HttpReply Ok(const json& value) { return {200, value.dump()}; }
HttpReply Problem(int code, absl::string_view message) { return {code, json{{"error", std::string(message)}}.dump()}; }

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

}  // namespace

HttpReply AdminApi::Stats() const {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  const BusCounts buses = field_.BusTotals();
  const FieldCounts& counts = field_.counts();
  return Ok({{"connections", field_.connected()},
             {"links", field_.links()},
             {"connects", counts.connects},
             {"connect_failures", counts.connect_failures},
             {"disconnects", counts.disconnects},
             {"heartbeats", counts.heartbeats},
             {"answers", counts.answers},
             {"answers_missed", counts.answers_missed},
             {"line_faults", counts.line_faults},
             {"unknown_ports", counts.unknown_ports},
             {"bytes_in", counts.bytes_in},
             {"bytes_out", counts.bytes_out},
             {"requests", buses.requests},
             {"replies", buses.replies},
             {"unanswered", buses.unanswered},
             {"collisions", buses.collisions},
             {"bad_frames", field_.BadFrames()},
             {"cpu_user_s", Seconds(usage.ru_utime)},
             {"cpu_system_s", Seconds(usage.ru_stime)},
             {"cpu_s", Seconds(usage.ru_utime) + Seconds(usage.ru_stime)}});
}

// {address}, {address}/faults or {address}/registers.
HttpReply AdminApi::Meter(absl::string_view method, absl::string_view rest, absl::string_view body) {
  const bool faults = absl::ConsumeSuffix(&rest, "/faults");
  const bool registers = !faults && absl::ConsumeSuffix(&rest, "/registers");
  size_t link = 0;
  Device* device = field_.FindDevice(std::string(rest), &link);
  if (device == nullptr) return Problem(404, "no such meter");
  if (faults && method == "POST") {
    const json value = json::parse(body.begin(), body.end(), nullptr, /*allow_exceptions=*/false);
    const auto parsed = FaultsFromJson(value, "");
    if (!parsed.ok()) return Problem(400, parsed.status().message());
    device->SetFaults(*parsed);
  } else if (method != "GET") {
    return Problem(405, "GET /meters/{address}[/registers], GET or POST /meters/{address}/faults");
  }
  if (registers) return Ok(device->Registers(ReadClocks()));
  if (faults) return Ok(FaultsToJson(device->faults()));
  json truth = device->Truth(ReadClocks());
  truth["link"] = field_.LinkJson(link);
  return Ok(truth);
}

// {id}/drop or {id}/dark?seconds=N. An id may hold slashes, so the verb is taken from the end.
HttpReply AdminApi::Collector(absl::string_view method, absl::string_view rest, absl::string_view query) {
  if (method != "POST") return Problem(405, "POST /collectors/{id}/drop or /collectors/{id}/dark?seconds=N");
  double seconds = 0;
  const bool dark = absl::ConsumeSuffix(&rest, "/dark");
  if (dark && (!absl::ConsumePrefix(&query, "seconds=") || !absl::SimpleAtod(query, &seconds) || seconds < 0 ||
               seconds > 86'400)) {
    return Problem(400, "?seconds=N with N from 0 to 86400 is expected");
  }
  if (!dark && !absl::ConsumeSuffix(&rest, "/drop")) return Problem(404, "drop or dark is expected");
  if (!field_.Drop(std::string(rest), static_cast<int64_t>(seconds * 1000))) return Problem(404, "no such collector");
  return Ok(json::object());
}

HttpReply AdminApi::Handle(absl::string_view method, absl::string_view target, absl::string_view body) {
  const size_t mark = target.find('?');
  absl::string_view path = target.substr(0, mark);
  const absl::string_view query = mark == absl::string_view::npos ? absl::string_view() : target.substr(mark + 1);
  if (path == "/stats") return Stats();
  if (path == "/collectors" && method == "GET") return Ok(field_.CollectorsJson());
  if (absl::ConsumePrefix(&path, "/meters/")) return Meter(method, path, body);
  if (absl::ConsumePrefix(&path, "/collectors/")) return Collector(method, path, query);
  return Problem(
      404, "/stats, /collectors, /meters/{address}[/faults|/registers], /collectors/{id}/drop, /collectors/{id}/dark");
}

}  // namespace voltwell::field_sim
