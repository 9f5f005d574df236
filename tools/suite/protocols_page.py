"""Writes the register tables of docs/protocols.md from the codec's data. Usage: python3 -m tools.suite.protocols_page [PRESET]"""
import subprocess
import sys

from tools.suite.layout import ROOT

PAGE = ROOT / "docs/protocols.md"
MARK = "<!-- below: written by tools/suite/protocols_page.py -->\n"


def page(preset: str = "dev") -> str:
    program = ROOT / "build" / preset / "bin/voltwell-codec"
    tables = subprocess.run([str(program), "page"], stdout=subprocess.PIPE, text=True, check=True).stdout
    head = PAGE.read_text().split(MARK)[0]
    return head + MARK + "\n" + tables.rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(*sys.argv[1:]))
