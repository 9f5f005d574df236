#include "services/registry/store_uptime.h"

#include "libs/base/status.h"

namespace voltwell::registry::store {
namespace {

// first: how each bus stood when the period began, by the fact before it; without one by the first fact in it (what
// ends was there); without any by what is known now. changed: facts that change something. One "online" after another
// is a drop when it comes by another connection; by the same it is a gateway that states its sessions anew. spans: each
// lasts until the next.
constexpr pg::Query kUptimes{
    "uptime.list",
    "WITH bus AS ("
    "  SELECT c.id, b.number, least(greatest(c.created_at, $2), $3) AS since FROM collector c "
    "  JOIN collector_bus b ON b.collector = c.id WHERE c.id = ANY ($1) AND c.archived_at IS NULL), "
    "facts AS MATERIALIZED ("
    "  SELECT bus.id, bus.number, f.time, f.stream_id, f.kind = 'online' AS online, f.pod || ' ' || f.peer AS link "
    "  FROM bus JOIN collector_link f ON f.collector = bus.id AND f.bus = bus.number "
    "  AND f.time > bus.since AND f.time < $3), "
    "next AS ("
    "  SELECT DISTINCT ON (id, number) id, number, online FROM facts ORDER BY id, number, time, stream_id), "
    "first AS ("
    "  SELECT bus.id, bus.number, bus.since AS time, '' AS stream_id, coalesce(before.kind = 'online', "
    "    NOT next.online, p.online AND p.since <= bus.since, false) AS online, "
    "    coalesce(before.pod || ' ' || before.peer, '') AS link FROM bus "
    "  LEFT JOIN LATERAL (SELECT kind, pod, peer FROM collector_link l WHERE l.collector = bus.id AND l.bus = "
    "bus.number "
    "    AND l.time <= bus.since ORDER BY l.time DESC, l.stream_id DESC LIMIT 1) before ON true "
    "  LEFT JOIN next USING (id, number) "
    "  LEFT JOIN collector_presence p ON p.collector = bus.id AND p.bus = bus.number), "
    "told AS (SELECT *, lag(online) OVER w AS was, lag(link) OVER w AS was_link "
    "  FROM (SELECT * FROM first UNION ALL SELECT * FROM facts) AS a "
    "  WINDOW w AS (PARTITION BY id, number ORDER BY time, stream_id)), "
    "changed AS (SELECT * FROM told WHERE was IS NULL OR online <> was OR online AND link <> was_link), "
    "spans AS (SELECT *, coalesce(lead(time) OVER (PARTITION BY id, number ORDER BY time, stream_id), $3) - time "
    "  AS lasted FROM changed) "
    "SELECT id, (extract(epoch FROM sum(lasted)) * 1000000)::bigint, "
    "  (extract(epoch FROM coalesce(sum(lasted) FILTER (WHERE online), '0')) * 1000000)::bigint, "
    "  count(*) FILTER (WHERE was), "
    "  (extract(epoch FROM coalesce(max(lasted) FILTER (WHERE NOT online), '0')) * 1000000)::bigint, "
    "  (array_agg(time ORDER BY lasted DESC, time) FILTER (WHERE NOT online))[1] "
    "FROM spans GROUP BY id ORDER BY id"};

}  // namespace

absl::StatusOr<std::vector<Uptime>> ListUptimes(pg::Tx& tx, const std::vector<std::string>& collectors, absl::Time from,
                                                absl::Time to) {
  VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kUptimes, collectors, from, to));
  std::vector<Uptime> all;
  for (int row = 0; row < rows.rows(); ++row) {
    all.push_back({.collector = rows.Text(row, 0),
                   .observed = absl::Microseconds(rows.Int(row, 1)),
                   .online = absl::Microseconds(rows.Int(row, 2)),
                   .drops = rows.Int(row, 3),
                   .longest_gap = absl::Microseconds(rows.Int(row, 4)),
                   .longest_gap_from = rows.TimeOrNull(row, 5)});
  }
  return all;
}

}  // namespace voltwell::registry::store
