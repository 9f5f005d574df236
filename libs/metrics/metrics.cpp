// prometheus-cpp keeps families by name; here they are found again by name, and children by labels.
#include "libs/metrics/metrics.h"

#include <mutex>

#include "prometheus/family.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"

namespace voltwell::metrics {

struct Registry::State {
  mutable std::mutex mutex;
  prometheus::Registry registry;
  std::map<std::string, prometheus::Family<prometheus::Counter>*> counters;
  std::map<std::string, prometheus::Family<prometheus::Gauge>*> gauges;
  std::map<std::string, prometheus::Family<prometheus::Histogram>*> histograms;

  // Family::Add gives the same child for the same labels, so that only the family must be remembered.
  template <typename Builder, typename Families>
  auto& Family(Builder build, Families& families, const std::string& name, const std::string& help) {
    auto& family = families[name];
    if (family == nullptr) family = &build().Name(name).Help(help).Register(registry);
    return *family;
  }
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

prometheus::Counter& Registry::Counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  return state_->Family(prometheus::BuildCounter, state_->counters, name, help).Add(labels);
}

prometheus::Gauge& Registry::Gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  return state_->Family(prometheus::BuildGauge, state_->gauges, name, help).Add(labels);
}

prometheus::Histogram& Registry::Histogram(const std::string& name, const std::string& help, const Labels& labels,
                                           const std::vector<double>& buckets) {
  const std::lock_guard lock(state_->mutex);
  return state_->Family(prometheus::BuildHistogram, state_->histograms, name, help).Add(labels, buckets);
}

std::vector<double> Registry::LatencyBuckets() {
  return {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};
}

std::string Registry::Text() const {
  const std::lock_guard lock(state_->mutex);
  return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace voltwell::metrics
