"""tools/test: every kind of test, one after another, and one closing line for all."""
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree
from concurrent.futures import ThreadPoolExecutor

from tools.suite.layout import ROOT

RUN = ROOT / ".run/test"


class Tally:
    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures, self.skips = [], []

    def add(self, name: str, ok: bool) -> None:
        if ok:
            self.passed += 1
        else:
            self.failed += 1
            self.failures.append(name)

    def skip(self, name: str, why: str) -> None:
        self.skipped += 1
        self.skips.append(f"{name}: {why}")


def say(text: str) -> None:
    print(text, flush=True)


def build(tally: Tally, preset: str, *targets: str) -> bool:
    say(f"-- build {preset} {' '.join(targets)}")
    ok = subprocess.run(["tools/build", preset, *targets], cwd=ROOT).returncode == 0
    if not ok:
        tally.add(f"build {preset}", False)
    return ok


def ctest(tally: Tally, preset: str, *selection: str, jobs: int = 2) -> None:
    """Counts each test program once; prints the output of those that failed."""
    RUN.mkdir(parents=True, exist_ok=True)
    report = RUN / f"ctest-{preset}-{'-'.join(re.sub('[^a-z]', '', s) for s in selection)}.xml"
    subprocess.run(["ctest", "--test-dir", f"build/{preset}", "--output-on-failure", f"-j{jobs}", "--output-junit", str(report),
                    *selection], cwd=ROOT, stdout=subprocess.DEVNULL if os.environ.get("QUIET") else None)
    for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
        tally.add(f"{preset}/{case.get('name')}", case.get("status") == "run")


def unittests(tally: Tally, directory: str, pattern: str = "test_*.py", environment: dict | None = None) -> None:
    """Runs a directory of Python tests; each prints a line of its own."""
    done = subprocess.run([sys.executable, "-B", "-m", "tools.suite.unittest_lines", directory, pattern], cwd=ROOT,
                          env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True)
    counted = 0
    for line in done.stdout.split("\n"):
        if match := re.match(r"(ok|FAILED|skipped) (test_\S+|setUpClass\S+)(?: \((.*)\))?$", line):
            counted += 1
            if match[1] == "skipped":
                tally.skip(match[2], match[3] or "")
            else:
                tally.add(match[2], match[1] == "ok")
        print(line)
    if done.returncode != 0 and (counted == 0 or "FAILED " not in done.stdout):
        tally.add(directory, False)


def unit(tally: Tally) -> None:
    if build(tally, "dev"):
        ctest(tally, "dev", "-L", "unit")


def integration(tally: Tally) -> None:
    if build(tally, "dev"):
        ctest(tally, "dev", "-L", "integration")
        unittests(tally, "tests/soak")


def e2e(tally: Tally) -> None:
    if build(tally, "dev"):
        web_build(tally)
        unittests(tally, "tests/e2e")
        unittests(tally, "tests/balancer")


def web_build(tally: Tally) -> bool:
    done = subprocess.run(["tools/web_build"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        say(done.stdout[-3000:])
        tally.add("web build", False)
    return done.returncode == 0


def web(tally: Tally) -> None:
    if web_build(tally):
        done = subprocess.run(["tools/web_build", "test"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        say(done.stdout[-6000:])
        match = re.search(r"Tests\s+(?:(\d+) failed \| )?(\d+) passed", re.sub(r"\x1b\[[0-9;]*m", "", done.stdout))
        tally.passed += int(match[2]) if match else 0
        for _ in range(int(match[1] or 0) if match else 1):
            tally.add("web", False)


def tidy(tally: Tally) -> None:
    if build(tally, "dev", "help"):
        unittests(tally, "tests/tidy")


def proto(tally: Tally) -> None:
    unittests(tally, "tests/proto")


def deploy(tally: Tally) -> None:
    unittests(tally, "tests/deploy")


def asan(tally: Tally) -> None:
    if build(tally, "asan"):
        ctest(tally, "asan", "-L", "address")


def tsan(tally: Tally) -> None:
    if build(tally, "tsan"):
        ctest(tally, "tsan", "-L", "thread")


def fuzz(tally: Tally, seconds: int = 30) -> None:
    """From the committed corpora, as many at once as there are cores; a crash is kept in .run/fuzz."""
    if not build(tally, "fuzz"):
        return
    found = ROOT / ".run/fuzz"

    def run(program: pathlib.Path) -> subprocess.CompletedProcess:
        corpus = ROOT / "tests/fuzz/corpus" / program.name.removesuffix("_fuzz")
        work = found / program.name
        work.mkdir(parents=True, exist_ok=True)
        return subprocess.run([str(program), f"-max_total_time={seconds}", f"-artifact_prefix={found}/{program.name}-",
                               "-verbosity=0", "-print_final_stats=1", str(work), *([str(corpus)] if corpus.is_dir() else [])],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    programs = sorted((ROOT / "build/fuzz/fuzz").iterdir())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, done in zip(programs, pool.map(run, programs)):
            runs = re.search(r"number_of_executed_units: (\d+)", done.stdout)
            say(f"fuzz {program.name}: {runs[1] if runs else 'no'} executions, {'ok' if done.returncode == 0 else 'FAILED'}")
            if done.returncode != 0:
                say(done.stdout[-3000:])
            tally.add(f"fuzz/{program.name}", done.returncode == 0)


def random_sessions(tally: Tally, seconds: int) -> None:
    """The gateway's sessions under random bytes and times, by seeds that CI does not use."""
    if build(tally, "asan", "gateway_session_test"):
        seed = int(time.time()) % 1_000_000
        done = subprocess.run([ROOT / "build/asan/tests/gateway_session_test", "random boxes*"], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, env={
                                  **os.environ, "VOLTWELL_RANDOM_SECONDS": str(seconds), "VOLTWELL_RANDOM_SEED": str(seed)})
        lines = [line for line in done.stdout.split("\n") if line and not line.startswith("{")]
        say("\n".join(lines[-8 if done.returncode == 0 else -60:]))
        tally.add(f"asan/random sessions from seed {seed}", done.returncode == 0)


def long(tally: Tally) -> None:
    if build(tally, "dev", "gateway_soak"):
        unittests(tally, "tests/long")
    random_sessions(tally, seconds=300)
    fuzz(tally, seconds=300)


KINDS = {"tidy": tidy, "unit": unit, "integration": integration, "proto": proto, "web": web, "e2e": e2e, "asan": asan,
         "tsan": tsan, "fuzz": fuzz, "deploy": deploy}


def main() -> int:
    chosen = sys.argv[1:] or list(KINDS)
    known = {**KINDS, "long": long}
    for name in chosen:
        if name not in known:
            print(f"tools/test: {name} is not one of {', '.join(known)}", file=sys.stderr)
            return 2
    tally = Tally()
    for name in chosen:
        began = time.monotonic()
        say(f"== {name}")
        known[name](tally)
        say(f"== {name}: {time.monotonic() - began:.0f} s")
    for line in tally.failures:
        say(f"FAILED {line}")
    for line in tally.skips:
        say(f"skipped {line}")
    say(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
