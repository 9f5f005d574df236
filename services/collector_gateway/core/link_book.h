// Where shards write down who came and went, so that the rest of the suite finds collectors. The one real book is
// LinkKeeper (Redis, on its own thread); tests use their own. No function blocks.
#pragma once

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "services/collector_gateway/core/routes.h"

namespace voltwell::gateway {

class LinkBook {
 public:
  virtual ~LinkBook() = default;
  // A session has registered and stands in Routes.
  virtual void Registered(const Route& route) = 0;
  // It ended and has been taken out of Routes. Not told of a session that a newer one replaced: the bus is not offline.
  virtual void Gone(const Route& route, const char* reason) = 0;
  // An id that the directory lacks. `sent` are its bytes.
  virtual void Quarantined(const std::string& sent, const Peer& peer) = 0;
  // Which pods hold these buses: the names in the same order, empty where nobody does or nobody knows.
  struct Sought {
    std::string collector;
    int bus;
  };
  using Answer = absl::AnyInvocable<void(std::vector<std::string> pods)>;
  virtual void WhoHolds(std::vector<Sought> buses, Answer answer) = 0;
};

}  // namespace voltwell::gateway
