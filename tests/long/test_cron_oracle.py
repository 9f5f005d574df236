"""Cron against its oracle: 10,000 random expressions in ten zones with changes of the clock, 2024 to 2037. Minutes of CPU:
not part of CI's run, in which a part of it is."""
import pathlib
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class CronOracle(unittest.TestCase):
    def test_10_000_expressions_in_each_zone(self):
        # Optimized: the oracle walks through each minute.
        subprocess.run(["tools/build", "release", "cron_test"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(["build/release/tests/cron_test", "[long]"], cwd=ROOT, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        self.assertEqual(0, done.returncode, done.stdout[-3000:])
        self.assertEqual(10, done.stdout.count("10000 expressions"), done.stdout[-3000:])


if __name__ == "__main__":
    unittest.main()
