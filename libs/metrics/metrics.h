// Prometheus metrics of one process. The registry is made in main and handed to whoever counts; a counter or gauge once
// asked for lives as long as the registry, so keep the reference.
// Names: voltwell_<area>_<what>_<unit>, counters end in _total, durations are in seconds.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "prometheus/counter.h"
#include "prometheus/gauge.h"
#include "prometheus/histogram.h"

namespace voltwell::metrics {

using Labels = std::map<std::string, std::string>;

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // Same name and labels: same object. Thread-safe, but takes a lock: ask once, keep the reference.
  prometheus::Counter& Counter(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Gauge& Gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  prometheus::Histogram& Histogram(const std::string& name, const std::string& help, const Labels& labels = {},
                                   const std::vector<double>& buckets = LatencyBuckets());
  // 0.5 ms to 30 s.
  static std::vector<double> LatencyBuckets();

  // The text exposition format.
  std::string Text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace voltwell::metrics
