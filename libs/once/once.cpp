// The key is inserted before the body runs: a second call with the same key waits at that insert until the first has
// committed, and then finds its answer instead of running the body into its own first effects.
#include "libs/once/once.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"
#include "libs/base/check.h"
#include "libs/base/status.h"
#include "libs/crypto/crypto.h"

namespace voltwell::once {
namespace {

constexpr size_t kRequestIdMax = 64;

constexpr pg::Query kTake{"once.take",
                          "INSERT INTO idempotency (tenant, principal, method, request_id, request_hash, response) "
                          "VALUES ($1, $2, $3, $4, $5, '') ON CONFLICT DO NOTHING"};
constexpr pg::Query kFind{"once.find",
                          "SELECT request_hash, response FROM idempotency "
                          "WHERE tenant = $1 AND principal = $2 AND method = $3 AND request_id = $4"};
constexpr pg::Query kAnswer{"once.answer",
                            "UPDATE idempotency SET response = $5 "
                            "WHERE tenant = $1 AND principal = $2 AND method = $3 AND request_id = $4"};
constexpr pg::Query kForget{"once.forget",
                            "DELETE FROM idempotency WHERE ctid = ANY (ARRAY("
                            "SELECT ctid FROM idempotency WHERE created_at < $1 LIMIT $2))"};

absl::StatusOr<std::string> RequestIdOf(const google::protobuf::Message& request) {
  const google::protobuf::FieldDescriptor* field = request.GetDescriptor()->FindFieldByName("request_id");
  VW_CHECK(field != nullptr);  // libs/rpc/rules_check_main.cpp does not let such a method build.
  std::string id = request.GetReflection()->GetString(request, field);
  const auto allowed = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '_' || c == '-'; };
  if (id.empty() || id.size() > kRequestIdMax || !std::all_of(id.begin(), id.end(), allowed)) {
    return base::InvalidArgument("BAD_REQUEST_ID", "request_id must be 1 to 64 characters of [A-Za-z0-9_-]",
                                 {{"field", "request_id"}});
  }
  return id;
}

// Equal requests must hash alike, so maps are written in the order of their keys.
std::string HashOf(const google::protobuf::Message& request) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    request.SerializeToCodedStream(&coded);
  }
  return crypto::Sha256(bytes);
}

}  // namespace

absl::Status Mutate(pg::Pool& pool, const rpc::Call& call, const google::protobuf::Message& request,
                    google::protobuf::Message& response, const std::function<absl::Status(pg::Tx&)>& body) {
  VW_ASSIGN_OR_RETURN(const std::string request_id, RequestIdOf(request));
  const std::string hash = HashOf(request);
  const std::string& tenant = call.identity.tenant;
  const std::string& principal = call.identity.subject;
  const auto run = [&](pg::Tx& tx) -> absl::Status {
    response.Clear();
    VW_ASSIGN_OR_RETURN(const pg::Result taken,
                        tx.Execute(kTake, tenant, principal, call.method, request_id, pg::Bytes{hash}));
    if (taken.affected() == 0) {
      VW_ASSIGN_OR_RETURN(const pg::Result rows, tx.Execute(kFind, tenant, principal, call.method, request_id));
      if (rows.rows() == 0) return base::Aborted("TX_CONFLICT", "the request's key was forgotten just now; repeat");
      if (rows.BytesAt(0, 0) != hash) {
        return base::InvalidArgument("REQUEST_ID_REUSED",
                                     "this request_id was used for another request; make a new one",
                                     {{"request_id", request_id}});
      }
      VW_CHECK(response.ParseFromString(rows.BytesAt(0, 1)));
      return absl::OkStatus();
    }
    VW_RETURN_IF_ERROR(body(tx));
    const std::string answer = response.SerializeAsString();
    return tx.Execute(kAnswer, tenant, principal, call.method, request_id, pg::Bytes{answer}).status();
  };
  absl::Status status;
  for (int tries = 0; tries < kInDoubtTriesMax; ++tries) {
    status = pool.Transact({.name = call.method.c_str(), .tenant = tenant, .deadline = call.deadline}, run);
    // The key tells whether the COMMIT whose answer was lost had been done.
    if (base::ReasonOf(status) != "COMMIT_IN_DOUBT") break;
  }
  if (!status.ok()) response.Clear();
  return status;
}

absl::StatusOr<int64_t> Forget(pg::Tx& tx, absl::Time before) {
  VW_ASSIGN_OR_RETURN(const pg::Result gone, tx.Execute(kForget, before, kForgetMax));
  return gone.affected();
}

}  // namespace voltwell::once
