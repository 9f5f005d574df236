"""libmbus as the peer of R20: its C sources come inside npm's node-mbus, pinned in tests/bench/libmbus, and are built
into .cache. A development dependency of tools/bench and of nothing else."""
import hashlib
import pathlib
import shutil
import subprocess

from tools.suite.layout import ROOT

PINNED = ROOT / "tests/bench/libmbus"
CACHE = ROOT / ".cache/libmbus"
SOURCES = ("mbus-protocol.c", "mbus-protocol-aux.c", "mbus-serial.c", "mbus-tcp.c")


def shared_library() -> tuple[pathlib.Path | None, str]:
    """The library, or None and why it cannot be had."""
    npm, compiler = shutil.which("npm"), shutil.which("cc")
    if npm is None or compiler is None:
        return None, "npm is missing" if npm is None else "cc is missing"
    inputs = b"".join((PINNED / name).read_bytes() for name in ("package-lock.json", "peer.c"))
    library = CACHE / f"libmbus-{hashlib.sha256(inputs).hexdigest()[:12]}.so"
    if library.exists():
        return library, ""
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(PINNED / name, CACHE / name)
    done = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=CACHE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        return None, f"npm ci failed: {done.stdout[-300:]}"
    sources = CACHE / "node_modules/node-mbus/libmbus/mbus"
    # As node-gyp would build them; -w, since they are not ours to warn about.
    done = subprocess.run([compiler, "-O3", "-w", "-shared", "-fPIC", "-D_GNU_SOURCE", f"-I{sources}", "-o", library, PINNED / "peer.c",
                           *(sources / name for name in SOURCES), "-lm"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (library, "") if done.returncode == 0 else (None, f"cc failed: {done.stdout[-300:]}")
