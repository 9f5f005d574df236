"""Keeps the processes of an installation running: starts them, restarts one that died, stops all on SIGTERM.

Plays on one machine the part that Kubernetes plays in a cluster. Writes pids.json at each change."""
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from tools.suite import layout as layouts
from tools.suite import database, processes

RESTART_FIRST = 0.2  # Seconds before the first restart; doubled up to the last while a process keeps dying young.
RESTART_LAST = 5.0
YOUNG = 5.0
STOP_PATIENCE = 15.0  # Seconds between the stop signal and SIGKILL.
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """One supervised process."""

    def __init__(self, part: processes.Process, logs: pathlib.Path):
        self.part = part
        self.log = logs / f"{part.name}.log"
        self.delay = RESTART_FIRST
        self.restart_at = 0.0
        self.popen = None
        self.started = 0.0
        self.restarts = -1

    def start(self) -> None:
        with open(self.log, "ab") as log:
            self.popen = subprocess.Popen(
                self.part.command, env={**os.environ, **self.part.environment}, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, cwd="/", start_new_session=True, preexec_fn=_die_with_parent)
        self.started = time.monotonic()
        self.restarts += 1

    def may_start(self) -> bool:
        return self.part.after is None or self.part.after.exists()

    def watch(self, now: float) -> bool:
        """Restarts when due; true when something changed."""
        if self.popen is not None and self.popen.poll() is not None:
            self.delay = min(self.delay * 2, RESTART_LAST) if now - self.started < YOUNG else RESTART_FIRST
            self.restart_at = now + self.delay
            self.popen = None
            return True
        if self.popen is None and now >= self.restart_at and self.may_start():
            self.start()
            return True
        return False

    def stop(self) -> None:
        if self.popen is None:
            return
        self.popen.send_signal(getattr(signal, self.part.stop_signal))
        try:
            self.popen.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()


class Supervisor:
    def __init__(self, layout: layouts.Layout):
        self.layout = layout
        self.stopping = False
        secrets = json.loads(layout.secrets.read_text())
        layout.logs.mkdir(parents=True, exist_ok=True)
        self.passwords = secrets["passwords"]
        self.children = [Child(part, layout.logs) for part in processes.parts(layout, secrets)]

    def write_pids(self) -> None:
        layouts.write_json(self.layout.pids, {
            "supervisor": os.getpid(),
            "processes": {c.part.name: c.popen.pid for c in self.children if c.popen is not None},
            "restarts": {c.part.name: c.restarts for c in self.children}})

    def run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: setattr(self, "stopping", True))
        for child in self.children:
            if child.may_start():
                child.start()
            self.write_pids()
            if child.part.name == "postgres":
                database.prepare(self.layout, self.passwords, time.monotonic() + 60)
            if self.stopping:
                break
        while not self.stopping:
            now = time.monotonic()
            if any([child.watch(now) for child in self.children]):
                self.write_pids()
            time.sleep(0.05)
        for child in reversed(self.children):
            child.stop()
            self.write_pids()
        self.layout.pids.unlink(missing_ok=True)
        return 0


def main() -> int:
    layout = layouts.Layout.load(pathlib.Path(sys.argv[1]))
    try:
        return Supervisor(layout).run()
    except database.Failure as failure:
        (layout.data / "failure.txt").write_text(str(failure) + "\n")
        return 1


if __name__ == "__main__":
    sys.exit(main())
