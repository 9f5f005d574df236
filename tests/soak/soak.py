"""A day of a park of collectors with random faults: two gateway pods on one Redis, real sockets, only timers scaled.

  python3 -B tests/soak/soak.py [--collectors 2000] [--meters 4] [--hours 24] [--scale 120] [--seed 4] [--preset dev]

Begins at 20:00. Each hour a run reads every meter; that of midnight may take until 06:00, as a city's nightly reading does. With
--hours other than 24 the whole day is compressed: an "hour" is then a 24th of it. Ends with a verdict on three questions: was a
session ever owned twice (checks.Owners), does memory grow (checks.Memory), was the reading done by "06:00" (QUALITY: >= 99.5 %).

Time goes at most --scale times as fast as ours, and slower when the machine cannot follow: a stalled machine is not a fault of the
line. Redis's own expiry runs in real time, so that routes of a killed pod stay longer than in the field: the harder case."""
import argparse
import heapq
import pathlib
import random
import resource
import select
import signal
import socket
import sys
import tempfile
import time
from collections import Counter

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from box import Collector  # noqa: E402
from checks import Memory, Owners, epoch_of  # noqa: E402
from machine import SECOND, Clock, Pod, Redis, RedisAway  # noqa: E402
from reader import Reader  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
STEP = SECOND // 10
LAG_MAX = 3 * STEP          # How far pods may be behind before time waits for them.
STALL = 60                  # Real seconds without a step: something hangs.
SUCCESS_PER_MILLE = 995
GROWTH_MAX = 384 * 1024     # Bytes after the warm-up, over all the rest of the day: about 6 for each exchange of that pod.
EVENING = 1_767_297_600     # 2026-01-01 20:00:00 UTC.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Soak:
    def __init__(self, options, directory: pathlib.Path):
        self.options, self.random = options, random.Random(options.seed)
        self.start = EVENING * SECOND
        self.hour = options.hours * 3600 * SECOND // 24
        self.end = self.start + 24 * self.hour + 60 * SECOND  # What is in flight ends.
        self.clock = Clock(directory / "clock", self.start)
        self.redis, self.redis_up, self.generation = Redis(free_port()), True, 1
        self.log = open(directory / "pods.log", "ab")
        program = ROOT / "build" / options.preset / "bin/gateway_soak"
        self.pods = [Pod(program, self.clock, slot, free_port(), self.redis.port, options.collectors, self.log) for slot in (0, 1)]
        self.epoll, self.by_fd = select.epoll(), {}
        self.timers, self.order = [], 0
        self.owners, self.memory = Owners(), Memory(self.start + 7 * self.hour)
        self.counts, self.last_link, self.held = Counter(), "0", {}
        self.collectors = [Collector(self, number) for number in range(options.collectors)]
        self.reader = Reader(self)

    # -- time

    @property
    def now(self) -> int:
        return self.clock.now

    def at(self, when: int, what, *arguments) -> None:
        self.order += 1
        heapq.heappush(self.timers, (when, self.order, what, arguments))

    def after(self, seconds: float, what, *arguments) -> None:
        self.at(self.now + int(seconds * SECOND), what, *arguments)

    def every(self, seconds: float, what) -> None:
        what()
        self.after(seconds, self.every, seconds, what)

    def note(self, text: str) -> None:
        hours = (self.now - self.start) / self.hour + 20
        print(f"{int(hours) % 24:02d}:{int(hours * 60) % 60:02d}  {text}", flush=True)

    def run(self) -> None:
        began = moved = time.monotonic()
        while self.now < self.end:
            real = time.monotonic()
            reached = min((self.clock.reached(pod.slot) for pod in self.pods if pod.up), default=self.now)
            # 0: just started, has not looked yet.
            if self.now + STEP <= self.start + (real - began) * self.options.scale * SECOND and (
                    reached == 0 or reached >= self.now + STEP - LAG_MAX):
                self.clock.move_to(self.now + STEP)
                moved = real
                while self.timers and self.timers[0][0] <= self.now:
                    _, _, what, arguments = heapq.heappop(self.timers)
                    what(*arguments)
                self.poll(0)
            else:
                assert real - moved < STALL, f"a pod hangs at {reached}, the time is {self.now}"
                self.poll(0.0005)

    def poll(self, patience: float) -> None:
        for fd, _ in self.epoll.poll(patience):
            owner = self.by_fd.get(fd)
            if isinstance(owner, Pod):
                self.on_pod(owner)
            elif owner is not None:
                owner.on_bytes()

    # -- pods

    def start_pod(self, pod: Pod) -> None:
        pod.start()
        fd = pod.process.stdout.fileno()
        self.by_fd[fd] = pod
        self.epoll.register(fd, select.EPOLLIN)

    def on_pod(self, pod: Pod) -> None:
        if pod.process is None:
            return
        fd = pod.process.stdout.fileno()
        for line in pod.lines():
            kind, _, rest = line.partition(" ")
            if kind == "result":
                self.reader.result(pod, *rest.split(" "))
            elif kind == "held":
                self.on_held(pod, rest)
            elif kind == "heap" and pod is self.pods[0] and not self.reader.flying:  # Reads under way are no leak.
                heap, sessions = rest.split(" ")
                self.memory.add(self.now, int(heap), int(sessions), pod.memory())
        if pod.gone():
            self.epoll.unregister(fd)
            del self.by_fd[fd]
            pod.forget()
            self.reader.pod_gone(pod)

    def end_pod(self, pod: Pod, number: signal.Signals) -> None:
        self.note(f"{'kill -9' if number == signal.SIGKILL else 'SIGTERM'} {pod.name}, {self.holding(pod)} collectors")
        pod.end(number)
        self.counts["pods killed" if number == signal.SIGKILL else "pods drained"] += 1
        self.after(max(10, self.hour / SECOND / 120), self.restart, pod)

    def restart(self, pod: Pod) -> None:
        if pod.process is not None:
            self.after(1, self.restart, pod)  # It still drains.
        else:
            self.start_pod(pod)

    def holding(self, pod: Pod) -> int:
        return sum(1 for c in self.collectors if c.socket is not None and c.dials.get(c.dial) == pod.name)

    # -- Redis

    def lose_redis(self) -> None:
        self.read_links()
        self.note("Redis is gone, with all that it knew")
        self.redis.kill()
        self.redis_up = False
        self.after(max(10, self.hour / SECOND / 30), self.restore_redis)

    def restore_redis(self) -> None:
        self.redis.start()
        self.last_link = "0"
        self.counts["Redis lost and restored"] += 1
        self.note("Redis is back, empty")
        self.after(3, self.publish)  # As the registry does when it sees that the generation is absent.

    def publish(self) -> None:
        self.generation += 1
        self.redis.call("SET", "directory:generation", self.generation)
        self.after(2, setattr, self, "redis_up", True)

    def read_links(self) -> None:
        try:
            rows = self.redis.call("XRANGE", "links", f"({self.last_link}" if self.last_link != "0" else "-", "+")
        except RedisAway:
            return
        for identifier, fields in rows:
            self.last_link = identifier
            self.owners.fact(dict(zip(fields[::2], fields[1::2])))

    # -- looks

    def ask_held(self) -> None:
        self.held = {}
        for pod in self.pods:
            if pod.up:
                pod.say("held\n")

    def on_held(self, pod: Pod, rest: str) -> None:
        self.held[pod.name] = dict(word.split("=") for word in rest.split())
        if len(self.held) < 2:
            return
        first, second = self.held.values()
        double = sorted(first.keys() & second.keys())
        in_redis = {}
        try:
            for name, value in zip(double, self.redis.call("MGET", *(f"session:{{{n}}}:1" for n in double)) if double else []):
                if value:
                    in_redis[name] = tuple(value.split(" ")[:2])
        except RedisAway:
            pass
        self.owners.held(self.held, in_redis, self.now, self.redis_up)

    # -- faults

    def storm(self) -> None:
        half = self.random.sample(self.collectors, len(self.collectors) // 2)
        self.note(f"reconnect storm of {len(half)} collectors")
        self.counts["storms"] += 1
        for collector in half:
            collector.drop(hard=self.random.random() < 0.5)

    def plan_faults(self) -> None:
        hour = lambda h: self.start + int(h * self.hour)  # noqa: E731
        # Half of them while a run is under way, which begins a minute (of 60 to the hour) past each hour.
        for h in (2.3, 5.1, 12, 19):
            self.at(hour(h) + self.hour // 60 + 6 * SECOND, self.storm)
        for h in (3.3, 15):
            self.at(hour(h) + self.hour // 60 + 4 * SECOND, self.lose_redis)
        for h, number in ((1, signal.SIGKILL), (4, signal.SIGKILL), (6, signal.SIGTERM), (9.5, signal.SIGKILL),
                          (13, signal.SIGTERM), (18, signal.SIGKILL), (21.5, signal.SIGTERM)):
            self.at(hour(h) + self.hour // 60 + 8 * SECOND, self.end_pod, self.pods[1], number)
        # Of the dark ones every second is dark in the very hours of the nightly reading: they cannot be read.
        for place, collector in enumerate(self.random.sample(self.collectors, max(1, len(self.collectors) // 200))):
            self.at(hour(4 if place % 2 == 0 else self.random.uniform(0, 6)), collector.go_dark, 6 * self.hour)
        for collector in self.collectors:
            collector.plan()

    # -- the day

    def day(self) -> dict:
        self.redis.start()
        self.publish()
        for pod in self.pods:
            self.start_pod(pod)
        end = time.monotonic() + 30
        while not all(pod.up for pod in self.pods):
            assert time.monotonic() < end, "the pods do not start"
            self.poll(0.05)
        self.plan_faults()
        self.reader.plan_runs()
        self.every(30, self.ask_held)
        self.every(self.hour / SECOND / 12, self.read_links)
        self.run()
        self.read_links()
        files = self.pods[0].files() - self.holding(self.pods[0])
        return {"files": files, "connected": sum(1 for c in self.collectors if c.socket is not None)}

    def stop(self) -> None:
        for pod in self.pods:
            if pod.process is not None:
                pod.process.kill()
                pod.forget()
        self.redis.kill()


def verdict(soak: Soak, last: dict, took: float) -> bool:
    owners, memory, reader = soak.owners, soak.memory.verdict(), soak.reader
    night = reader.runs[4]
    per_mille = 1000 * night.stored / night.planned
    nameless = sum(count for run in reader.runs for reason, count in run.failed.items() if not reason)
    open_left = sum(run.planned - run.stored - sum(run.failed.values()) for run in reader.runs)
    ok = {"h": not owners.breaches and owners.counts["answers"] > 0,
          "memory": abs(memory["growth"]) <= GROWTH_MAX and last["files"] < 40,
          "reading": per_mille >= SUCCESS_PER_MILLE and nameless == 0 and open_left == 0}
    total = Counter()
    for run in reader.runs:
        total.update({"planned": run.planned, "stored": run.stored})
        total.update({f"not read: {reason}": count for reason, count in run.failed.items()})
    print(f"\n{soak.options.collectors} collectors, {soak.options.meters} meters each, {soak.options.hours:g} simulated hours in {took:.0f} s "
          f"({soak.options.hours * 3600 / took:.0f} x)")
    print("faults     ", dict(soak.counts))
    print("attempts   ", dict(reader.outcomes))
    print("owners     ", dict(owners.counts))
    for text in owners.breaches[:10]:
        print("  BREACH", text)
    print(f"memory      of gateway-0: heap {memory['mean'] / 1024:.0f} KiB, {memory['per_session']:.0f} bytes a session, "
          f"slope {memory['slope'] / 1024:+.2f} KiB/h = {memory['growth'] / 1024:+.0f} KiB over {memory['samples']} samples after the "
          f"warm-up (at most {GROWTH_MAX // 1024}); open files beside sessions: {last['files']}")
    samples = soak.memory.samples
    print("            heap/sessions/resident KiB:", " ".join(f"{heap // 1024}/{sessions}/{resident // 1024}" for _, heap, sessions, resident
                                                           in samples[::max(1, len(samples) // 24)]))
    print(f"reading     by 06:00: {night.stored} of {night.planned} = {per_mille / 10:.3f} %; not read: {dict(night.failed)}")
    print(f"            all runs: {dict(total)}, {last['connected']} collectors connected at the end")
    for name, good in ok.items():
        print(f"{'passed' if good else 'FAILED'}  {name}")
    return all(ok.values())


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--collectors", type=int, default=2000)
    parser.add_argument("--meters", type=int, default=4)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--scale", type=float, default=120)
    parser.add_argument("--seed", type=int, default=4)
    parser.add_argument("--preset", default="dev")
    options = parser.parse_args()
    options.hours = int(options.hours) if options.hours == int(options.hours) else options.hours
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with tempfile.TemporaryDirectory(prefix="voltwell-soak-") as directory:
        soak = Soak(options, pathlib.Path(directory))
        began = time.monotonic()
        try:
            last = soak.day()
            return 0 if verdict(soak, last, time.monotonic() - began) else 1
        finally:
            soak.stop()


if __name__ == "__main__":
    sys.exit(main())
