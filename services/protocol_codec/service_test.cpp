// The service over a real socket: batches, limits, who may call, and every byte of recorded frames explained.
#include "services/protocol_codec/service.h"

#include <catch2/catch.hpp>

#include "absl/strings/str_cat.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "libs/base/bytes.h"
#include "libs/codec/codec.h"
#include "libs/codec/vectors/vector_file.h"
#include "libs/rpc/client.h"
#include "libs/rpc/server.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/status.h"
#include "services/protocol_codec/profiles.h"

namespace voltwell::codec_service {
namespace {

namespace v1 = voltwell::codec::v1;
using Stub = v1::CodecService::Stub;

struct World {
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TestTrust trust;
  rpc::TokenVerifier verifier{"protocol_codec", trust.directory(), clock, metrics};
  rpc::Door door{"protocol_codec", verifier, clock, metrics};
  CodecService service{door, metrics, {}};
  rpc::Server server{{.drain = absl::Seconds(2)}, "protocol_codec", metrics};
  rpc::TokenIssuer scheduler{"meter_scheduler", trust.Key("meter_scheduler"), clock};
  std::unique_ptr<rpc::Client<v1::CodecService>> client;

  World() {
    server.Add(service);
    REQUIRE(server.Start());
    client = std::make_unique<rpc::Client<v1::CodecService>>(rpc::Target{target(), "protocol_codec"}, scheduler, clock,
                                                             metrics);
  }
  std::string target() const { return absl::StrCat("127.0.0.1:", server.port()); }
};

v1::Command Read(const std::string& address, const std::vector<std::string>& registers) {
  v1::Command command;
  command.set_protocol(v1::PROTOCOL_DLT645_2007);
  command.set_address(address);
  for (const std::string& id : registers) command.mutable_read()->add_registers(id);
  return command;
}

TEST_CASE("a batch gives bytes for what can be said and an error for each command that cannot") {
  World world;
  v1::EncodeRequest request;
  *request.add_commands() = Read("111111111111", {"1-0:1.8.0"});
  *request.add_commands() = Read("111111111111", {"1-0:1.8.0", "1-0:nonsense"});
  *request.add_commands() = Read("not an address", {"1-0:1.8.0"});
  const auto response = world.client->Call(&Stub::Encode, request);
  REQUIRE_OK(response);
  REQUIRE(response->items_size() == 3);
  CHECK(base::ToHex(base::AsBytes(response->items(0).group().exchanges(0).request())) ==
        "68111111111111681104333334331816");
  CHECK(response->items(1).error().reason() == "UNKNOWN_REGISTER");
  CHECK(response->items(1).error().metadata().at("register") == "1-0:nonsense");
  CHECK(response->items(1).error().metadata().at("position") == "1");
  CHECK(response->items(2).error().reason() == "BAD_METER_ADDRESS");
  CHECK(world.metrics.Text().find("voltwell_codec_errors_total{reason=\"UNKNOWN_REGISTER\"} 1") != std::string::npos);
}

TEST_CASE("a search goes on from the state that was told, and asks again what was not answered") {
  World world;
  v1::PlanScanRequest request;
  request.mutable_rules()->add_protocols(v1::PROTOCOL_DLT645_2007);
  request.mutable_rules()->set_baud(2400);
  auto step = world.client->Call(&Stub::PlanScan, request);
  REQUIRE_OK(step);
  REQUIRE(step->group().exchanges_size() == 1);
  CHECK(step->group().exchanges(0).listen());
  CHECK(step->pattern() == "AAAAAAAAAAAA");
  CHECK(step->protocol() == v1::PROTOCOL_DLT645_2007);
  // 13H to whoever is there.
  CHECK(base::ToHex(base::AsBytes(step->group().exchanges(0).request())) == "68AAAAAAAAAAAA681300DF16");

  request.set_state(step->state());
  const auto again = world.client->Call(&Stub::PlanScan, request);
  REQUIRE_OK(again);
  CHECK(again->group().SerializeAsString() == step->group().SerializeAsString());

  request.mutable_answer()->add_replies()->add_frames(
      *base::FromHex("68 17 00 00 00 00 00 68 93 06 4A 33 33 33 33 33 C9 16"));
  step = world.client->Call(&Stub::PlanScan, request);
  REQUIRE_OK(step);
  REQUIRE(step->findings_size() == 1);
  CHECK(step->findings(0).address() == "000000000017");
  CHECK(step->findings(0).medium() == "ELECTRICITY");
  request.set_state(step->state());
  request.mutable_answer()->Clear();
  step = world.client->Call(&Stub::PlanScan, request);
  REQUIRE_OK(step);
  CHECK_FALSE(step->has_group());
  CHECK(step->done_per_mille() == 1000);

  request.set_state("1 2 3");
  const auto bad = world.client->Call(&Stub::PlanScan, request);
  CHECK(base::ReasonOf(bad.status()) == "BAD_SCAN_STATE");
}

TEST_CASE("512 items are taken, 513 are refused as a whole") {
  World world;
  v1::EncodeRequest encode;
  v1::DecodeRequest decode;
  for (size_t i = 0; i < codec::kBatchMax; ++i) {
    *encode.add_commands() = Read(absl::StrCat(i), {"1-0:1.8.0"});
    *decode.add_items()->mutable_command() = Read(absl::StrCat(i), {"1-0:1.8.0"});
  }
  const auto encoded = world.client->Call(&Stub::Encode, encode);
  REQUIRE_OK(encoded);
  CHECK(encoded->items_size() == 512);
  const auto decoded = world.client->Call(&Stub::Decode, decode);
  REQUIRE_OK(decoded);
  CHECK(decoded->results(511).error().reason() == "FRAME_NOT_UNDERSTOOD");
  encode.add_commands();
  decode.add_items();
  CHECK_REASON(world.client->Call(&Stub::Encode, encode), "BATCH_TOO_LARGE");
  CHECK_REASON(world.client->Call(&Stub::Decode, decode), "BATCH_TOO_LARGE");
}

TEST_CASE("what a meter answered comes back as exact values and a relay state") {
  World world;
  v1::DecodeRequest request;
  auto& energy = *request.add_items();
  *energy.mutable_command() = Read("123456789012", {"1-0:1.8.0"});
  energy.add_replies()->add_frames(*base::FromHex("6812907856341268910833333433896745335416"));
  auto& relay = *request.add_items();
  *relay.mutable_command() = Read("151230011061", {"0-0:96.3.10"});
  relay.add_replies()->add_frames(*base::FromHex("68611001301215689106363833378333BE16"));
  auto& refused = *request.add_items();
  *refused.mutable_command() = Read("123456789012", {"1-0:1.8.0"});
  refused.add_replies()->add_frames(*base::FromHex("6812907856341268D101358D16"));
  const auto response = world.client->Call(&Stub::Decode, request);
  REQUIRE_OK(response);
  REQUIRE(response->results_size() == 3);
  CHECK(response->results(0).values(0).value().value() == "1234.56");
  CHECK(response->results(1).relay_state() == v1::RELAY_STATE_OPEN);
  CHECK(response->results(1).values(0).text() == "0050");
  CHECK(response->results(2).error().reason() == "METER_REFUSED");
}

TEST_CASE("explanations of all recorded frames cover every byte and mask what is secret") {
  World world;
  for (const auto& vector : codec::vectors::Load("dlt645_2007.vec")) {
    CAPTURE(vector.id);
    for (const std::string& bytes : {vector.request, vector.reply}) {
      v1::ExplainRequest request;
      request.set_frame(bytes);
      const auto response = world.client->Call(&Stub::Explain, request);
      REQUIRE_OK(response);
      int at = 0;
      for (const v1::Explanation& explanation : response->explanations()) {
        REQUIRE(explanation.offset() == at);
        at += explanation.length();
        if (explanation.kind() == "password")
          CHECK(explanation.hex() == std::string(2 * static_cast<size_t>(explanation.length()), '*'));
      }
      REQUIRE(at == static_cast<int>(bytes.size()));
    }
  }
  v1::ExplainRequest long_request;
  long_request.set_frame(std::string(codec::kExplainMax + 1, 'x'));
  CHECK_REASON(world.client->Call(&Stub::Explain, long_request), "FRAME_TOO_LONG");
}

TEST_CASE("protocols and registers are listed") {
  World world;
  const auto protocols = world.client->Call(&Stub::ListProtocols, v1::ListProtocolsRequest{});
  REQUIRE_OK(protocols);
  CHECK(protocols->protocols_size() == static_cast<int>(codec::ListProtocols().size()));
  CHECK(protocols->protocols(0) == v1::PROTOCOL_DLT645_2007);
  v1::ListRegistersRequest request;
  request.set_protocol(v1::PROTOCOL_DLT645_2007);
  const auto registers = world.client->Call(&Stub::ListRegisters, request);
  REQUIRE_OK(registers);
  CHECK(registers->registers_size() >= 40);
  request.set_protocol(v1::PROTOCOL_UNSPECIFIED);
  CHECK_REASON(world.client->Call(&Stub::ListRegisters, request), "PROTOCOL_NOT_SUPPORTED");
}

TEST_CASE("profiles come with a call, 16 of them and not 17, and stand before those of the process") {
  World world;
  v1::EncodeRequest request;
  *request.add_commands() = Read("111111111111", {"1-0:32.7.0", "1-0:52.7.0"});
  request.mutable_commands(0)->set_profile("mine");
  auto response = world.client->Call(&Stub::Encode, request);
  REQUIRE_OK(response);
  CHECK(response->items(0).error().reason() == "UNKNOWN_PROFILE");
  request.add_profiles("name mine\nprotocol DLT645_2007\nsingle_reads yes\n");
  for (int i = 1; i < kInlineProfilesMax; ++i) request.add_profiles(absl::StrCat("name p", i, "\nprotocol MBUS\n"));
  response = world.client->Call(&Stub::Encode, request);
  REQUIRE_OK(response);
  CHECK(response->items(0).group().exchanges_size() == 2);
  request.add_profiles("name more\nprotocol MBUS\n");
  CHECK_REASON(world.client->Call(&Stub::Encode, request), "TOO_MANY_PROFILES");
  request.clear_profiles();
  request.add_profiles("name mine\nprotocol MODBUS\n");
  CHECK_REASON(world.client->Call(&Stub::Encode, request), "BAD_PROFILE");
}

TEST_CASE("a call without identity, or from a service that is not meant, is refused") {
  World world;
  auto stub = v1::CodecService::NewStub(grpc::CreateChannel(world.target(), grpc::InsecureChannelCredentials()));
  grpc::ClientContext context;
  v1::EncodeResponse response;
  CHECK_REASON(rpc::FromGrpc(stub->Encode(&context, v1::EncodeRequest{}, &response)), "NO_IDENTITY");
  rpc::TokenIssuer billing("billing", world.trust.Key("billing"), world.clock);
  rpc::Client<v1::CodecService> client({world.target(), "protocol_codec"}, billing, world.clock, world.metrics);
  CHECK_REASON(client.Call(&Stub::Encode, v1::EncodeRequest{}), "CALLER_NOT_ALLOWED");
}

}  // namespace
}  // namespace voltwell::codec_service
