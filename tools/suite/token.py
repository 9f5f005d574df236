"""tools/token: an identity token for grpcurl, good for 60 s and every service."""
import argparse
import pathlib
import sys

from tools.suite import keys, layout


def main() -> int:
    parser = argparse.ArgumentParser(prog="tools/token", description=__doc__)
    parser.add_argument("user", nargs="?", default="admin", help="who to be: admin (all permissions)")
    parser.add_argument("--tenant", default="demo", help="tenant id to act in (default demo)")
    parser.add_argument("--data", default=str(layout.ROOT / ".run"), help="the installation's directory")
    arguments = parser.parse_args()
    data = pathlib.Path(arguments.data).resolve()
    if not (data / "keys/tools.key").exists():
        print("tools/token: no development installation here; run tools/up first.", file=sys.stderr)
        return 1
    if arguments.user != "admin":
        print(f"tools/token: only admin is known, not {arguments.user}.", file=sys.stderr)
        return 1
    print(keys.token(data / "keys", list(layout.SERVICES), arguments.tenant, "tools/admin", ["*"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
