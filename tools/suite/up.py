"""tools/up, once everything is built: starts the suite, loads the demo tenant, waits for the first scheduled reading."""
import argparse
import json
import pathlib
import secrets
import signal
import subprocess
import sys
import time

from tools.suite import client, database, demo, down, keys, status
from tools.suite import layout as layouts

READY_PATIENCE = 60.0     # Seconds until every process is healthy.
READING_PATIENCE = 120.0  # Seconds until scheduled readings stand in the database.
STARTED = time.monotonic()


def step(text: str) -> None:
    print(f"[{time.monotonic() - STARTED:5.1f}s] {text}", flush=True)


def parse(arguments: list) -> tuple:
    parser = argparse.ArgumentParser(prog="tools/up", add_help=False)
    parser.add_argument("--detach", action="store_true")
    parser.add_argument("--replicas", action="append", default=[])
    parser.add_argument("--data", default=str(layouts.ROOT / ".run"))
    parser.add_argument("--base-port", type=int)
    parser.add_argument("--no-demo", action="store_true")
    parser.add_argument("--park", default=str(layouts.ROOT / "deploy/demo/park.json"))
    parser.add_argument("--preset", default="release", choices=["release", "dev"])
    options = parser.parse_args(arguments)
    replicas = {}
    for text in options.replicas:
        name, _, count = text.partition("=")
        if name not in layouts.REPLICABLE or not count.isdigit() or not 1 <= int(count) <= 4:
            parser.error(f"--replicas {text}: NAME=N with NAME one of {', '.join(layouts.REPLICABLE)} and N from 1 to 4")
        replicas[name] = int(count)
    park = pathlib.Path(options.park).resolve()
    if not park.is_file():
        parser.error(f"--park {options.park}: no such file")
    layout = layouts.Layout(data=pathlib.Path(options.data).resolve(), preset=options.preset, base_port=options.base_port,
                            replicas=replicas, demo=not options.no_demo, park=park)
    return layout, options.detach


def make_secrets(layout: layouts.Layout) -> dict:
    """Passwords and keys, made once and kept."""
    layout.data.mkdir(parents=True, exist_ok=True)
    for issuer in (*layouts.SERVICES, "directory", "tools"):
        keys.make_key(layout.keys, layout.trust, issuer)
    keys.make_sealing_key(layout.keys, layout.trust)
    keys.make_collector_tls(layout.collector_tls)
    if layout.secrets.exists():
        return json.loads(layout.secrets.read_text())
    made = {"passwords": {name: secrets.token_hex(16) for name in ("postgres", "redis", *database.SCHEMAS)},
            "admin": {"user": "admin", "password": secrets.token_urlsafe(12)}}
    layouts.write_json(layout.secrets, made, mode=0o600)
    return made


def start_supervisor(layout: layouts.Layout) -> subprocess.Popen:
    (layout.data / "failure.txt").unlink(missing_ok=True)
    layout.logs.mkdir(parents=True, exist_ok=True)
    log = open(layout.logs / "supervisor.log", "ab")
    return subprocess.Popen([sys.executable, "-B", "-m", "tools.suite.supervisor", str(layout.data)], cwd=layouts.ROOT,
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def wait_healthy(layout: layouts.Layout, supervisor: subprocess.Popen) -> None:
    end = time.monotonic() + READY_PATIENCE
    while True:
        if supervisor.poll() is not None:
            failure = layout.data / "failure.txt"
            told = failure.read_text().strip() if failure.exists() else f"see {layout.logs}/supervisor.log"
            raise database.Failure(f"the supervisor stopped: {told}")
        bad = {name: state for name, state in status.health(layout).items() if state != "ok"}
        if not bad:
            return
        if time.monotonic() > end:
            told = "; ".join(f"{name}: {state}" for name, state in bad.items())
            raise database.Failure(f"not healthy after {READY_PATIENCE:.0f} s: {told}. Their logs are in {layout.logs}.")
        time.sleep(0.1)


def wait_reading(layout: layouts.Layout, api: client.Api) -> None:
    """A reading counts when its source is a schedule and it was stored since this start."""
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - (time.monotonic() - STARTED)))
    end = time.monotonic() + READING_PATIENCE
    while time.monotonic() < end:
        answer = api.call("scheduler.ReadingService/GetLatestReadings", {"pageSize": 100})
        if any(reading.get("source") == "SOURCE_SCHEDULED" and reading["storeTime"] >= since
               for reading in answer.get("readings", [])):
            return
        time.sleep(0.1)
    raise database.Failure(f"no scheduled reading was stored within {READING_PATIENCE:.0f} s; look at "
                           f"{layout.logs}/meter_scheduler.log, collector_gateway.log and field_sim.log.")


def tell(layout: layouts.Layout, made: dict) -> None:
    own = "" if layout.data == layouts.ROOT / ".run" else f" --data {layout.data}"
    print(f"""
  Console      http://127.0.0.1:{layout.port('http')}/   user {made['admin']['user']}, password {made['admin']['password']}
  gRPC         grpcurl -plaintext -H "authorization: Bearer $(tools/token admin{own})" \\
                 127.0.0.1:{layout.port('collector_gateway')} voltwell.gateway.v1.GatewayService/ListSessions
  Collectors   dial 127.0.0.1:{layout.port('collectors')}, with TLS 127.0.0.1:{layout.port('collectors_tls')}
  Logins       {layout.credentials}
  Logs         {layout.logs}
  Stop         tools/down{own}
""", flush=True)


def run(layout: layouts.Layout, detach: bool) -> int:
    if layout.pids.exists():
        if down.alive(json.loads(layout.pids.read_text())["supervisor"]):
            print(f"Already running (pids in {layout.pids}); tools/down stops it.")
            return 0
        down.stop(layout.data)
    database.check_ports(layout)
    made = make_secrets(layout)
    layout.database = database.choose_directory(layout.data)
    database.initialise(layout.database, made["passwords"]["postgres"])
    layout.save()
    layouts.write_json(layout.credentials, {"admin": made["admin"]}, mode=0o600)
    supervisor = start_supervisor(layout)
    try:
        step("PostgreSQL, Redis and the services start")
        wait_healthy(layout, supervisor)
        api = client.Api(layout.port("http"))
        api.login(made["admin"]["user"], made["admin"]["password"])
        if layout.demo:
            step("demo tenant: sites, collectors, meters, schedule")
            demo.load(layout, api)
            step("waiting for the first scheduled reading")
            wait_reading(layout, api)
        step("ready")
    except BaseException:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait()
        raise
    tell(layout, made)
    if not detach:
        try:
            status.live(layout, api)
        except KeyboardInterrupt:
            print("\nStopping ...")
            supervisor.send_signal(signal.SIGTERM)
            supervisor.wait()
    return 0


def main() -> int:
    layout, detach = parse(sys.argv[1:])
    try:
        return run(layout, detach)
    except (database.Failure, client.ApiError) as failure:
        print(f"\ntools/up: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped.")
        return 130


if __name__ == "__main__":
    sys.exit(main())
