"""tools/bench: every figure against its goal, with shipped limits, metrics and logging on.

A line is `R29 7421 goal >=5000 pass` (id, ratio or figure, goal, verdict); tables go to docs/bench.md, all of it to .run/bench.json."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

from tools.suite import bench_gateway, client, layout as layouts
from tools.suite.layout import ROOT

TICKS = os.sysconf("SC_CLK_TCK")
BASE_PORT = 24000


class Results:
    def __init__(self):
        self.rows = []

    def add(self, identity: str, what: str, ours: float, goal: float, unit: str, peer: float | None = None,
            at_most: bool = False, note: str = "") -> None:
        ratio = ours / peer if peer else ours
        passed = ratio <= goal if at_most else ratio >= goal
        sign = "<=" if at_most else ">="
        self.rows.append({"id": identity, "what": what, "ratio": round(ratio, 3), "goal": f"{sign}{goal:g}", "pass": passed,
                          "ours": round(ours, 3), "peer": peer and round(peer, 3), "unit": unit, "note": note})
        print(f"{identity} {ratio:.4g} goal {sign}{goal:g} {'pass' if passed else 'short'}   {what}; {note}", flush=True)


class Installation:
    """A suite of its own, stopped at the end."""

    def __init__(self, *arguments: str):
        self.arguments = arguments

    def __enter__(self):
        self.data = pathlib.Path(tempfile.mkdtemp(prefix="voltwell-bench-"))
        self.data.chmod(0o755)
        began = time.monotonic()
        done = subprocess.run([sys.executable, "-B", "-m", "tools.suite.up", "--detach", "--data", str(self.data),
                               "--base-port", str(BASE_PORT), *self.arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        self.up_seconds = time.monotonic() - began
        if done.returncode != 0:
            subprocess.run([sys.executable, "-B", "-m", "tools.suite.down", "--data", str(self.data)], cwd=ROOT)
            raise RuntimeError(f"tools/up failed: {done.stdout[-2000:]}; logs in {self.data}/log")
        self.layout = layouts.Layout.load(self.data)
        admin = json.loads(self.layout.credentials.read_text())["admin"]
        self.api = client.Api(self.layout.port("http"))
        self.api.login(admin["user"], admin["password"])
        return self

    def __exit__(self, *_):
        subprocess.run([sys.executable, "-B", "-m", "tools.suite.down", "--data", str(self.data)], cwd=ROOT,
                       stdout=subprocess.DEVNULL)
        shutil.rmtree(self.data, ignore_errors=True)

    def pids(self) -> dict:
        """Process name to the pids of it and its children (PostgreSQL forks)."""
        parents = {}
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
        roots = json.loads(self.layout.pids.read_text())["processes"]
        return {name: [pid] + [child for child, parent in parents.items() if parent == pid] for name, pid in roots.items()}

    def cpu(self) -> dict:
        """CPU seconds used so far, by process."""
        used = {}
        for name, pids in self.pids().items():
            total = 0
            for pid in pids:
                try:
                    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                    total += int(fields[11]) + int(fields[12])
                except OSError:
                    continue
            used[name] = total / TICKS
        return used

    def memory(self) -> dict:
        """PSS in MiB, by process."""
        sizes = {}
        for name, pids in self.pids().items():
            total = 0
            for pid in pids:
                try:
                    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
                    total += int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])
                except OSError:
                    continue
            sizes[name] = total / 1024
        return sizes


def idle_memory(results: Results) -> None:
    with Installation("--no-demo") as suite:
        time.sleep(5)  # What start-up used once has been given back.
        sizes = suite.memory()
    ours = {name: size for name, size in sizes.items() if name not in ("postgres", "redis")}
    told = ", ".join(f"{name} {size:.1f}" for name, size in sorted(sizes.items(), key=lambda item: -item[1]))
    results.add("R27", "memory of the idle suite (PSS)", sum(ours.values()), 150, "MiB", at_most=True, note=told)


def first_reading(results: Results) -> None:
    with Installation() as suite:
        results.add("up", "built: tools/up to the first scheduled reading", suite.up_seconds, 20, "s", at_most=True)


def parts(suite: Installation) -> float:
    """The peer of R29: gRPC batches, TCP echo and COPY measured alone, in the same run and against the same PostgreSQL."""
    password = json.loads(suite.layout.secrets.read_text())["passwords"]["postgres"]
    url = f"postgresql://postgres:{password}@127.0.0.1:{suite.layout.port('postgres')}/postgres"
    done = subprocess.run([str(ROOT / "build/release/bin/parts_bench"), url], stdout=subprocess.PIPE, text=True, check=True)
    rates = dict(line.split()[1:] for line in done.stdout.splitlines())
    print(f"peer parts_bench: {rates}", flush=True)
    return float(rates["sum"])


def exchanges(results: Results, runs: int = 5) -> None:
    """10,000 meters behind 200 collectors without wire time, one register each, run after run."""
    with Installation("--park", str(ROOT / "deploy/demo/bench-10k.json")) as suite:
        for schedule in suite.api.pages("scheduler.ScheduleService/ListSchedules", "schedules"):
            suite.api.call("scheduler.ScheduleService/DeleteSchedule", {"requestId": f"bench-{schedule['name'][-12:]}",
                                                                        "name": schedule["name"]})
        peer = parts(suite)
        for identity, goal, registers, per in (("R29", 5000, ["1-0:1.8.0"], 1),
                                               ("R29b", 15000, [f"1-0:1.8.{n}" for n in range(5)], 5)):
            schedule = suite.api.call("scheduler.ScheduleService/CreateSchedule", {"requestId": f"bench-{identity}", "schedule": {
                "displayName": "bench", "cron": "0 0 0 1 1 *", "timeZone": "UTC", "registers": registers}})
            rates, before, began = [], suite.cpu(), time.monotonic()
            for number in range(runs):
                rates.append(per * one_run(suite.api, schedule["name"], f"bench-{identity}-{number}"))
            wall, after = time.monotonic() - began, suite.cpu()
            rate = sorted(rates)[len(rates) // 2]
            used = {name: after.get(name, 0) - before.get(name, 0) for name in before}
            items = 10000 * runs
            where = ", ".join(f"{name} {1e6 * seconds / items:.0f}" for name, seconds in sorted(used.items(), key=lambda i: -i[1]))
            unit = "exchanges/s" if per == 1 else "rows/s"
            results.add(identity, f"{unit} through all processes, {runs} runs of 10,000 meters, median", rate, goal, unit,
                        note=f"CPU us per exchange: {where}; {sum(used.values()) / wall:.2f} cores busy; the sum of the bare "
                             f"parts (gRPC batches, TCP echo, COPY) would be {peer:.0f} exchanges/s")


def one_run(api: client.Api, schedule: str, request_id: str) -> float:
    """Exchanges per second of one run, from the call that fires it to its end."""
    began = time.monotonic()
    run = api.call("scheduler.ScheduleService/RunSchedule", {"requestId": request_id, "name": schedule})
    while run["state"] != "STATE_DONE":
        if time.monotonic() - began > 120:
            raise RuntimeError(f"the run does not end: {run}")
        time.sleep(0.02)
        run = api.call("scheduler.ScheduleService/GetRun", {"name": run["name"]})
    if run["itemsStored"] != run["itemsTotal"]:
        raise RuntimeError(f"readings failed: {run}")
    return int(run["itemsStored"]) / (time.monotonic() - began)


def codec(results: Results) -> None:
    done = subprocess.run([str(ROOT / "build/release/bin/codec_bench")], stdout=subprocess.PIPE, text=True, check=True)
    goals = {"R21a": 20e6, "R21b": 10e6}
    for line in done.stdout.splitlines():
        if match := re.match(r"(R21[ab]) ([\d.e+]+) frames/s (.*)", line):
            results.add(match[1], match[3], float(match[2]), goals[match[1]], "frames/s")
        elif match := re.match(r"(R21c) ([\d.e+]+) (.*)", line):
            results.add(match[1], match[3], float(match[2]), 2, "x", at_most=True)


def suite(results: Results) -> None:
    idle_memory(results)
    first_reading(results)
    exchanges(results)


GROUPS = {"codec": codec, "gateway": bench_gateway.run, "suite": suite}
MARK = "<!-- below: written by tools/bench -->"


def write(results: Results) -> None:
    (ROOT / ".run").mkdir(exist_ok=True)
    (ROOT / ".run/bench.json").write_text(json.dumps(results.rows, indent=1) + "\n")
    page = ROOT / "docs/bench.md"
    head = page.read_text().split(MARK)[0]
    lines = ["| id | what | ours | peer | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in results.rows:
        lines.append(f"| {row['id']} | {row['what']} | {row['ours']:g} {row['unit']} | {row['peer'] or '–'} | {row['ratio']:g} | "
                     f"{row['goal']} | {'pass' if row['pass'] else 'short'} |")
    notes = [f"- {row['id']}: {row['note']}" for row in results.rows if row["note"]]
    cores = os.cpu_count()
    stamp = f"Measured {time.strftime('%Y-%m-%d')} on {cores} cores, release preset."
    page.write_text(head + MARK + "\n\n" + stamp + "\n\n" + "\n".join(lines) + "\n\n" + "\n".join(notes) + "\n")


def main() -> int:
    chosen = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        print(f"tools/bench: {unknown[0]} is not one of {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    results = Results()
    for name in chosen:
        GROUPS[name](results)
    if chosen == list(GROUPS):
        write(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
