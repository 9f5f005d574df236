"""The console in Chromium, in Chinese and English, at the width of a desk and of a phone. Screenshots go to .run/screens."""
import os
import pathlib
import shutil
import subprocess
import unittest

from suite import ROOT, Suite

CACHE = ROOT / ".cache/page"
VERSION = "1.64.1"


class Page(Suite):
    arguments = ()

    @classmethod
    def setUpClass(cls):
        if not shutil.which("chromium"):
            raise unittest.SkipTest("chromium is not installed")
        cls.node = pathlib.Path(subprocess.run(["tools/node"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout.strip())
        if not (CACHE / "node_modules/playwright-core").is_dir():
            CACHE.mkdir(parents=True, exist_ok=True)
            done = subprocess.run([str(cls.node / "npm"), "install", "--prefix", str(CACHE), "--ignore-scripts", "--no-audit",
                                   "--no-fund", f"playwright-core@{VERSION}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  text=True, env={**os.environ, "PATH": f"{cls.node}:{os.environ['PATH']}"})
            if done.returncode != 0:
                raise unittest.SkipTest(f"playwright-core cannot be had: {done.stdout.strip().splitlines()[-1][:120]}")
        (CACHE / "package.json").touch()
        super().setUpClass()

    def test_an_operator_sees_meters_live_and_reads_one_now(self):
        shots = ROOT / ".run/screens"
        shots.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([str(self.node / "node"), str(ROOT / "tests/e2e/page/look.mjs"), self.api.base,
                               self.admin["user"], self.admin["password"], str(shots)],
                              env={**os.environ, "PLAYWRIGHT_FROM": str(CACHE / "package.json")},
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
        print(done.stdout, flush=True)
        self.assertEqual(0, done.returncode, done.stdout)


if __name__ == "__main__":
    unittest.main()
