// Any text as a cron expression: refused by name with a position inside it, or due in strictly growing order.
#include "libs/cron/next.h"

#include <string>

#include "absl/strings/numbers.h"
#include "libs/base/check.h"
#include "libs/base/status.h"

namespace cron = voltwell::cron;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const auto expression = cron::Parse(text);
  if (!expression.ok()) {
    const std::string reason = voltwell::base::ReasonOf(expression.status());
    VW_CHECK(reason == "BAD_CRON" || reason == "CRON_NEVER_FIRES");
    size_t position = 0;
    VW_CHECK(absl::SimpleAtoi(voltwell::base::MetadataOf(expression.status())["position"], &position));
    VW_CHECK(position <= text.size());
    return 0;
  }
  // A zone with two changes a year.
  static const cron::Zone* const zone = [] {
    absl::TimeZone berlin;
    VW_CHECK(absl::LoadTimeZone("Europe/Berlin", &berlin));
    return new cron::Zone(berlin);
  }();
  absl::Time at = absl::FromUnixSeconds(1'774'700'000);  // The day before a change.
  for (int i = 0; i < 8; ++i) {
    const cron::DstRule rule = {i % 2 == 0 ? cron::DstRule::Gap::kSkip : cron::DstRule::Gap::kAtGapEnd,
                                i % 3 == 0 ? cron::DstRule::Overlap::kTwice : cron::DstRule::Overlap::kOnce};
    const auto next = cron::Next(*expression, at, *zone, rule);
    VW_CHECK(next.has_value() && *next > at);
    at = *next;
  }
  return 0;
}
