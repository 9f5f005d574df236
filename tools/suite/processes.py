"""The parts list: every process of an installation, in the order of its start."""
import pathlib
from dataclasses import dataclass, field

from tools.suite import database
from tools.suite.layout import ROOT, Layout


@dataclass
class Process:
    name: str
    command: list
    environment: dict = field(default_factory=dict)
    stop_signal: str = "SIGTERM"
    after: pathlib.Path | None = None  # Not started before this file exists.


def _service(layout: Layout, name: str, replica: int, flags: dict, environment: dict) -> Process:
    own = {"listen": "127.0.0.1", "metrics-port": layout.port(f"{name}_metrics", replica),
           "identity-trust-dir": layout.trust, "identity-key-file": layout.keys / f"{name}.key", **flags}
    command = [str(layout.program(name))] + [f"--{flag}={value}" for flag, value in own.items()]
    suffix = f".{replica}" if replica else ""
    return Process(f"{name}{suffix}", command, environment)


def _store(layout: Layout, service: str, passwords: dict) -> dict:
    """Secrets go by environment: the command line is for everybody to read."""
    schema = database.SCHEMAS[service]
    return {"VOLTWELL_PG_URL": f"postgresql://voltwell_{schema}@127.0.0.1:{layout.port('postgres')}/voltwell",
            "VOLTWELL_PG_PASSWORD": passwords[service]}


def parts(layout: Layout, secrets: dict) -> list:
    passwords = secrets["passwords"]
    redis = {"VOLTWELL_REDIS_HOST": "127.0.0.1", "VOLTWELL_REDIS_PORT": str(layout.port("redis")),
             "VOLTWELL_REDIS_PASSWORD": passwords["redis"]}
    list_of = [
        Process("postgres", database.postgres_command(layout), stop_signal="SIGINT"),
        Process("redis", database.redis_command(layout, passwords["redis"])),
    ]
    for k in range(layout.count("registry")):
        list_of.append(_service(layout, "registry", k, {
            "port": layout.port("registry", k), "directory-key-file": layout.keys / "directory.key",
            "bootstrap-tenant": "demo", "bootstrap-admin-user": secrets["admin"]["user"],
        }, {**_store(layout, "registry", passwords), **redis,
            "VOLTWELL_BOOTSTRAP_ADMIN_PASSWORD": secrets["admin"]["password"]}))
    for k in range(layout.count("protocol_codec")):
        list_of.append(_service(layout, "protocol_codec", k, {
            "port": layout.port("protocol_codec", k), "profile-directory": ROOT / "deploy/profiles"}, {}))
    for k in range(layout.count("collector_gateway")):
        list_of.append(_service(layout, "collector_gateway", k, {
            "port": layout.port("collector_gateway", k), "collector-port": layout.port("collectors", k),
            "collector-listen": "127.0.0.1", "collector-tls-port": layout.port("collectors_tls", k),
            "tls-certificate-file": layout.collector_tls / "server.pem", "tls-key-file": layout.collector_tls / "server.key",
            "tls-client-ca-file": layout.collector_tls / "collectors-ca.pem", "sealing-key-file": layout.keys / "sealing.key",
            "pod": f"gateway-{k}", "advertise": f"127.0.0.1:{layout.port('collector_gateway', k)}",
        }, redis))
    for k in range(layout.count("meter_scheduler")):
        list_of.append(_service(layout, "meter_scheduler", k, {
            "port": layout.port("meter_scheduler", k), "replica": f"meter-scheduler-{k}",
            "codec-address": "ipv4:" + ",".join(layout.addresses("protocol_codec")),
            "registry-address": "ipv4:" + ",".join(layout.addresses("registry")),
        }, {**_store(layout, "meter_scheduler", passwords), **redis}))
    targets = ",".join(f"{package}={'|'.join(layout.addresses(service))}" for package, service in
                       (("registry", "registry"), ("scheduler", "meter_scheduler")))
    list_of.append(_service(layout, "api_gateway", 0, {
        "port": layout.port("http"), "target": targets, "static-dir": ROOT / "services/web/console/dist",
    }, {}))
    if layout.demo:
        gateways = ",".join(f"127.0.0.1:{layout.port('collectors', k)}"
                            for k in range(layout.count("collector_gateway")))
        list_of.append(Process("field_sim", [
            str(layout.program("field_sim")), f"--park={layout.park}", f"--targets={gateways}",
            f"--admin-port={layout.port('field_sim')}"],
            # Collectors that dial before they are known would sit in quarantine first.
            after=layout.demo_loaded))
    return list_of
