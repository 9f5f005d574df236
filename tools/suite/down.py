"""tools/down: stops the supervisor, which stops everything else; kills by pid what a killed supervisor left behind."""
import argparse
import json
import os
import pathlib
import signal
import sys
import time

from tools.suite import layout as layouts

PATIENCE = 60.0  # Seconds for everything to stop.


def alive(pid: int) -> bool:
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def stop(data: pathlib.Path) -> list:
    """Stops all of the installation in `data`; returns the names of what had to be killed."""
    pids_file = data / "pids.json"
    if not pids_file.exists():
        return []
    pids = json.loads(pids_file.read_text())
    members = {"supervisor": pids["supervisor"], **pids["processes"]}
    if alive(pids["supervisor"]):
        os.kill(pids["supervisor"], signal.SIGTERM)
        end = time.monotonic() + PATIENCE
        while alive(pids["supervisor"]) and time.monotonic() < end:
            time.sleep(0.05)
    killed = []
    for name, pid in members.items():
        if alive(pid) and _is_ours(name, pid):
            os.kill(pid, signal.SIGKILL)
            killed.append(name)
    pids_file.unlink(missing_ok=True)
    return killed


def _is_ours(name: str, pid: int) -> bool:
    """A pid may have been given to somebody else's process since it was written."""
    command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
    base = name.split(".")[0]
    return any(word in command for word in (f"voltwell-{base.replace('_', '-')}", "tools.suite.supervisor", f"{base}-server",
                                            "bin/postgres"))


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/down", description="Stops what tools/up started; data stays.")
    parser.add_argument("--data", default=str(layouts.ROOT / ".run"))
    data = pathlib.Path(parser.parse_args().data).resolve()
    if not (data / "pids.json").exists():
        print("Nothing is running.")
        return 0
    killed = stop(data)
    print("Stopped." if not killed else f"Stopped; had to be killed: {', '.join(killed)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
