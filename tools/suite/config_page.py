"""Writes docs/config.md from what the programs say of themselves (--help). Usage: python3 -m tools.suite.config_page [PRESET]"""
import re
import subprocess
import sys

from tools.suite.layout import ROOT, SERVICES

HEAD = """# Configuration

Every option is declared once in a service's `config.h` or by the library it configures. A flag (`--pg-url=...`) beats the environment
(`VOLTWELL_PG_URL`), the environment beats the default. A secret may also be given as the path of a file (`--pg-password-file`).
`--print-config` prints what is in force (secrets masked), `--check-config` only checks. An unknown flag is a mistake.

This page is written by `tools/suite/config_page.py`; a test keeps it true.
"""


def page(preset: str = "dev") -> str:
    text = HEAD
    for service in SERVICES:
        program = ROOT / "build" / preset / "bin" / f"voltwell-{service.replace('_', '-')}"
        shown = subprocess.run([str(program), "--help"], stdout=subprocess.PIPE, text=True, check=True).stdout
        # Defaults that are paths of a build differ by machine.
        shown = shown.replace(str(ROOT) + "/", "")
        text += f"\n## {service}\n\n| option | environment | what it is |\n|---|---|---|\n"
        for name, variable, what in re.findall(r"^  --(\S+)  (VOLTWELL_\S+)\n((?:      .*\n)+)", shown, re.M):
            told = " ".join(line.strip() for line in what.strip().split("\n")).replace("|", "\\|")
            text += f"| `--{name}` | `{variable}` | {told} |\n"
    return text


if __name__ == "__main__":
    (ROOT / "docs/config.md").write_text(page(*sys.argv[1:]))
