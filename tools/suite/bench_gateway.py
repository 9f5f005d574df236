"""tools/bench gateway: the collector gateway against mosquitto (R1 to R4), and its buses against what the wire allows (R25).

Ours is the gateway's core with a Redis of its own, shipped limits, metrics and logging; its gRPC face has no part in these
figures. The peer is Debian's mosquitto; without it its figures are skipped by name. Clients are one program."""
import json
import os
import pathlib
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

from tools.suite.layout import ROOT

BENCH = ROOT / "build/release/bin/gateway_bench"
FIELD = ROOT / "build/release/bin/voltwell-field-sim"
SESSIONS = 19_000
BUSES, METERS = 100, 64
TURNAROUND_MS, GAP_MS = 30, 20
TICKS = os.sysconf("SC_CLK_TCK")
MOSQUITTO = """listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_inflight_messages 1
set_tcp_nodelay true
log_dest none
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def many_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Running:
    """A process that is ended with the block."""

    def __init__(self, *arguments, **options):
        self.began = time.monotonic()
        self.process = subprocess.Popen([str(a) for a in arguments], text=True, preexec_fn=many_files,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **options)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def line(self) -> str:
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError(f"{self.process.args[:3]} ended")
        return text.strip()

    def say(self, text: str) -> str:
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()
        return self.line()

    def user_seconds(self) -> float:
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]) / TICKS

    def anonymous(self) -> int:
        """User-space memory in bytes that belongs to nobody else and to no file."""
        text = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text()
        return 1024 * int(re.search(r"^Anonymous:\s+(\d+)", text, re.M)[1])


class Redis(Running):
    def __init__(self, folder: str):
        self.port = free_port()
        super().__init__("redis-server", "--port", self.port, "--bind", "127.0.0.1", "--save", "", "--dir", folder)
        while not answers(self.port):
            time.sleep(0.02)

    def sessions(self) -> int:
        """Keys but for the few that are no session."""
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.sendall(b"DBSIZE\r\n")
            return int(link.recv(64)[1:])


def gateway(port: int, count: int, redis: Redis, shards: int = 1) -> Running:
    return Running(BENCH, "serve", port, count, redis.port, ROOT / "deploy/dialects", shards)


def mosquitto(port: int, folder: str) -> Running:
    config = pathlib.Path(folder) / f"mosquitto-{port}.conf"
    config.write_text(MOSQUITTO.format(port=port))
    return Running("mosquitto", "-c", config)


def await_port(port: int) -> None:
    while not answers(port):
        time.sleep(0.01)


def registered(server: Running, port: int, kind: str) -> dict:
    """Bytes a session, registrations a CPU second, and seconds until the last acknowledgement."""
    time.sleep(1)
    memory, used = server.anonymous(), server.user_seconds()
    with Running(BENCH, "dial", port, SESSIONS, kind, 0) as clients:
        seconds = float(clients.line().split()[2])
        used = server.user_seconds() - used
        time.sleep(3)  # What the arrivals took for a moment is given back.
        return {"bytes": (server.anonymous() - memory) / SESSIONS, "rate": SESSIONS / max(used, 1 / TICKS), "seconds": seconds}


def sessions(results, folder: str, peer: bool) -> None:
    with Redis(folder) as redis:
        port = free_port()
        with gateway(port, SESSIONS, redis) as server:
            server.line()
            time.sleep(8)  # The directory is read and its signatures are verified.
            ours = registered(server, port, "collector")
        before = redis.sessions()
        port = free_port()
        with gateway(port, SESSIONS, redis) as server:
            await_port(port)
            with Running(BENCH, "dial", port, SESSIONS, "collector", 0) as clients:
                clients.line()
                acked = time.monotonic() - server.began
                while redis.sessions() < SESSIONS:
                    time.sleep(0.02)
                ours["restart"] = time.monotonic() - server.began
    if not peer:
        return
    port = free_port()
    with mosquitto(port, folder) as server:
        await_port(port)
        theirs = registered(server, port, "mqtt")
    port = free_port()
    with mosquitto(port, folder) as server:
        await_port(port)
        with Running(BENCH, "dial", port, SESSIONS, "mqtt", 0) as clients:
            clients.line()
            theirs["restart"] = time.monotonic() - server.began
    results.add("R1", "user-space memory of an idle registered session, 19,000 of them", ours["bytes"], 0.5, "bytes",
                peer=theirs["bytes"], at_most=True, note="anonymous memory of the process before and after")
    results.add("R2", "connects, registrations and acknowledgements a user-space CPU second", ours["rate"], 2, "1/s",
                peer=theirs["rate"], note="dialect login-ok against CONNECT/CONNACK, 64 in flight")
    results.add("R3", "restarted, until 19,000 sessions are routable again", ours["restart"], 0.5, "s", peer=theirs["restart"],
                at_most=True, note=f"all acknowledged after {acked:.2f} s, all in Redis after {ours['restart']:.2f} s ({before} keys "
                                   "of the run before); the start verifies 19,000 signatures of the directory")


def frames(results, folder: str, peer: bool, links: int = 200, seconds: int = 8) -> None:
    with Redis(folder) as redis:
        port = free_port()
        with gateway(port, links, redis) as server:
            server.line()
            time.sleep(3)
            with Running(BENCH, "dial", port, links, "meter", 0) as clients:
                clients.line()
                server.say("load")
                time.sleep(1)
                first = server.say("usage").split()
                time.sleep(seconds)
                last = server.say("usage").split()
    done = int(last[5]) - int(first[5])
    ours = done / (float(last[3]) - float(first[3]))
    if not peer:
        return
    port = free_port()
    with mosquitto(port, folder) as server:
        await_port(port)
        with Running(BENCH, "dial", port, links, "mqtt-publish", seconds) as clients:
            clients.line()
            used = server.user_seconds()
            theirs = int(clients.line().split()[1]) / (server.user_seconds() - used)
    results.add("R4", "frames cut, checked and routed a user-space CPU second", ours, 3, "1/s", peer=theirs,
                note=f"{links} links, one in flight on each, {done / seconds:.0f} exchanges/s; ours is the shards' threads, not the load that asks")


def park(folder: str, port: int) -> str:
    path = pathlib.Path(folder) / "r25.json"
    path.write_text(json.dumps({"version": 1, "name": "r25", "tenant": "bench", "seed": 25, "sites": [
        {"id": "bench", "name": "bench", "time_zone": "UTC"}], "templates": [
        {"id": "VW-R25-{collector:4}", "collectors": BUSES, "buses": 1, "meters": METERS, "site": "bench", "spread": 0.3,
         "reconnect_delay_ms": 500, "reconnect_jitter_ms": 100, "address_pattern": "25{collector:4}{bus:2}{meter:4}",
         "bus": {"wire_time": True, "baud": 2400, "turnaround_ms": TURNAROUND_MS, "packet_gap_ms": GAP_MS},
         "meter": {"site": "bench", "phases": 1, "faults": {"drop_reply_rate": 0.01}}}]}))
    return str(path)


def buses(results, folder: str, seconds: int, flappers: int) -> list:
    port = free_port()
    with Running(BENCH, "buses", port, BUSES, METERS, seconds, flappers, TURNAROUND_MS, GAP_MS) as server:
        server.line()
        with Running(FIELD, "--park", park(folder, port), "--target", f"127.0.0.1:{port}", "--admin-port", 0):
            lines = [server.line(), server.line()]
    print("\n".join(lines), flush=True)
    return [dict(zip(("utilisation", "ok", "lost", "other", "flaps", "user"), map(float, re.findall(r"[\d.]+", line)))) for line in lines]


def utilisation(results, folder: str, seconds: int) -> None:
    alone = buses(results, folder, seconds, 0)
    mean = sum(half["utilisation"] for half in alone) / 2
    results.add("R25", "bus utilisation, 100 buses at 2400 baud with 64 meters each, 1 % lost answers", mean, 0.95, "of its bound",
                note=f"{seconds} s from the first question on, nothing learned yet: first half {alone[0]['utilisation']:.4f}, "
                     f"second {alone[1]['utilisation']:.4f}")
    flapping = buses(results, folder, 60, 2000)
    asked = sum(flapping[0][what] for what in ("ok", "lost")) + sum(flapping[1][what] for what in ("ok", "lost"))
    failed = flapping[1]["other"]
    results.add("R25f", "the same while 2,000 more collectors flap", sum(half["utilisation"] for half in flapping) / 2, 0.95,
                "of its bound", note=f"{flapping[1]['flaps'] / 60:.0f} connects a second; of {asked:.0f} exchanges {failed:.0f} ended "
                                     "otherwise than answered or lost on the wire")


def run(results) -> None:
    peer = shutil.which("mosquitto") is not None
    if peer:
        version = subprocess.run(["mosquitto", "-h"], stdout=subprocess.PIPE, text=True).stdout.split("\n")[0]
        print(f"peer: {version}; configuration: {MOSQUITTO.strip()!r}", flush=True)
    else:
        print("skipped: R1, R2, R3, R4 (mosquitto is not installed)", flush=True)
    folder = tempfile.mkdtemp(prefix="voltwell-bench-")
    try:
        sessions(results, folder, peer)
        frames(results, folder, peer)
        utilisation(results, folder, seconds=120)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
