"""The contract is tidy: buf lint and format, breaking changes against the last landed state, comments on every field."""
import pathlib
import re
import shutil
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache/buf"
BUF = CACHE / "node_modules/.bin/buf"
VERSION = "1.75.0"


def buf() -> str:
    if not BUF.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise unittest.SkipTest("buf is not here and neither is npm to install it")
        CACHE.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([npm, "install", "--prefix", str(CACHE), "--ignore-scripts", "--no-audit", "--no-fund",
                               f"@bufbuild/buf@{VERSION}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest(f"buf cannot be had: {done.stdout.strip().splitlines()[-1][:120]}")
    return str(BUF)


class Contract(unittest.TestCase):
    def run_buf(self, *arguments: str) -> None:
        done = subprocess.run([buf(), *arguments], cwd=ROOT / "proto", stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(0, done.returncode, done.stdout)

    def test_buf_lint_finds_nothing(self):
        self.run_buf("lint")

    def test_buf_format_finds_nothing(self):
        self.run_buf("format", "-d", "--exit-code")

    def test_every_message_field_and_method_has_a_comment(self):
        findings = []
        for path in sorted((ROOT / "proto").rglob("*.proto")):
            lines = path.read_text().split("\n")
            for number, line in enumerate(lines):
                stripped = line.strip()
                declares = re.match(r"(message|enum|service|rpc)\s+\w+", stripped) or re.match(
                    r"(repeated |optional |map<[^>]+> )?[\w.]*\s*\w+ = \d+( \[.*\])?;$", stripped)
                value = re.match(r"[A-Z0-9_]+ = \d+;$", stripped)
                if declares and not value and not lines[number - 1].strip().startswith("//"):
                    findings.append(f"{path.relative_to(ROOT)}:{number + 1}: {stripped}")
        self.assertEqual([], findings)

    def test_files_txt_lists_every_proto(self):
        listed = (ROOT / "proto/files.txt").read_text().split()
        self.assertEqual(sorted(str(p.relative_to(ROOT / "proto")) for p in (ROOT / "proto/voltwell").rglob("*.proto")), sorted(listed))


if __name__ == "__main__":
    unittest.main()
