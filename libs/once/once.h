// Twice is once: a KEYED mutation and its answer are kept in one transaction under (tenant, principal, method,
// request_id). The same id with the same content gets the first answer; with other content REQUEST_ID_REUSED.
//
//   return door_.Handle(context, *request, *response, [&](const rpc::Call& call) {
//     return once::Mutate(pool_, call, *request, *response, [&](pg::Tx& tx) -> absl::Status { ... fill *response ...
//     });
//   });
#pragma once

#include <cstdint>
#include <functional>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "google/protobuf/message.h"
#include "libs/pg/pg.h"
#include "libs/rpc/door.h"

namespace voltwell::once {

// Runs body in one transaction with the key and the answer. `request` must have a field request_id: empty or longer
// than 64 or with other characters than [A-Za-z0-9_-] is BAD_REQUEST_ID. A lost COMMIT is repeated here: the key tells
// whether it was done.
absl::Status Mutate(pg::Pool& pool, const rpc::Call& call, const google::protobuf::Message& request,
                    google::protobuf::Message& response, const std::function<absl::Status(pg::Tx&)>& body);

// Limits: an answer is kept for a week, and forgotten in portions, since no transaction may be long.
inline constexpr absl::Duration kKeptFor = absl::Hours(24 * 7);
inline constexpr int kForgetMax = 10'000;
inline constexpr int kInDoubtTriesMax = 3;

// Deletes at most kForgetMax of the keys made before `before`; returns how many (repeat while it is the maximum).
absl::StatusOr<int64_t> Forget(pg::Tx& tx, absl::Time before);

}  // namespace voltwell::once
