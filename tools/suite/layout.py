"""Where everything of one installation is: directories, ports, and the parts list of processes."""
import json
import pathlib
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]

# The documented ports. A replica k (from 0) of a service listens 1000*k higher.
DEFAULT_PORTS = {
    "http": 8080, "collectors": 7645, "collectors_tls": 7646, "postgres": 15432, "redis": 16379, "field_sim": 17645,
    "registry": 9001, "meter_scheduler": 9002, "protocol_codec": 9003, "collector_gateway": 9004,
    "registry_metrics": 9101, "meter_scheduler_metrics": 9102, "protocol_codec_metrics": 9103,
    "collector_gateway_metrics": 9104, "api_gateway_metrics": 9100,
}
# With --base-port N these offsets are added to N; a replica k listens 200*k higher.
OFFSETS = {
    "http": 0, "registry": 1, "meter_scheduler": 2, "protocol_codec": 3, "collector_gateway": 4,
    "collectors": 20, "collectors_tls": 21, "postgres": 30, "redis": 31, "field_sim": 40, "api_gateway_metrics": 100,
    "registry_metrics": 101, "meter_scheduler_metrics": 102, "protocol_codec_metrics": 103,
    "collector_gateway_metrics": 104,
}
SERVICES = ("registry", "protocol_codec", "collector_gateway", "meter_scheduler", "api_gateway")
REPLICABLE = ("registry", "protocol_codec", "collector_gateway", "meter_scheduler")


@dataclass
class Layout:
    """One installation. Everything else is derived from these few choices."""
    data: pathlib.Path = ROOT / ".run"
    preset: str = "release"
    base_port: int | None = None
    replicas: dict = field(default_factory=dict)
    demo: bool = True
    park: pathlib.Path = ROOT / "deploy/demo/park.json"
    # Where PostgreSQL's user can reach: `data`, or a directory below /var/lib when it cannot traverse `data`.
    database: pathlib.Path | None = None

    def port(self, name: str, replica: int = 0) -> int:
        if self.base_port is None:
            return DEFAULT_PORTS[name] + 1000 * replica
        return self.base_port + OFFSETS[name] + 200 * replica

    def count(self, service: str) -> int:
        return self.replicas.get(service, 1)

    def addresses(self, service: str) -> list:
        return [f"127.0.0.1:{self.port(service, k)}" for k in range(self.count(service))]

    def program(self, name: str) -> pathlib.Path:
        return ROOT / "build" / self.preset / "bin" / f"voltwell-{name.replace('_', '-')}"

    @property
    def keys(self) -> pathlib.Path: return self.data / "keys"
    @property
    def trust(self) -> pathlib.Path: return self.data / "trust"
    @property
    def collector_tls(self) -> pathlib.Path: return self.data / "collector-tls"
    @property
    def logs(self) -> pathlib.Path: return self.data / "log"
    @property
    def pids(self) -> pathlib.Path: return self.data / "pids.json"
    @property
    def secrets(self) -> pathlib.Path: return self.data / "secrets.json"
    @property
    def demo_loaded(self) -> pathlib.Path: return self.data / "demo.loaded"
    @property
    def credentials(self) -> pathlib.Path: return self.data / "credentials.json"

    def save(self) -> None:
        """Writes what tools/down, tools/token and tests need to find a running installation again."""
        ports = {name: self.port(name) for name in DEFAULT_PORTS}
        for service in REPLICABLE:
            for k in range(1, self.count(service)):
                ports[f"{service}.{k}"] = self.port(service, k)
                ports[f"{service}_metrics.{k}"] = self.port(f"{service}_metrics", k)
        for k in range(1, self.count("collector_gateway")):
            ports[f"collectors.{k}"] = self.port("collectors", k)
            ports[f"collectors_tls.{k}"] = self.port("collectors_tls", k)
        write_json(self.data / "ports.json", ports)
        write_json(self.data / "layout.json", {
            "preset": self.preset, "base_port": self.base_port, "replicas": self.replicas, "demo": self.demo,
            "park": str(self.park), "database": str(self.database) if self.database else None})

    @staticmethod
    def load(data: pathlib.Path) -> "Layout":
        saved = json.loads((data / "layout.json").read_text())
        return Layout(data=data, preset=saved["preset"], base_port=saved["base_port"], replicas=saved["replicas"],
                      demo=saved["demo"], park=pathlib.Path(saved["park"]),
                      database=pathlib.Path(saved["database"]) if saved["database"] else None)


def write_json(path: pathlib.Path, value, mode: int = 0o644) -> None:
    """Whole or not at all: a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(path.suffix + ".new")
    temporary.touch(mode=mode)
    temporary.chmod(mode)
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    temporary.rename(path)
