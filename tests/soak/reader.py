"""What plans and repeats reads: a small model of the scheduler's road. It routes by Redis, and goes on after a failure as
services/meter_scheduler/domain/retry.cpp does; 10 attempts, of which only those that were sent count."""
from collections import Counter, deque

from machine import SECOND, RedisAway

CLAIM_MAX, CLAIM_EVERY = 512, 1
IN_FLIGHT_MAX = 2   # Of one bus.
ATTEMPTS_MAX = 10
SENT = ("noise", "timeout", "lost")


class Run:
    def __init__(self, number: int, fire: int, window: int):
        self.number, self.end = number, fire + window
        self.planned, self.stored, self.failed = 0, 0, Counter()


class Item:
    __slots__ = ("run", "collector", "meter", "attempts", "reason", "pod")

    def __init__(self, run: Run, collector, meter: int):
        self.run, self.collector, self.meter = run, collector, meter
        self.attempts, self.reason, self.pod = 0, "TOO_LATE", None


class Reader:
    def __init__(self, soak):
        self.soak, self.runs, self.outcomes = soak, [], Counter()
        self.ready = {}      # Collector -> items that are due.
        self.busy = Counter()  # Collector -> items in flight.
        self.flying, self.next_id = {}, 0

    def plan_runs(self) -> None:
        soak = self.soak
        for number in range(24):
            # The last one ends with the day.
            fire = soak.start + number * soak.hour + soak.hour // 60
            run = Run(number, fire, (6 * soak.hour if number == 4 else soak.hour) - soak.hour // 30)
            self.runs.append(run)
            soak.at(fire, self.fire, run)
            soak.at(run.end, self.close, run)
        soak.every(CLAIM_EVERY, self.claim)

    def fire(self, run: Run) -> None:
        for collector in self.soak.collectors:
            for meter in range(1, self.soak.options.meters + 1):
                run.planned += 1
                self.due(Item(run, collector, meter))

    def due(self, item: Item) -> None:
        if self.soak.now >= item.run.end:
            item.run.failed[item.reason] += 1
        else:
            self.ready.setdefault(item.collector, deque()).append(item)

    def close(self, run: Run) -> None:
        """The window is over: what still waits has failed; what is in flight or backs off is closed when it comes."""
        for collector, items in list(self.ready.items()):
            kept = deque()
            for item in items:
                if item.run is run:
                    run.failed[item.reason] += 1
                else:
                    kept.append(item)
            if kept:
                self.ready[collector] = kept
            else:
                del self.ready[collector]
        if run.number == 4:
            self.soak.note(f"06:00: {run.stored} of {run.planned} read")

    def claim(self) -> None:
        claimed = []
        for collector in list(self.ready):
            items = self.ready.pop(collector)
            while items and self.busy[collector] < IN_FLIGHT_MAX and len(claimed) < CLAIM_MAX:
                self.busy[collector] += 1
                claimed.append(items.popleft())
            if items:
                self.ready[collector] = items  # Behind the others, so that each gets its turn.
            if len(claimed) >= CLAIM_MAX:
                break
        if not claimed:
            return
        try:
            routes = self.soak.redis.call("MGET", *(f"session:{{{item.collector.name}}}:1" for item in claimed))
        except RedisAway:
            routes = ["busy"] * len(claimed)
        lines = {pod.name: [] for pod in self.soak.pods}
        for item, route in zip(claimed, routes):
            pod = next((p for p in self.soak.pods if route and p.up and route.startswith(p.name + " ")), None)
            if pod is None:
                # A pod that is gone and still stands in Redis is as good as a stream that breaks.
                self.ended(item, "offline" if not route else "busy" if route == "busy" else "gateway_lost")
                continue
            self.next_id = (self.next_id + 1) % (1 << 32)
            self.flying[self.next_id] = item
            item.pod = pod.name
            lines[pod.name].append(f"read {self.next_id} {item.collector.name} {item.meter} {item.attempts + 1}\n")
        for pod in self.soak.pods:
            if lines[pod.name]:
                pod.say("".join(lines[pod.name]))

    def result(self, pod, identifier: str, outcome: str, value: str, epoch: str, moved_to: str) -> None:
        item = self.flying.pop(int(identifier))
        if outcome == "ok":
            self.soak.owners.answer(item.collector, pod.name, bytes.fromhex(value), item.meter, epoch)
        self.ended(item, outcome)

    def pod_gone(self, pod) -> None:
        for identifier in [i for i, item in self.flying.items() if item.pod == pod.name]:
            self.ended(self.flying.pop(identifier), "gateway_lost")

    def ended(self, item: Item, outcome: str) -> None:
        soak, run = self.soak, item.run
        self.busy[item.collector] -= 1
        self.outcomes[outcome] += 1
        if outcome == "ok":
            run.stored += 1
            return
        item.attempts += outcome in SENT
        left, last, item.reason = (run.end - soak.now) / SECOND, item.reason, outcome.upper()
        if left <= 0 or (outcome in SENT and item.attempts >= ATTEMPTS_MAX):
            run.failed[item.reason] += 1
            return
        jitter = 0.75 + 0.5 * soak.random.random()
        wait = min(5 * 2 ** min(max(item.attempts - 1, 0), 6), 300) * jitter
        if outcome == "offline":
            wait = (min(max(left / 20, 2), 60) if last == item.reason else 2) * jitter
        if outcome in ("moved", "busy", "gateway_lost"):
            wait = 0.5 + soak.random.random()
        wait = max(min(wait, left / (max(1, ATTEMPTS_MAX - item.attempts) + 1)), 0.2)
        soak.after(wait, self.due, item)
