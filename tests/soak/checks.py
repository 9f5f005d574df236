"""What must hold all the time, and what was counted. A breach is kept as a sentence; the first ten are printed."""
from collections import Counter

from machine import SECOND

DOUBLE_MAX = 240 * SECOND  # A pod restates its sessions each minute; then at the latest it learns that it lost one.


def epoch_of(text: str) -> tuple:
    generation, _, counter = text.partition(".")
    return int(generation), int(counter)


class Owners:
    """Checker h: one owner of a session at any instant, seen from three sides: by answers, by the claims that Redis accepted,
    and by what the pods hold."""

    def __init__(self):
        self.breaches = []
        self.counter_owner = {}   # Epoch counter -> (collector, pod): given once, to one.
        self.claimed = {}         # Collector -> epoch of the latest claim.
        self.answered = {}        # Collector -> (dial, epoch counter) of the latest answer.
        self.double_since = {}    # Collector -> since when two pods hold it.
        self.counts = Counter()

    def breach(self, text: str) -> None:
        self.breaches.append(text)

    def answer(self, collector, pod: str, value: bytes, meter: int, epoch: str) -> None:
        """An OK. The box itself told which of its connections spoke: older ones must be silent once a newer one has spoken."""
        number, dial, shown = int.from_bytes(value[:2], "big"), int.from_bytes(value[2:6], "big"), value[6]
        self.counts["answers"] += 1
        if (number, shown) != (collector.number, meter):
            self.breach(f"{collector.name} meter {meter} was given the value of {number} meter {shown}")
            return
        if collector.dials.get(dial) != pod:
            self.breach(f"{collector.name}: {pod} answered for connection {dial}, which was made to {collector.dials.get(dial)}")
        counter = epoch_of(epoch)[1] if epoch != "-" else 0
        last_dial, last_counter = self.answered.get(collector.name, (0, 0))
        if dial < last_dial:
            self.breach(f"{collector.name}: connection {dial} answered after {last_dial} had")
        if counter and counter < last_counter:
            self.breach(f"{collector.name}: epoch {counter} answered after {last_counter} had")
        self.answered[collector.name] = (dial, max(counter, last_counter))

    def fact(self, fields: dict) -> None:
        """A row of the link stream, in Redis's order: what Redis took for true."""
        if fields["kind"] not in ("online", "offline"):
            return
        collector, pod, epoch = fields["collector"], fields["pod"], epoch_of(fields["epoch"])
        self.counts[fields["kind"]] += 1
        if fields["kind"] == "offline":
            self.counts[f"offline: {fields['reason']}"] += 1
        if self.counter_owner.setdefault(epoch[1], (collector, pod)) != (collector, pod):
            self.breach(f"epoch {epoch} of {self.counter_owner[epoch[1]]} was given to {collector} on {pod} too")
        latest = self.claimed.get(collector, (0, 0))
        if fields["kind"] == "online":
            if epoch <= latest:
                self.breach(f"{collector}: claim {epoch} of {pod} was taken after {latest}")
            self.claimed[collector] = epoch
        elif epoch > latest:
            self.breach(f"{collector}: {pod} told the end of {epoch}, which was never claimed; {latest} was")

    def held(self, by_pod: dict, in_redis: dict, now: int, redis_up: bool) -> None:
        """by_pod: pod -> {collector: epoch}, asked at about the same time; in_redis: collector -> (pod, epoch) of the doubles."""
        first, second = by_pod.values()
        double = first.keys() & second.keys()
        self.counts["looks at what pods hold"] += 1
        self.counts["seen on two pods, one of them fenced"] += len(double)
        for collector in double:
            valid = [pod for pod, held in by_pod.items() if in_redis.get(collector) == (pod, held[collector])]
            if len(valid) > 1:
                self.breach(f"{collector}: both pods hold it under the valid epoch {in_redis[collector]}")
            since = self.double_since.setdefault(collector, now)
            if not redis_up:
                self.double_since[collector] = now
            elif now - since > DOUBLE_MAX:
                self.breach(f"{collector}: on two pods for {(now - since) / SECOND:.0f} s")
                self.double_since[collector] = now
        for collector in list(self.double_since):
            if collector not in double:
                del self.double_since[collector]


class Memory:
    """Samples of what one pod's heap holds, and how it grows with time beside what its sessions need: the plane
    bytes = a + b * sessions + slope * hours through all samples after the warm-up, by least squares."""

    def __init__(self, warm_at: int):
        self.warm_at, self.samples = warm_at, []

    def add(self, now: int, heap: int, sessions: int, resident: int) -> None:
        self.samples.append((now, heap, sessions, resident))

    def verdict(self) -> dict:
        warm = [(1.0, float(sessions), (now - self.warm_at) / SECOND / 3600, heap)
                for now, heap, sessions, _ in self.samples if now >= self.warm_at]
        rows = [[sum(w[i] * w[j] for w in warm) for j in range(4)] for i in range(3)]
        for i in range(3):
            scale = rows[i][i]
            rows[i] = [value / scale for value in rows[i]]
            for k in range(3):
                if k != i:
                    rows[k] = [a - rows[k][i] * b for a, b in zip(rows[k], rows[i])]
        _, per_session, slope = (row[3] for row in rows)
        return {"samples": len(warm), "mean": sum(w[3] for w in warm) / len(warm), "per_session": per_session,
                "slope": slope, "growth": slope * (warm[-1][2] - warm[0][2])}
