// Frames a second through the process: Decode in batches of 256, one caller that waits for each answer, over loopback,
// against voltwell-protocol-codec with its shipped limits, metrics and logging. Prints `R21e <number> frames/s <what>`
// for tools/bench, and the same for Encode.
//   rpc_bench build/release/bin/voltwell-protocol-codec
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "libs/base/bytes.h"
#include "libs/base/check.h"
#include "libs/codec/dlt645/frame.h"
#include "libs/crypto/crypto.h"
#include "libs/os/clock.h"
#include "libs/os/files.h"
#include "libs/rpc/client.h"
#include "libs/rpc/test_trust.h"
#include "libs/testing/process.h"
#include "voltwell/codec/v1/codec_service.grpc.pb.h"

namespace {

using namespace voltwell;  // NOLINT(google-build-using-namespace): a program of one file.
using codec::v1::CodecService;
using Clock = std::chrono::steady_clock;

constexpr int kBatch = 256;
constexpr double kSeconds = 1;
constexpr int kRounds = 5;  // The best is taken: others share the machine.

double Since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

// The codec as an installation starts it, on free ports.
class Codec {
 public:
  explicit Codec(const std::string& program)
      : log_(absl::StrCat(directory_.path(), "/log")),
        process_({program, "--port=0", "--metrics-port=0", absl::StrCat("--identity-trust-dir=", trust_.directory()),
                  absl::StrCat("--identity-key-file=", WriteKey())},
                 {.output = log_}) {
    trust_.Key("meter_scheduler");
  }

  // From its log line "serving".
  std::string Target() {
    const auto begin = Clock::now();
    while (Since(begin) < 30) {
      const std::string log = os::ReadFile(log_).value_or("");
      const size_t line = log.find("\"serving\",\"port\":");
      int port = 0;
      if (line != std::string::npos && log.find('}', line) != std::string::npos &&
          absl::SimpleAtoi(log.substr(line + 17, log.find('}', line) - line - 17), &port)) {
        return absl::StrCat("127.0.0.1:", port);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    std::fprintf(stderr, "rpc_bench: the codec does not serve: %s\n", os::ReadFile(log_).value_or("").c_str());
    std::exit(1);
  }

  crypto::SigningKey SchedulerKey() const { return trust_.Key("meter_scheduler"); }

 private:
  std::string WriteKey() const {
    const std::string path = absl::StrCat(directory_.path(), "/codec.key");
    VW_CHECK(os::WriteFile(path, crypto::Base64Url(crypto::Sha256("bench"))).ok());
    return path;
  }

  testing::TempDirectory directory_{"bench"};
  rpc::TestTrust trust_;
  std::string log_;
  testing::Process process_;
};

codec::v1::Command Read(int meter) {
  codec::v1::Command command;
  command.set_protocol(codec::v1::PROTOCOL_DLT645_2007);
  command.set_address(absl::StrCat(202411110000 + meter));
  command.set_baud(2400);
  command.mutable_read()->add_registers("1-0:1.8.0");
  return command;
}

template <typename Step>
double PerSecond(Step step) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const auto begin = Clock::now();
    int done = 0;
    double took = 0;
    for (; took < kSeconds; took = Since(begin)) done += step();
    best = std::max(best, done / took);
  }
  return best;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: rpc_bench PROGRAM\n");
    return 2;
  }
  Codec process(argv[1]);
  os::SystemClock clock;
  metrics::Registry metrics;
  rpc::TokenIssuer issuer("meter_scheduler", process.SchedulerKey(), clock);
  rpc::Client<CodecService> client({process.Target(), "protocol_codec"}, issuer, clock, metrics);

  codec::v1::DecodeRequest decode;
  codec::v1::EncodeRequest encode;
  for (int i = 0; i < kBatch; ++i) {
    auto& item = *decode.add_items();
    *item.mutable_command() = Read(i);
    *encode.add_commands() = Read(i);
    const std::string data = *base::FromHex("0000010056341200");
    item.add_replies()->add_frames(
        codec::dlt645::BuildFrame(*codec::dlt645::ParseAddress(item.command().address()), 0x91, base::AsBytes(data)));
  }
  const double decoded = PerSecond([&] {
    const auto response = client.Call(&CodecService::Stub::Decode, decode);
    VW_CHECK(response.ok() && response->results_size() == kBatch);
    VW_CHECK(response->results(kBatch - 1).values(0).value().value() == "1234.56");
    return kBatch;
  });
  std::printf("R21e %.3e frames/s decoded by RPC, batches of %d, one caller\n", decoded, kBatch);
  const double encoded = PerSecond([&] {
    const auto response = client.Call(&CodecService::Stub::Encode, encode);
    VW_CHECK(response.ok() && response->items_size() == kBatch);
    return kBatch;
  });
  std::printf("rpc %.3e commands/s encoded by RPC, batches of %d, one caller\n", encoded, kBatch);
  return 0;
}
