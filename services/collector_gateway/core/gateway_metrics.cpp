// Names and helps of the gateway's metrics; see gateway_metrics.h.
#include "services/collector_gateway/core/gateway_metrics.h"

namespace voltwell::gateway {
namespace {

constexpr std::array<const char*, kRefusals> kRefusalNames = {
    "full",   "crowded_out",       "unknown_id",       "wrong_network",   "no_registration", "draining",
    "clash",  "network_full",      "network_too_fast", "flapping",        "taken",           "proxy_header",
    "tls",    "wrong_certificate", "assurance",        "challenge_wrong", "challenge_late",  "tls_psk",
    "dialled"};

}  // namespace

GatewayMetrics::GatewayMetrics(metrics::Registry& registry)
    : sessions(registry.Gauge("voltwell_gateway_sessions", "Registered connections")),
      unregistered(registry.Gauge("voltwell_gateway_unregistered", "Connections that have not registered yet")),
      accepted(registry.Counter("voltwell_gateway_accepted_total", "Connections accepted")),
      accept_pauses(registry.Counter("voltwell_gateway_accept_pauses_total",
                                     "Times that accepting stopped for want of file descriptors")),
      registrations(registry.Counter("voltwell_gateway_registrations_total", "Connections that registered")),
      replaced(registry.Counter("voltwell_gateway_replaced_total", "Sessions ended by a newer one of the same bus")),
      takeovers(registry.Counter("voltwell_gateway_takeovers_total",
                                 "Second connections with a live id, from another address, that had the first probed")),
      searches(registry.Counter("voltwell_gateway_searches_total",
                                "Items that searched for meters; they stand in no other count of exchanges")),
      accept_throttled(registry.Counter("voltwell_gateway_accept_throttled_total",
                                        "Times that accepting waited because connections came too fast")),
      dialect_answers(registry.Counter("voltwell_gateway_dialect_answers_total",
                                       "Answers to registrations and heartbeats that dialects ask for")),
      challenges(registry.Counter("voltwell_gateway_challenges_total", "Collectors asked to prove their key")),
      bytes_in(registry.Counter("voltwell_gateway_received_bytes_total", "Bytes received from collectors")),
      bytes_out(registry.Counter("voltwell_gateway_sent_bytes_total", "Bytes sent to collectors")),
      bad_checksums(registry.Counter("voltwell_gateway_bad_checksums_total", "Frames whose checksum was wrong")),
      noise_bytes(registry.Counter("voltwell_gateway_noise_bytes_total", "Bytes that belonged to no frame")),
      babble_bytes(registry.Counter("voltwell_gateway_babble_bytes_total", "Bytes that came while nothing was asked")),
      dials(registry.Counter("voltwell_gateway_dials_total", "Tries to dial a collector")),
      dials_failed(registry.Counter("voltwell_gateway_dials_failed_total", "Of these, those that failed")),
      dials_refused(registry.Counter("voltwell_gateway_dials_refused_total",
                                     "Of these, targets that resolved to what must not be dialled")),
      dial_leases(registry.Gauge("voltwell_gateway_dial_leases", "Collectors that this gateway is to dial")),
      dial_leases_lost(registry.Counter("voltwell_gateway_dial_leases_lost_total",
                                        "Collectors that were given up since their lease was")),
      unknown_ports(
          registry.Counter("voltwell_gateway_unknown_ports_total", "Packets of ports that their collector has not")),
      port_noise_bytes(registry.Counter("voltwell_gateway_port_noise_bytes_total",
                                        "Bytes that were no packet of any port, on connections of several buses")),
      echoes(registry.Counter("voltwell_gateway_echoes_total", "Own requests that a collector sent back")),
      strays(registry.Counter("voltwell_gateway_stray_frames_total",
                              "Valid frames that answered nothing: late answers, another master")),
      collisions(registry.Counter("voltwell_gateway_collisions_total",
                                  "Questions during which somebody else spoke on the bus")),
      retries(registry.Counter("voltwell_gateway_retries_total", "Items put on a bus that were not the first try")),
      learned_timeouts(registry.Counter("voltwell_gateway_learned_timeouts_total",
                                        "Answers given up by what was learned, sooner than the exchange's limit")),
      queue_depth(registry.Histogram("voltwell_gateway_queue_depth", "Items waiting for a bus when one more came", {},
                                     std::vector<double>(kQueueDepths.begin(), kQueueDepths.end()))),
      busy_seconds(registry.Counter("voltwell_gateway_bus_busy_seconds_total", "Time that buses were at work")),
      flushes(registry.Counter("voltwell_gateway_flushes_total", "Messages of results handed to streams")),
      link_operations_dropped(registry.Counter("voltwell_gateway_link_operations_dropped_total",
                                               "Facts for Redis dropped because too many waited; restating heals")),
      link_operations_waiting(registry.Gauge("voltwell_gateway_link_operations", "Facts waiting for Redis")),
      claims(registry.Counter("voltwell_gateway_claims_total", "Sessions written into Redis, restated ones included")),
      fenced(registry.Counter("voltwell_gateway_fenced_total", "Sessions closed because a newer epoch stood in Redis")),
      quarantined(registry.Counter("voltwell_gateway_quarantined_total", "Unknown ids recorded")),
      directory_entries(registry.Gauge("voltwell_gateway_directory_entries", "Buses in the copy of the directory")),
      directory_generation(registry.Gauge("voltwell_gateway_directory_generation", "0 while none is loaded")),
      directory_bad_entries(registry.Counter("voltwell_gateway_directory_bad_entries_total",
                                             "Directory entries that were not what the registry signed")),
      directory_clashes(registry.Counter("voltwell_gateway_directory_clashes_total",
                                         "Directory entries dropped because another one has the same bytes")),
      directory_unknown_dialects(registry.Counter("voltwell_gateway_directory_unknown_dialects_total",
                                                  "Directory entries whose dialect was not loaded here")),
      directory_unknown_assurances(registry.Counter("voltwell_gateway_directory_unknown_assurances_total",
                                                    "Directory entries whose level of assurance is not known here")),
      directory_unopened_keys(registry.Counter("voltwell_gateway_directory_unopened_keys_total",
                                               "Directory entries whose key could not be unsealed here")),
      streams(registry.Gauge("voltwell_gateway_exchange_streams", "Exchange calls under way")) {
  for (int i = 1; i < kOutcomes; ++i) {
    exchanges[static_cast<size_t>(i)] = &registry.Counter("voltwell_gateway_exchanges_total", "Items by how they ended",
                                                          {{"outcome", OutcomeName(static_cast<Outcome>(i))}});
  }
  for (size_t i = 0; i < kRefusalNames.size(); ++i) {
    refusals[i] = &registry.Counter("voltwell_gateway_refused_total", "Connections refused before they registered",
                                    {{"reason", kRefusalNames[i]}});
  }
}

}  // namespace voltwell::gateway
