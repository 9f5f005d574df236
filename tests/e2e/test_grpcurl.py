"""An engineer at night with grpcurl: health and describe are open, everything else needs a token."""
import os
import pathlib
import shutil
import subprocess
import unittest

from suite import ROOT, Suite

CACHE = ROOT / ".cache/go/bin"
METHOD = "voltwell.gateway.v1.GatewayService/ListSessions"


def grpcurl() -> str:
    for found in (shutil.which("grpcurl"), CACHE / "grpcurl"):
        if found and pathlib.Path(found).exists():
            return str(found)
    if not shutil.which("go"):
        raise unittest.SkipTest("grpcurl is not here and neither is go to install it")
    done = subprocess.run(["go", "install", "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.1"],
                          env={**os.environ, "GOBIN": str(CACHE)}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"grpcurl cannot be had: {done.stdout.strip().splitlines()[-1][:120]}")
    return str(CACHE / "grpcurl")


class Grpcurl(Suite):
    @classmethod
    def setUpClass(cls):
        cls.program = grpcurl()
        super().setUpClass()

    def ask(self, service: str, *arguments: str) -> tuple:
        port = self.layout.port(service)
        done = subprocess.run([self.program, "-plaintext", *arguments[:-1], f"127.0.0.1:{port}", *arguments[-1].split()],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def token(self) -> str:
        return subprocess.run(["tools/token", "admin", "--data", str(self.data)], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                              check=True).stdout.strip()

    def test_with_a_token_it_answers(self):
        code, text = self.ask("collector_gateway", "-H", f"authorization: Bearer {self.token()}", METHOD)
        self.assertEqual((0, "{}"), (code, text.strip()))

    def test_without_a_token_it_is_refused_by_name(self):
        code, text = self.ask("collector_gateway", METHOD)
        self.assertNotEqual(0, code)
        self.assertIn("Unauthenticated", text)
        self.assertIn("NO_IDENTITY", text)

    def test_a_forged_token_is_refused_by_name(self):
        head, _, signature = self.token().partition(".")
        forged = f"{head[:-2]}{'A' if head[-2] != 'A' else 'B'}{head[-1]}.{signature}"
        code, text = self.ask("registry", "-H", f"authorization: Bearer {forged}", "voltwell.registry.v1.MeterService/ListMeters")
        self.assertNotEqual(0, code)
        self.assertIn("BAD_TOKEN", text)

    def test_describe_and_health_are_open_on_every_service(self):
        for service in ("registry", "meter_scheduler", "protocol_codec", "collector_gateway"):
            with self.subTest(service):
                code, text = self.ask(service, "list")
                self.assertEqual(0, code, text)
                own = [name for name in text.split() if name.startswith("voltwell.")]
                self.assertTrue(own, text)
                for name in own:
                    code, text = self.ask(service, f"describe {name}")
                    self.assertEqual(0, code, text)
                code, text = self.ask(service, "grpc.health.v1.Health/Check")
                self.assertEqual(0, code, text)
                self.assertIn("SERVING", text)


if __name__ == "__main__":
    unittest.main()
