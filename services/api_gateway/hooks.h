// The few methods after which the front door itself has something to do. Everything else passes by the contract alone.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "libs/http/http.h"

namespace voltwell::front {

struct Hook {
  bool strict_rate = false;     // Counted by the rate of sign-ins.
  bool own_pages_only = false;  // Even without a cookie: a foreign page must not sign anybody in.
  bool ends_session = false;    // The caller's token is forgotten.
  // Adds to the headers of a successful answer.
  void (*succeeded)(const std::string& wire, absl::Time now, bool secure, http::Headers& headers) = nullptr;
};

// nullptr: none.
const Hook* HookOf(const std::string& path);

}  // namespace voltwell::front
