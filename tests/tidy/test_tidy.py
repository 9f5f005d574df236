"""Style and architecture as tests: layers, the link graph, sizes, markers, named errors. Nobody argues in review about what a
machine can say. The tables it checks against stand in docs/architecture.md, docs/errors.md and docs/limits.md."""
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
PURE = ("libs/base", "libs/decimal", "libs/cron", "libs/codec")
CODE = ("*.h", "*.cpp")
FILE_MAX, FILE_P90, FUNCTION_MAX = 600, 300, 70

# L0 and every domain/ know none of these (docs/architecture.md, layers, rule 2).
IMPURE_INCLUDE = re.compile(
    r'#include [<"](grpc|google/protobuf|voltwell/|libpq|hiredis|boost/asio|prometheus|thread|mutex|chrono|random|atomic|'
    r'future|condition_variable|sys/|unistd|netinet|libs/(os|log|config|metrics|pg|redis|crypto|http|rpc|events|once))')
IMPURE_CALL = re.compile(r"\b(absl::Now|std::chrono|std::random_device|std::getenv|getenv|std::rand|std::thread)\b")
# Rule 6: these appear only in rpc, config, os and main.
WIRED = {
    # The one reactor of Exchange streams holds a context that rpc::Caller has prepared.
    "grpc::ClientContext": ("libs/rpc/", "libs/events/", "services/meter_scheduler/line.cpp"),
    "getenv(": ("libs/config/",),
    # A log line bears the time that it is written; gRPC's deadlines are by the machine's clock.
    "absl::Now()": ("libs/os/", "libs/log/", "libs/rpc/"),
    "std::thread": ("libs/os/",),
    "std::jthread": ("libs/os/",),
    "system_clock": ("libs/os/",),
}
TEST_OR_TOOL = re.compile(r"(_test\.(cpp|h)|_testing\.(h|cpp)|_fuzz\.cpp|_bench\.(cpp|h))$|/test_\w+\.h$|^libs/testing/|^tests/|^tools/|/testing/")


def tracked(*patterns: str) -> list:
    """Files that git tracks or would track, as paths from the root."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                            stdout=subprocess.PIPE, text=True, check=True).stdout.split("\n")
    return sorted(path for path in listed if path and (ROOT / path).is_file())


def sources() -> list:
    return [path for path in tracked(*CODE)]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")


def table(document: str, heading: str) -> list:
    """Rows of the first Markdown table below a heading, as lists of cells without backticks."""
    text = read(document).split(f"## {heading}\n", 1)[1]
    rows = []
    for line in text.split("\n"):
        if line.startswith("|"):
            rows.append([cell.strip().replace("`", "") for cell in line.strip().strip("|").split("|")])
        elif rows:
            break
    return rows[2:]


def library_table() -> dict:
    """Library or service to its direct dependencies, from docs/architecture.md."""
    return {row[0]: set(row[2].split()) - {"–"} for row in table("docs/architecture.md", "Link graph")}


def functions(text: str):
    """(first line, length) of each function at namespace level. Our style does not indent namespaces."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if start is None:
            if re.match(r"^[A-Za-z_~\[].*[)a-z{]\s*\{$", line) and not re.match(
                    r"^(namespace|class|struct|enum|extern|union|constexpr|const|inline constexpr|static const)\b", line):
                start = number
        elif line.startswith("}"):
            yield start, number - start + 1
            start = None


class Tidy(unittest.TestCase):
    maxDiff = None

    def none(self, findings: list, what: str) -> None:
        self.assertEqual([], findings, f"\n{what}:\n" + "\n".join(str(finding) for finding in findings))

    def test_pure_layers_stay_pure(self):
        findings = []
        for path in sources():
            domain = re.match(r"services/\w+/domain/", path)
            if not (domain or path.startswith(PURE)) or TEST_OR_TOOL.search(path):
                continue
            for number, line in enumerate(read(path).split("\n"), 1):
                if IMPURE_INCLUDE.search(line) or IMPURE_CALL.search(line.split("//")[0]):
                    findings.append(f"{path}:{number}: {line.strip()}")
        self.none(findings, "L0 and domain/ know no clock, thread, socket, protobuf or SQL")

    def test_includes_follow_the_table(self):
        allowed = library_table()
        closure = {}

        def reach(name: str) -> set:
            if name not in closure:
                closure[name] = {name}
                for dependency in allowed.get(name, ()):
                    closure[name] |= reach(dependency)
            return closure[name]

        findings = []
        for path in sources():
            if TEST_OR_TOOL.search(path):
                continue
            owner = owner_of(path)
            if owner is None:
                continue
            for number, line in enumerate(read(path).split("\n"), 1):
                match = re.match(r'#include "((libs|services|voltwell)/[^"]+)"', line)
                if match and owner_of(match[1]) not in reach(owner):
                    findings.append(f"{path}:{number}: {owner} does not depend on {owner_of(match[1])}")
        self.none(findings, "includes that the table of docs/architecture.md does not draw")

    def test_link_graph_is_the_table(self):
        graph = link_graph()
        drawn = library_table()
        findings = []
        for name in sorted(set(graph) | set(drawn)):
            if name not in drawn:
                findings.append(f"{name} stands in CMake, not in the table")
            elif name not in graph:
                findings.append(f"{name} stands in the table, not in CMake")
            elif graph[name] != drawn[name]:
                findings.append(f"{name}: CMake {sorted(graph[name])}, table {sorted(drawn[name])}")
        self.none(findings, "CMake's link graph against the table of docs/architecture.md")

    def test_link_graph_has_no_cycle(self):
        graph, done, path = library_table(), set(), []

        def visit(name: str) -> None:
            self.assertNotIn(name, path, f"cycle: {' -> '.join(path + [name])}")
            if name in done:
                return
            path.append(name)
            for dependency in graph.get(name, ()):
                visit(dependency)
            path.pop()
            done.add(name)

        for name in graph:
            visit(name)

    def test_wiring_stays_in_its_place(self):
        findings = []
        for path in sources():
            if TEST_OR_TOOL.search(path) or path.endswith("/main.cpp"):
                continue
            for number, line in enumerate(read(path).split("\n"), 1):
                for word, homes in WIRED.items():
                    if word in line.split("//")[0] and not path.startswith(homes):
                        findings.append(f"{path}:{number}: {word}")
        self.none(findings, "clocks, threads, environment and client contexts outside their homes")

    def test_files_and_functions_have_a_human_measure(self):
        sizes, findings = [], []
        for path in sources() + tracked("*.ts", "*.tsx", "*.py"):
            text = read(path)
            lines = text.count("\n")
            sizes.append(lines)
            if lines > FILE_MAX:
                findings.append(f"{path}: {lines} lines, at most {FILE_MAX}")
            if path.endswith((".h", ".cpp")):
                findings += [f"{path}:{first}: a function of {length} lines, at most {FUNCTION_MAX}"
                             for first, length in functions(text) if length > FUNCTION_MAX]
        self.none(findings, "too long")
        self.assertLessEqual(statistics.quantiles(sizes, n=10)[-1], FILE_P90)

    def test_mains_are_parts_lists(self):
        findings = []
        for path in tracked("services/*/main.cpp"):
            text = read(path)
            if text.count("\n") > 100:
                findings.append(f"{path}: {text.count(chr(10))} lines, at most 100")
            findings += [f"{path}: {line.strip()}" for line in text.split("\n") if re.search(r"\b(for|while|switch) \(", line)]
        self.none(findings, "main() is a wiring list")

    def test_nothing_is_left_over(self):
        marker = re.compile(r"(?<![.X])\b(TODO|FIXME|XXX|HACK)\b(?![.X])")
        # Built from parts, so that this file does not find itself.
        workplace = re.compile("|".join(("/wo" + "rk/", r"\.\./sha" + "red")))
        findings = []
        for path in tracked():
            if path.endswith((".png", "package-lock.json")) or path == "tests/tidy/test_tidy.py":
                continue
            for number, line in enumerate(read(path).split("\n"), 1):
                if marker.search(line) or workplace.search(line):
                    findings.append(f"{path}:{number}: {line.strip()[:100]}")
        self.none(findings, "leftover markers and paths of a workplace")

    def test_lock_files_name_no_host(self):
        findings = [path for path in tracked("*package-lock.json", "*.npmrc") if re.search(r"https?://(?!opencollective|github)",
                    re.sub(r'"(funding|url)": .*', "", read(path)))]
        self.none(findings, "lock files that name a registry host")

    def test_code_is_formatted(self):
        if not shutil.which("clang-format-14"):
            self.skipTest("clang-format-14 is not installed")
        done = subprocess.run(["clang-format-14", "--dry-run", "-Werror", "--ferror-limit=1", *sources()], cwd=ROOT,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.none(re.findall(r"^(\S+?:\d+):\d+: error", done.stdout, re.M), "not as clang-format-14 would write it")

    def test_cmake_lists_its_sources(self):
        findings = [path for path in tracked("CMakeLists.txt", "*/CMakeLists.txt", "*.cmake") if
                    re.search(r"file\s*\(\s*GLOB", read(path), re.I)]
        self.none(findings, "globs")

    def test_money_has_no_floating_point(self):
        findings = []
        for path in tracked("libs/decimal/*.h", "libs/decimal/*.cpp", "services/billing/*.h", "services/billing/*.cpp"):
            for number, line in enumerate(read(path).split("\n"), 1):
                if re.search(r"\b(float|double)\b", line.split("//")[0]):
                    findings.append(f"{path}:{number}: {line.strip()}")
        self.none(findings, "floating point where money is")

    def test_every_reason_is_documented(self):
        documented = {row[0] for row in table("docs/errors.md", "Reasons")}
        call = re.compile(r'(?:InvalidArgument|NotFound|AlreadyExists|FailedPrecondition|ResourceExhausted|PermissionDenied|'
                          r'Unauthenticated|Unavailable|Aborted|DeadlineExceeded|DataLoss|Internal|base::Error)\(\s*'
                          r'(?:absl::StatusCode::\w+,\s*)?"([A-Z][A-Z0-9_]+)"')
        findings = []
        for path in sources():
            if TEST_OR_TOOL.search(path):
                continue
            findings += [f"{path}: {reason}" for reason in sorted(set(call.findall(read(path))) - documented)]
        self.none(findings, "reasons that docs/errors.md does not list")

    def test_every_documented_limit_exists(self):
        findings = []
        for row in table("docs/limits.md", "Limits"):
            name, path = row[0], row[2].split(" ")[0]
            if not (ROOT / path).is_file():
                findings.append(f"{name}: there is no {path}")
            elif re.fullmatch(r"k[A-Z]\w+", name) and name not in read(path):
                findings.append(f"{name} is not in {path}")
        self.none(findings, "limits that docs/limits.md names and the code lacks")


def owner_of(path: str):
    """Which row of the table a file belongs to."""
    parts = path.split("/")
    if parts[0] == "voltwell":
        return f"proto_{parts[1]}"
    if parts[0] == "services":
        if parts[1] == "collector_gateway" and len(parts) > 3 and parts[2] in ("domain", "core"):
            return "gateway_core"
        if len(parts) > 3 and parts[2] == "domain" and (ROOT / "services" / parts[1] / "domain/CMakeLists.txt").is_file():
            return f"{parts[1]}_domain"
        return parts[1]
    if parts[0] != "libs":
        return None
    if parts[1] == "codec":
        if len(parts) == 3:
            return "codec_types" if parts[2] in ("command.h", "exchange.h") else "codec"
        return f"codec_{parts[2]}" if parts[2] in ("frame", "dlt645", "cjt188", "mbus") else "codec"
    return parts[1]


def link_graph() -> dict:
    """Direct dependencies between our own libraries, as CMake links them."""
    build = ROOT / "build/dev"
    dot = build / "links.dot"
    subprocess.run(["cmake", f"--graphviz={dot}", "."], cwd=build, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    labels, edges = {}, []
    for line in dot.read_text().split("\n"):
        if node := re.match(r'\s*"(node\d+)" \[ label = "([^"\\]+)', line):
            labels[node[1]] = node[2]
        elif edge := re.match(r'\s*"(node\d+)" -> "(node\d+)"', line):
            edges.append(edge.groups())
    ours = {name for name in labels.values()
            if re.fullmatch(r"[a-z0-9_]+", name) and not name.endswith(("_test", "_bench", "_fuzz"))
            and name not in ("pch_grpc", "catch_main", "testing") and owned(name)}
    graph = {name: set() for name in ours}
    for source, target in edges:
        if labels[source] in ours and labels[target] in ours:
            graph[labels[source]].add(labels[target])
    return graph


def owned(target: str) -> bool:
    return (target.startswith("proto_") or (ROOT / "libs" / target).is_dir() or (ROOT / "services" / target).is_dir()
            or target in ("codec_frame", "codec_types", "codec_dlt645", "codec_cjt188", "codec_mbus", "gateway_core", "http_uri")
            or target.endswith("_domain"))


class Dashboards(unittest.TestCase):
    """Dashboards and alerts name metrics; a metric that was renamed leaves an empty panel and an alert that never fires."""

    def test_every_metric_they_name_is_made_somewhere_in_the_code(self):
        made = set()
        for path in sources():
            if not TEST_OR_TOOL.search(path):
                made |= set(re.findall(r'"(voltwell_[a-z0-9_]+)"', read(path)))
        pages = tracked("deploy/grafana/*.json", "deploy/alerts/*.yml")
        self.assertTrue(pages)
        for page in pages:
            named = set(re.findall(r"\bvoltwell_[a-z0-9_]+", read(page)))
            self.assertTrue(named, page)
            missing = {name for name in named if re.sub(r"_(bucket|sum|count)$", "", name) not in made and name not in made}
            self.assertEqual(set(), missing, page)

    def test_dashboards_are_json_and_every_panel_asks_something(self):
        for page in tracked("deploy/grafana/*.json"):
            for panel in json.loads(read(page))["panels"]:
                self.assertTrue(panel["title"] and panel["targets"] and all(target["expr"] for target in panel["targets"]), page)


if __name__ == "__main__":
    unittest.main()
