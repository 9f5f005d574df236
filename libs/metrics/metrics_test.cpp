#include "libs/metrics/metrics.h"

#include <catch2/catch.hpp>
#include <thread>
#include <vector>

using namespace voltwell;

namespace {
bool Has(const metrics::Registry& registry, const std::string& line) {
  return registry.Text().find(line + "\n") != std::string::npos;
}
}  // namespace

TEST_CASE("the same name and labels are the same metric") {
  metrics::Registry registry;
  registry.Counter("voltwell_x_total", "x", {{"a", "1"}}).Increment();
  registry.Counter("voltwell_x_total", "x", {{"a", "1"}}).Increment();
  registry.Counter("voltwell_x_total", "x", {{"a", "2"}}).Increment();
  CHECK(Has(registry, "voltwell_x_total{a=\"1\"} 2"));
  CHECK(Has(registry, "voltwell_x_total{a=\"2\"} 1"));
  CHECK(Has(registry, "# TYPE voltwell_x_total counter"));
}

TEST_CASE("gauges go both ways and histograms count in buckets") {
  metrics::Registry registry;
  prometheus::Gauge& gauge = registry.Gauge("voltwell_g", "g");
  gauge.Set(5);
  gauge.Decrement();
  prometheus::Histogram& histogram = registry.Histogram("voltwell_h_seconds", "h");
  histogram.Observe(0.004);
  histogram.Observe(100);
  CHECK(Has(registry, "voltwell_g 4"));
  CHECK(Has(registry, "voltwell_h_seconds_bucket{le=\"0.0025\"} 0"));
  CHECK(Has(registry, "voltwell_h_seconds_bucket{le=\"0.005\"} 1"));
  CHECK(Has(registry, "voltwell_h_seconds_bucket{le=\"+Inf\"} 2"));
  CHECK(metrics::Registry::LatencyBuckets().front() == 0.0005);
  CHECK(metrics::Registry::LatencyBuckets().back() == 30);
}

TEST_CASE("threads may ask for metrics while they are read") {
  metrics::Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        registry.Counter("voltwell_y_total", "y", {{"t", std::to_string(t)}}).Increment();
        if (i % 25 == 0) (void)registry.Text();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(Has(registry, "voltwell_y_total{t=\"3\"} 100"));
}
