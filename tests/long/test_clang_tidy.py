"""clang-tidy over every unit that the dev preset compiles. About half an hour on two cores: not part of CI's run."""
import json
import pathlib
import shutil
import subprocess
import unittest
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[2]


class ClangTidy(unittest.TestCase):
    def test_every_unit_is_clean(self):
        if not shutil.which("clang-tidy-14"):
            self.skipTest("clang-tidy-14 is not installed")
        build = ROOT / "build/tidy"
        # Precompiled headers of g++ mean nothing to clang: a configuration of its own, for its command lines.
        subprocess.run(["cmake", "-G", "Ninja", "-S", str(ROOT), "-B", str(build), "-DCMAKE_CXX_COMPILER=clang++-14",
                        "-DVOLTWELL_PCH=OFF", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON", "-DCMAKE_BUILD_TYPE=Debug"],
                       check=True, stdout=subprocess.DEVNULL)
        # Generated headers must exist; generated code itself is not checked.
        targets = subprocess.run(["ninja", "-C", str(build), "-t", "targets", "all"], stdout=subprocess.PIPE, text=True).stdout
        headers = [line.split(":")[0] for line in targets.split("\n") if line.split(":")[0].endswith(".pb.h")]
        subprocess.run(["ninja", "-C", str(build), *headers], check=True, stdout=subprocess.DEVNULL)
        units = sorted({entry["file"] for entry in json.loads((build / "compile_commands.json").read_text())
                        if "/gen/" not in entry["file"]})

        def check(unit: str) -> str:
            # The analyzer walks Catch2's macros, not our code: in tests it costs half the time and finds nothing.
            checks = ["--checks=-clang-analyzer-*"] if unit.endswith("_test.cpp") else []
            done = subprocess.run(["clang-tidy-14", "--quiet", *checks, "-p", str(build), unit], stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL, text=True)
            return done.stdout if done.returncode else ""

        with ThreadPoolExecutor(2) as pool:
            findings = [text for text in pool.map(check, units) if text.strip()]
        self.assertEqual([], findings, "\n".join(findings)[:6000])


if __name__ == "__main__":
    unittest.main()
