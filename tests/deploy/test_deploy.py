"""The chart renders and validates; compose and chart know every service. Checks that need helm or kubeconform install them into
.cache where they can be had, and are skipped by name where not."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import unittest
import zipfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache/go"
SERVICES = {path.parent.name for path in ROOT.glob("services/*/main.cpp")}
TOOLS = {"helm": "helm.sh/helm/v3/cmd/helm@v3.16.4", "kubeconform": "github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"}


def tool(name: str) -> str:
    found = shutil.which(name) or (str(CACHE / "bin" / name) if (CACHE / "bin" / name).exists() else None)
    if found:
        return found
    if not shutil.which("go"):
        raise unittest.SkipTest(f"{name} is not here and neither is go to install it")
    done = subprocess.run(["go", "install", TOOLS[name]], env={**os.environ, "GOBIN": str(CACHE / "bin")},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise unittest.SkipTest(f"{name} cannot be had: {done.stdout.strip().splitlines()[-1][:120]}")
    return str(CACHE / "bin" / name)


def kubernetes_schemas() -> str:
    """A directory of JSON schemas: the Python package kubernetes-validate carries them."""
    directory = ROOT / ".cache/kubernetes-schemas"
    pattern = "kubernetes_validate/kubernetes-json-schema/*-local-strict"
    if not list(directory.glob(pattern)):
        done = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(directory),
                               "kubernetes-validate==1.37.0"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            raise unittest.SkipTest("the Kubernetes schemas cannot be had by pip")
        for wheel in directory.glob("*.whl"):
            zipfile.ZipFile(wheel).extractall(directory)
        # The package serves them below /api and names a dialect; kubeconform resolves references against the file
        # and knows no such dialect.
        for path in directory.glob(pattern + "/*.json"):
            schema = json.loads(path.read_text().replace('"/api/_definitions.json', '"_definitions.json'))
            schema.pop("$schema", None)
            path.write_text(json.dumps(schema))
    return str(sorted(directory.glob(pattern))[-1])


class Deploy(unittest.TestCase):
    def run_ok(self, *command: str, **more) -> str:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **more)
        self.assertEqual(0, done.returncode, done.stdout)
        return done.stdout

    def test_the_chart_lints(self):
        self.run_ok(tool("helm"), "lint", "--strict", "helm/voltwell")

    def test_the_chart_renders_a_workload_for_every_service(self):
        rendered = self.run_ok(tool("helm"), "template", "v", "helm/voltwell", "--kube-version", "1.30.0")
        deployments = set(re.findall(r"kind: Deployment\nmetadata:\n  name: (\S+)", rendered))
        self.assertEqual({name.replace("_", "-") for name in SERVICES}, deployments)

    def test_a_mistake_in_values_is_refused(self):
        done = subprocess.run([tool("helm"), "template", "v", "helm/voltwell", "--kube-version", "1.30.0", "--set", "services.registry.replica=2"],
                              cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("replica", done.stdout)

    def test_what_is_rendered_is_valid_kubernetes(self):
        schemas = kubernetes_schemas() + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"
        rendered = self.run_ok(tool("helm"), "template", "v", "helm/voltwell", "--kube-version", "1.30.0")
        self.run_ok(tool("kubeconform"), "-strict", "-schema-location", schemas, "-", input=rendered)

    def render(self, *values: str) -> str:
        sets = [part for value in values for part in ("--set", value)]
        return self.run_ok(tool("helm"), "template", "v", "helm/voltwell", "--kube-version", "1.30.0", *sets)

    def test_the_port_for_tls_is_open_only_with_a_certificate(self):
        exposed = re.compile(r"type: LoadBalancer.*?---", re.S)
        plain = self.render()
        self.assertNotIn("collectors-tls", exposed.search(plain).group())
        self.assertNotIn("VOLTWELL_TLS_CERTIFICATE_FILE", plain)
        with_tls = self.render("collectorTls.secret=collector-tls", "collectorTls.clientCa=collectors-ca")
        self.assertIn("port: 7646", exposed.search(with_tls).group())
        for needed in ("/etc/voltwell/collector-tls/tls.crt", "secretName: collector-tls", "/etc/voltwell/collector-ca/ca.crt",
                       "secretName: collectors-ca"):
            self.assertEqual(1, with_tls.count(needed), needed)
        schemas = kubernetes_schemas() + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"
        self.run_ok(tool("kubeconform"), "-strict", "-schema-location", schemas, "-", input=with_tls)

    def test_only_gateways_get_the_key_that_unseals_collectors_keys(self):
        workloads = [part for part in self.render().split("---") if "kind: Deployment" in part]
        self.assertEqual(["collector-gateway"], [re.search(r"name: (\S+)", part).group(1) for part in workloads
                                                 if "sealing.key" in part])
        services = (ROOT / "deploy/compose.yaml").read_text().split("\n  ")
        block = (ROOT / "deploy/compose.yaml").read_text().split("  collector-gateway:")[1].split("  meter-scheduler:")[0]
        self.assertIn("secrets/collectors", block)
        self.assertEqual(1, sum("secrets/collectors" in line for line in services))

    def test_compose_knows_every_service(self):
        text = (ROOT / "deploy/compose.yaml").read_text()
        named = set(re.findall(r"SERVICE: ([a-z-]+)", text))
        self.assertEqual({name.replace("_", "-") for name in SERVICES}, named)

    def test_every_option_that_deploy_sets_exists(self):
        """A typo in an environment variable would be silently ignored by the process."""
        binaries = ROOT / "build/dev/bin"
        if not (binaries / "voltwell-registry").exists():
            raise unittest.SkipTest("the dev preset is not built")
        known = set()
        for service in SERVICES:
            text = subprocess.run([str(binaries / f"voltwell-{service.replace('_', '-')}"), "--help"],
                                  stdout=subprocess.PIPE, text=True).stdout
            known |= {"VOLTWELL_" + name.upper().replace("-", "_") for name in re.findall(r"--([a-z0-9-]+)", text)}
        used = set()
        for path in ("helm/voltwell/values.yaml", "helm/voltwell/templates/_workload.tpl", "tools/suite/compose_secrets.py",
                     "tools/suite/processes.py"):
            used |= set(re.findall(r"VOLTWELL_[A-Z_]+[A-Z]", (ROOT / path).read_text()))
        self.assertEqual(set(), used - known)

    def test_directories_of_the_build_are_set_by_chart_and_compose(self):
        """A default inside the source tree is right for tools/up only; an image has its files elsewhere."""
        page = (ROOT / "docs/config.md").read_text()
        inside = set(re.findall(r"`(VOLTWELL_\w+)` \| [^|]*\(default: (?:services|libs|deploy)/", page))
        self.assertLessEqual({"VOLTWELL_SQL_DIRECTORY", "VOLTWELL_DIALECT_DIRECTORY"}, inside)
        inside.add("VOLTWELL_PROFILE_DIRECTORY")  # Empty by default: without it there are no profiles.
        chart = "".join((ROOT / "helm/voltwell" / name).read_text() for name in ("values.yaml", "templates/_workload.tpl"))
        compose = (ROOT / "tools/suite/compose_secrets.py").read_text()
        self.assertEqual((set(), set()), ({name for name in inside if name not in chart},
                                          {name for name in inside if name not in compose}))

    def test_the_page_of_options_is_true(self):
        if not (ROOT / "build/dev/bin/voltwell-registry").exists():
            raise unittest.SkipTest("the dev preset is not built")
        sys.path.insert(0, str(ROOT))
        from tools.suite import config_page
        self.assertEqual(config_page.page(), (ROOT / "docs/config.md").read_text(),
                         "run python3 -m tools.suite.config_page")

    def test_the_page_of_protocols_is_true(self):
        if not (ROOT / "build/dev/bin/voltwell-codec").exists():
            raise unittest.SkipTest("the dev preset is not built")
        sys.path.insert(0, str(ROOT))
        from tools.suite import protocols_page
        self.assertEqual(protocols_page.page(), protocols_page.PAGE.read_text(),
                         "run python3 -m tools.suite.protocols_page")


if __name__ == "__main__":
    unittest.main()
