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

from tools.suite import bench_gateway, client, layout as layouts, libmbus
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
    programs = ROOT / "build/release/bin"
    goals = {"R21a": 20e6, "R21b": 10e6, "R21c": 10e6, "R21e": 300e3}
    # Two processes on a shared machine: the median of some runs.
    for command, runs in (([programs / "codec_bench"], 1),
                          ([programs / "rpc_bench", programs / "voltwell-protocol-codec"], 5)):
        measured = {}
        for _ in range(runs):
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            for line in done.stdout.splitlines():
                if match := re.match(r"(R21[a-e]) ([\d.e+]+) (?:(\w+/s) )?(.*)", line):
                    measured.setdefault(match[1], ([], match[3], match[4]))[0].append(float(match[2]))
        for identity, (values, unit, what) in measured.items():
            median = sorted(values)[len(values) // 2]
            note = "" if runs == 1 else f"median of {runs} runs: " + ", ".join(f"{value:.3g}" for value in values)
            results.add(identity, what, median, goals.get(identity, 2), unit or "x", at_most=unit is None, note=note)
    mbus(results)


def mbus(results: Results) -> None:
    """R20: typed, exact records against libmbus, which parses only; the same frames in the same run."""
    library, why = libmbus.shared_library()
    command = [str(ROOT / "build/release/bin/mbus_bench"), *([str(library)] if library else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    rates = {line.split()[0]: line for line in done.stdout.splitlines()}
    if library is None:
        print(f"R20 skipped: libmbus cannot be had ({why}); ours alone: {rates['R20']}", flush=True)
        return
    ours, theirs = (float(rates[name].split()[1]) for name in ("R20", "libmbus"))
    results.add("R20", "M-Bus decoded to typed records, against libmbus parse only", ours, 5, "frames/s", peer=theirs,
                note=f"{rates['R20']}; {rates['mbus']}; {rates['libmbus']}; libmbus of node-mbus 2.2.6, -O3")


# The same for us and both peers; none that a peer does not know (W, L-n).
CRON_ZONE = "Europe/Berlin"
CRON_EXPRESSIONS = {"quarter_hour": "0 */15 * * * *", "office_hours": "0 0,30 8-18 * * 1-5", "daily": "0 30 2 * * *",
                    "monthly": "0 0 0 1 * *", "leap_day": "0 0 0 29 2 *"}


def cron_rates(command: list) -> dict:
    """Calls per CPU-second, by the names of CRON_EXPRESSIONS."""
    lines = "".join(f"{name} {text}\n" for name, text in CRON_EXPRESSIONS.items())
    done = subprocess.run([*map(str, command), CRON_ZONE], input=lines, stdout=subprocess.PIPE, text=True, check=True)
    return {name: float(rate) for name, rate in (line.split() for line in done.stdout.splitlines())}


def robfig_cron() -> tuple[list | None, str]:
    """The peer's command, or why there is none."""
    source, program = ROOT / "tests/bench/cron_peer", ROOT / ".cache/go/bin/cron_peer"
    if not shutil.which("go"):
        return None, "go is not installed"
    done = subprocess.run(["go", "build", "-mod=readonly", "-o", str(program), "."], cwd=source, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        return None, f"its module cannot be had: {done.stdout.strip().splitlines()[-1][:120]}"
    version = re.search(r"robfig/cron/v3 (\S+)", (source / "go.mod").read_text())[1]
    compiler = subprocess.run(["go", "version"], stdout=subprocess.PIPE, text=True).stdout.split()[2]
    return [program], f"robfig/cron {version}, {compiler}"


def croniter() -> tuple[list | None, str]:
    """The peer's command, or why there is none. Debian's Python, since the package is Debian's."""
    found = subprocess.run(["/usr/bin/python3", "-c", "import importlib.metadata as m; print(m.version('croniter'))"],
                           stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if found.returncode != 0:
        return None, "python3-croniter is not installed (tools/install bench)"
    return ["/usr/bin/python3", ROOT / "tests/bench/cron_peer/croniter_peer.py"], f"croniter {found.stdout.strip()}"


def cron(results: Results) -> None:
    """R18: the worst ratio over the expressions counts, so that no easy one hides a hard one."""
    ours = cron_rates([ROOT / "build/release/bin/cron_bench"])
    for identity, goal, peer in (("R18a", 5, robfig_cron), ("R18b", 500, croniter)):
        command, about = peer()
        if command is None:
            print(f"{identity} skipped: {about}", flush=True)
            continue
        print(f"peer of {identity}: {about}; {' '.join(map(str, command))} {CRON_ZONE}", flush=True)
        theirs = cron_rates(command)
        worst = min(theirs, key=lambda name: ours[name] / theirs[name])
        each = ", ".join(f"{name} {ours[name] / theirs[name]:.0f} x ({ours[name]:.3g} to {theirs[name]:.3g})" for name in theirs)
        results.add(identity, f"cron's next time in {CRON_ZONE}, the worst of {len(theirs)} expressions ({worst})", ours[worst], goal,
                    "calls/CPU-s", peer=theirs[worst], note=f"{about}; {each}")


def scheduler(results: Results) -> None:
    cron(results)


def suite(results: Results) -> None:
    idle_memory(results)
    first_reading(results)
    exchanges(results)


GROUPS = {"codec": codec, "gateway": bench_gateway.run, "scheduler": scheduler, "suite": suite}


def mark(group: str) -> str:
    return f"<!-- below, to the next such line: written by tools/bench {group} -->"


def table(results: Results) -> str:
    lines = ["| id | what | ours | peer | ratio | goal | |", "|---|---|---|---|---|---|---|"]
    for row in results.rows:
        lines.append(f"| {row['id']} | {row['what']} | {row['ours']:g} {row['unit']} | {row['peer'] or '–'} | {row['ratio']:g} | "
                     f"{row['goal']} | {'pass' if row['pass'] else 'short'} |")
    notes = [f"- {row['id']}: {row['note']}" for row in results.rows if row["note"]]
    stamp = f"Measured {time.strftime('%Y-%m-%d')} on {os.cpu_count()} cores, release preset."
    return "\n".join([stamp, "", *lines, "", *notes]).rstrip() + "\n"


def write(group: str, results: Results) -> None:
    """Each group has a section of docs/bench.md and a part of .run/bench.json; those of other groups stay."""
    (ROOT / ".run").mkdir(exist_ok=True)
    file = ROOT / ".run/bench.json"
    kept = [row for row in (json.loads(file.read_text()) if file.exists() else []) if row.get("group") != group]
    file.write_text(json.dumps(kept + [{**row, "group": group} for row in results.rows], indent=1) + "\n")
    page = ROOT / "docs/bench.md"
    head, *sections = re.split(r"(?m)^(?=<!-- below)", page.read_text())
    sections = [section for section in sections if not section.startswith(mark(group))]
    sections.append(f"{mark(group)}\n## {group}\n\n{table(results)}\n")
    order = {mark(name): index for index, name in enumerate(GROUPS)}
    sections.sort(key=lambda section: order.get(section.split("\n")[0], len(order)))
    page.write_text((head + "".join(sections)).rstrip() + "\n")


def main() -> int:
    chosen = sys.argv[1:] or list(GROUPS)
    unknown = [name for name in chosen if name not in GROUPS]
    if unknown:
        print(f"tools/bench: {unknown[0]} is not one of {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    for name in chosen:
        results = Results()
        GROUPS[name](results)
        write(name, results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
