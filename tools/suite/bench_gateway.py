"""tools/bench gateway: the collector gateway against mosquitto (R1 to R4) and a bare gRPC stream (R6), and its buses against what
the wire allows (R25).

Ours is the gateway's core with a Redis of its own, shipped limits, metrics and logging; its gRPC face has a part in R6 only.
The peer is Debian's mosquitto; without it its figures are skipped by name. Clients are one program."""
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
COMMANDS = ROOT / "build/release/bin/command_bench"
FIELD = ROOT / "build/release/bin/voltwell-field-sim"
SESSIONS = 19_000
POLITE = 64  # Below the listen backlog of either side (mosquitto's is 100): a dropped SYN costs a second.
STORM = 2_000  # Collectors that dial at the same moment, as after a restart: more than mosquitto's backlog.
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

    def ask(self, *words: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words))
            return link.recv(64)

    def sessions_of(self, pod: str) -> int:
        """Buses that Redis says this pod holds: keys of a gateway that is gone do not count."""
        return int(self.ask("EVAL", "local n = 0; for _, key in ipairs(redis.call('KEYS', 'session:{*')) do if string.find("
                            "redis.call('GET', key), ARGV[1] .. ' ', 1, true) == 1 then n = n + 1 end end; return n", "0", pod)[1:])


class Gateway(Running):
    """Ours; `loaded` waits until the whole directory has been read and its signatures are verified."""

    def __init__(self, port: int, count: int, redis: Redis, pod: str, shards: int = 1):
        super().__init__(BENCH, "serve", port, count, redis.port, ROOT / "deploy/dialects", shards, pod)

    def figure(self, name: str) -> float:
        words = self.say("usage").split()
        if words == ["listening"]:
            words = self.line().split()
        return float(words[words.index(name) + 1])

    def loaded(self, count: int) -> None:
        self.line()
        while self.figure("directory") < count:
            time.sleep(0.1)


def mosquitto(port: int, folder: str) -> Running:
    config = pathlib.Path(folder) / f"mosquitto-{port}.conf"
    config.write_text(MOSQUITTO.format(port=port))
    return Running("mosquitto", "-c", config)


def await_port(port: int) -> None:
    while not answers(port):
        time.sleep(0.01)


def dialling(port: int, kind: str, seconds: int = 0, count: int = SESSIONS, in_flight: int = POLITE) -> Running:
    return Running(BENCH, "dial", port, count, kind, seconds, in_flight)


def registered(server: Running, port: int, kind: str) -> dict:
    """Bytes a session, and registrations a CPU second."""
    time.sleep(1)
    memory, used = server.anonymous(), server.user_seconds()
    with dialling(port, kind) as clients:
        clients.line()
        time.sleep(1)  # What is still to be told to Redis.
        used = server.user_seconds() - used
        time.sleep(14)  # What the arrivals took for a while is given back: unregistered connections have ten seconds.
        return {"bytes": (server.anonymous() - memory) / SESSIONS, "rate": SESSIONS / max(used, 1 / TICKS)}


def restarted(server: Running, port: int, kind: str, in_flight: int, routable) -> dict:
    """Seconds from the start of the process until all have their acknowledgement and are routable."""
    await_port(port)
    with dialling(port, kind, in_flight=in_flight) as clients:
        words = clients.line().split()
        acked = time.monotonic() - server.began
        while not routable():
            time.sleep(0.02)
        return {"all": time.monotonic() - server.began, "acked": acked, "client": float(words[3]) / float(words[2]),
                "server": server.user_seconds()}


def sessions(results, folder: str, peer: bool) -> None:
    ours, theirs = {}, {}
    with Redis(folder) as redis:
        port = free_port()
        with Gateway(port, SESSIONS, redis, "gateway-0") as server:
            server.loaded(SESSIONS)
            ours = registered(server, port, "collector")
        for i, in_flight in enumerate((POLITE, STORM)):
            port = free_port()
            pod = f"gateway-{i + 1}"
            with Gateway(port, SESSIONS, redis, pod) as server:
                ours[in_flight] = restarted(server, port, "collector", in_flight,
                                            lambda: server.figure("claims") >= SESSIONS and redis.sessions_of(pod) == SESSIONS)
    if not peer:
        return
    port = free_port()
    with mosquitto(port, folder) as server:
        await_port(port)
        theirs = registered(server, port, "mqtt")
    for in_flight in (POLITE, STORM):
        port = free_port()
        with mosquitto(port, folder) as server:
            theirs[in_flight] = restarted(server, port, "mqtt", in_flight, lambda: True)
    results.add("R1", "user-space memory of an idle registered session, 19,000 of them", ours["bytes"], 0.5, "bytes",
                peer=theirs["bytes"], at_most=True, note="anonymous memory of the process before and 15 s after")
    results.add("R2", "connects, registrations and acknowledgements a user-space CPU second", ours["rate"], 2, "1/s",
                peer=theirs["rate"], note=f"dialect login-ok against CONNECT/CONNACK, {POLITE} in flight; claims in Redis included")
    for name, in_flight, how in (("R3", POLITE, f"{POLITE} in flight"), ("R3s", STORM, f"{STORM:,} in flight")):
        mine, other = ours[in_flight], theirs[in_flight]
        results.add(name, f"restarted, until 19,000 sessions are routable again: {how}", mine["all"], 0.5, "s", peer=other["all"],
                    at_most=True, note=f"all acknowledged after {mine['acked']:.2f} s; the client's CPU was busy for {mine['client']:.0%} "
                                       f"(peer: {other['client']:.0%}) of the dialling, ours used {mine['server']:.2f} s of user time with "
                                       f"19,000 entries of the directory, the peer {other['server']:.2f} s")


def frames(results, folder: str, peer: bool, links: int = 200, seconds: int = 8) -> None:
    with Redis(folder) as redis:
        port = free_port()
        with Gateway(port, links, redis, "gateway-0") as server:
            server.loaded(links)
            with dialling(port, "meter", count=links) as clients:
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
        with dialling(port, "mqtt-publish", seconds, links) as clients:
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
    flapping = buses(results, folder, seconds, 2000)
    asked = sum(flapping[0][what] for what in ("ok", "lost")) + sum(flapping[1][what] for what in ("ok", "lost"))
    failed = flapping[1]["other"]
    results.add("R25f", "the same while 2,000 more collectors flap", sum(half["utilisation"] for half in flapping) / 2, 0.95,
                "of its bound", note=f"{flapping[1]['flaps'] / seconds:.0f} connects a second; of {asked:.0f} exchanges {failed:.0f} ended "
                                     "otherwise than answered or lost on the wire")


def commands(results, count: int = 4000) -> None:
    """R6: both ways, their caller and the boxes are one process; they take turns, one command at a time."""
    done = subprocess.run([str(COMMANDS), str(count)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    mine, mine99, bare, bare99 = (float(word) for word in done.stdout.split()[1:5])
    results.add("R6", "p99 of a command from the caller to the bytes on the collector's socket", mine99, 1.5, "us", peer=bare99,
                at_most=True, note=f"{count} each; medians {mine:.0f} and {bare:.0f} us. Ours is a call of its own with identity and limits, "
                                   "the peer one message on a stream that is open already, and a raw TCP write")


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
        commands(results)
        utilisation(results, folder, seconds=120)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
