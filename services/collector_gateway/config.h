// Options of the collector gateway; each is declared once, here or by the library it configures.
#pragma once

#include <string>

#include "absl/strings/str_cat.h"
#include "libs/config/config.h"
#include "libs/log/log.h"
#include "libs/redis/redis.h"
#include "libs/rpc/identity.h"
#include "libs/rpc/server.h"
#include "services/collector_gateway/core/dialler.h"
#include "services/collector_gateway/core/hub.h"

namespace voltwell::gateway {

struct Config {
  HubConfig hub;
  DiallerConfig dial;
  std::string pod = "gateway-0";
  std::string advertise;
  std::string directory_public_key_file;
  std::string sealing_key;
  std::string dialect_directory = VOLTWELL_DIALECT_DIR;
  log::Config log;
  redis::Config redis;
  rpc::IdentityConfig identity;
  rpc::ServerConfig rpc;

  void Declare(config::Options& options) {
    options.Text("collector-listen", &hub.listen, "Address that collectors dial");
    options.Int("collector-port", &hub.port, "TCP port that collectors dial; 0: any free one",
                {.min = 0, .max = 65535});
    options.Text("tls-certificate-file", &hub.tls.certificate_file,
                 "PEM with the gateway's certificate and its chain; empty: no port for TLS");
    options.Text("tls-key-file", &hub.tls.key_file, "PEM with the key of the certificate");
    options.Text(
        "tls-client-ca-file", &hub.tls.client_ca_file,
        "PEM with the CAs of collectors' certificates, whose name (CN) is the collector's registration id; empty: "
        "none is asked for");
    options.Bool("tls-client-certificate-required", &hub.tls.client_certificate_required,
                 "Refuse TLS connections without a client certificate");
    options.Int("collector-tls-port", &hub.tls_port, "TCP port that collectors dial with TLS; 0: any free one",
                {.min = 0, .max = 65535});
    options.Int("shards", &hub.shards, "Threads that serve collectors", {.min = 1, .max = 64});
    options.Text("dialect-directory", &dialect_directory,
                 "Directory of *.dialect files: how boxes register and keep alive; empty: transparent only");
    options.Int("sessions-max", &hub.sessions_max, "Connections of this process at most", {.min = 1, .max = 1'000'000});
    options.Int("accepts-per-second", &hub.admission.accepts_per_second,
                "Connections accepted each second, after a burst; more wait in the kernel",
                {.min = 1, .max = 1'000'000});
    options.Int("accept-burst", &hub.admission.accept_burst,
                "Connections accepted at once, before the rate holds: all collectors after a restart",
                {.min = 1, .max = 1'000'000});
    options.Int("network-accepts-per-second", &hub.admission.network_accepts_per_second,
                "The same for one /24 or /64; more are refused", {.min = 1, .max = 1'000'000});
    options.Int("network-accept-burst", &hub.admission.network_accept_burst, "The same for one /24 or /64",
                {.min = 1, .max = 1'000'000});
    options.Int("network-connections-max", &hub.admission.network_connections_max,
                "Connections from one /24 or /64 at most", {.min = 1, .max = 1'000'000});
    options.Duration("registration-timeout", &hub.registration_timeout,
                     "A connection that has not registered is closed after this; longer where boxes are known only by "
                     "a heartbeat that comes late",
                     absl::Seconds(1), absl::Minutes(5));
    options.List("trusted-proxies", &hub.trusted_proxies,
                 "Networks of balancers, as 10.0.0.0/8; every connection from there must begin with a PROXY header of "
                 "version 2");
    options.List(
        "dial-networks", &dial.networks,
        "Networks whose addresses may be dialled (Ethernet serial servers), as 10.20.0.0/16; empty: nobody is");
    options.List("dial-refused-networks", &dial.refused,
                 "Networks that are never dialled, whatever dial-networks says: the cluster's pods and services");
    options.Bool("dial-loopback", &dial.loopback, "For tests: loopback may be dialled too where dial-networks has it");
    options.Text("pod", &pod, "Name of this gateway, unique among all, without spaces", {.required = true});
    options.Text("advertise", &advertise, "host:port by which schedulers reach our gRPC; empty: listen and port");
    options.Text("directory-public-key-file", &directory_public_key_file,
                 "Public key of the registry's directory, base64url; empty: directory.pub in the trust directory");
    options.Text("sealing-key", &sealing_key,
                 "Base64url private X25519 key that unseals collectors' keys; empty: collectors whose key is demanded "
                 "stay out",
                 {.secret = true});
    log.Declare(options);
    redis.Declare(options);
    identity.Declare(options);
    rpc.port = 9004;
    rpc.Declare(options);
  }

  DiallerConfig Dial() const {
    DiallerConfig named = dial;
    named.pod = pod;
    return named;
  }
  std::string Advertised() const { return advertise.empty() ? absl::StrCat(rpc.listen, ":", rpc.port) : advertise; }
  std::string DirectoryKeyFile() const {
    return directory_public_key_file.empty() ? absl::StrCat(identity.trust_dir, "/directory.pub")
                                             : directory_public_key_file;
  }
};

}  // namespace voltwell::gateway
