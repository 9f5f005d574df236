// Whom a gateway may dial, and when again. A target is a name that somebody typed; what it resolves to decides: only
// addresses in the networks that this gateway was told of, and never itself, its neighbours on the link, groups, or the
// cluster it runs in. Pure.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "services/collector_gateway/domain/directory_copy.h"
#include "services/collector_gateway/domain/work.h"

namespace voltwell::gateway {

// Between two tries of one line: doubled for each failure in a row, up to a limit; half of it is by chance, so that a
// switch that comes back is not dialled by all at once.
inline constexpr absl::Duration kDialBackoffFirst = absl::Seconds(1);
inline constexpr absl::Duration kDialBackoffMax = absl::Seconds(60);
// A line that held so long has failed for a new reason.
inline constexpr absl::Duration kDialHeld = absl::Seconds(30);

struct DialRules {
  std::vector<Network> allowed = {};  // Empty: nobody is dialled.
  std::vector<Network> refused = {};  // Of the cluster; they win over allowed.
  bool loopback = false;              // Tests only; allowed must still have it.
};

// Empty: it may be dialled. Else why not, for people.
absl::string_view WhyNotDial(const Address& address, const DialRules& rules);

// `chance` is 0 to 1.
absl::Duration DialBackoff(int failures, double chance);

struct DialTarget {
  std::string host = {};
  int port = 0;
};
// Where this bus is dialled: bus N at the target's port + N - 1, unless all share one connection. Port 0: the target
// cannot be read.
DialTarget DialTargetOf(const BusEntry& entry);

}  // namespace voltwell::gateway
