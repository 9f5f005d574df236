"""The soak in small: a day compressed to two hours, a park of 300, in less than a minute. tests/long runs the whole."""
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve().parent


def soak(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-B", str(HERE / "soak.py"), *arguments])


class Soak(unittest.TestCase):
    def test_a_compressed_day_of_a_small_park_has_one_owner_no_leak_and_its_readings(self):
        self.assertEqual(0, soak("--collectors", "300", "--hours", "2", "--scale", "160").returncode)


if __name__ == "__main__":
    unittest.main()
