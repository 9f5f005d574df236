"""24 simulated hours of 2,000 collectors with random faults; about 12 minutes. See tests/soak/soak.py."""
import pathlib
import subprocess
import sys
import unittest

SOAK = pathlib.Path(__file__).resolve().parents[1] / "soak/soak.py"


class Soak(unittest.TestCase):
    def test_a_day_of_two_thousand_collectors_has_one_owner_no_leak_and_its_readings(self):
        self.assertEqual(0, subprocess.run([sys.executable, "-B", str(SOAK)]).returncode)


if __name__ == "__main__":
    unittest.main()
