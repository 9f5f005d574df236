"""A whole installation for one test class: started by tools/up on ports and a directory of its own, stopped by tools/down."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tools.suite import client, database, layout, status  # noqa: E402

PRESET = os.environ.get("VOLTWELL_PRESET", "dev")


def free_base_port() -> int:
    """Another for each installation, so that a leftover of one cannot serve another. Below the ephemeral ports."""
    for base in range(20000 + os.getpid() % 20 * 500, 32000, 500):
        try:
            database.check_ports(layout.Layout(base_port=base))
            return base
        except database.Failure:
            continue
    raise AssertionError("no free range of ports")


class Suite(unittest.TestCase):
    """Subclasses choose what to start."""
    arguments: tuple = ("--no-demo",)

    @classmethod
    def setUpClass(cls):
        cls.base_port = free_base_port()
        cls.data = pathlib.Path(tempfile.mkdtemp(prefix="voltwell-e2e-"))
        cls.data.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-B", "-m", "tools.suite.up", "--detach", "--data", str(cls.data), "--base-port", str(cls.base_port),
             "--preset", PRESET, *cls.arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            logs = "\n".join(f"--- {path.name}\n{path.read_text(errors='replace')[-1500:]}"
                             for path in sorted((cls.data / "log").glob("*.log")))
            cls.stop()
            raise AssertionError(f"tools/up failed:\n{done.stdout}\n{logs}")
        cls.layout = layout.Layout.load(cls.data)
        cls.admin = json.loads((cls.data / "credentials.json").read_text())["admin"]
        cls.api = client.Api(cls.layout.port("http"))
        cls.api.login(cls.admin["user"], cls.admin["password"])

    @classmethod
    def tearDownClass(cls):
        kept = os.environ.get("VOLTWELL_E2E_KEEP")
        cls.stop(keep=bool(kept))

    @classmethod
    def stop(cls, keep: bool = False):
        subprocess.run([sys.executable, "-B", "-m", "tools.suite.down", "--data", str(cls.data)], cwd=ROOT,
                       stdout=subprocess.DEVNULL)
        if not keep:
            shutil.rmtree(cls.data, ignore_errors=True)

    # -- looking

    @classmethod
    def pids(cls) -> dict:
        return json.loads(cls.layout.pids.read_text())["processes"]

    @classmethod
    def sql(cls, statement: str, database_name: str = "voltwell") -> list:
        """Rows as lists of text, asked as the superuser: tests look behind the services."""
        passwords = json.loads(cls.layout.secrets.read_text())["passwords"]
        done = database.psql(cls.layout, passwords["postgres"], statement, database_name)
        assert done.returncode == 0, done.stderr
        return [line.split("|") for line in done.stdout.strip().split("\n") if line]

    @classmethod
    def count(cls, statement: str) -> int:
        return int(cls.sql(statement)[0][0])

    @classmethod
    def metrics(cls, service: str, replica: int = 0) -> dict:
        return status.metrics(cls.layout.port(f"{service}_metrics", replica))

    @classmethod
    def log(cls, name: str) -> str:
        return (cls.layout.logs / f"{name}.log").read_text(errors="replace")

    # -- doing

    @classmethod
    def kill(cls, name: str) -> int:
        """kill -9; the supervisor starts another."""
        pid = cls.pids()[name]
        os.kill(pid, signal.SIGKILL)
        return pid

    @staticmethod
    def eventually(condition, seconds: float = 10, every: float = 0.05, what: str = ""):
        """The first true value of condition(); fails after `seconds`."""
        end = time.monotonic() + seconds
        while True:
            value = condition()
            if value:
                return value
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what or condition}")
            time.sleep(every)

    @classmethod
    def refused(cls, method: str, body: dict, api=None) -> client.ApiError:
        """The named error that a call must get."""
        try:
            answer = (api or cls.api).call(method, body)
        except client.ApiError as error:
            return error
        raise AssertionError(f"{method} was accepted: {answer}")

    _requests = 0

    @classmethod
    def request_id(cls) -> str:
        cls._requests += 1
        return f"e2e-{os.getpid()}-{cls.base_port}-{cls._requests}"

    @classmethod
    def make(cls, service: str, noun: str, **fields) -> dict:
        """Create{Noun}."""
        return cls.api.call(f"{service}/Create{noun}", {"requestId": cls.request_id(), noun.lower(): fields})

    @classmethod
    def make_meter(cls, registration_id: str, address: str, buses: tuple = ({"number": 1, "baud": 9600},), **meter) -> dict:
        """A site, a collector and one meter on its first bus."""
        site = cls.make("registry.SiteService", "Site", displayName=f"site of {registration_id}", kind="KIND_BUILDING")
        collector = cls.make("registry.CollectorService", "Collector", registrationId=registration_id,
                             displayName=registration_id, site=site["name"], buses=list(buses))
        return cls.make("registry.MeterService", "Meter", displayName=f"meter {address}", kind="KIND_ELECTRICITY",
                        site=site["name"], collector=collector["name"], bus=1, address=address, protocol="DLT645_2007", **meter)
