"""HAProxy in front of two gateways, with PROXY protocol v2: addresses are the collectors' own, either gateway may be killed or
drained while a run is under way and no planned read is lost, and an OPEN that comes too late is never sent.

Prints what it does and the counts; tests/balancer/transcript.txt is such a print. Needs Debian's haproxy; skipped without it."""
import datetime
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from foreign_collector import ForeignCollector  # noqa: E402
from suite import ROOT, Suite  # noqa: E402
from tools.suite import demo, status  # noqa: E402

HAPROXY = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")
BALANCER = "127.0.0.9"   # The address that HAProxy connects from; gateways trust PROXY headers from there only.
COLLECTORS, METERS = 24, 32
OCCUPIED_MS = 8000       # How long the silent meter keeps its bus busy.
PERMIT_SECONDS = 3       # How long the permit lasts that must expire meanwhile.

PARK = {
    "version": 1, "name": "balancer", "tenant": "demo", "seed": 4,
    "defaults": {"collector": {"reconnect_delay_ms": 300, "reconnect_jitter_ms": 500, "heartbeat": "VWHB"}},
    "sites": [{"id": "city", "name": "city", "time_zone": "Asia/Shanghai"}],
    "templates": [{
        "id": "VW-BAL-{collector:4}", "collectors": COLLECTORS, "buses": 1, "meters": METERS, "site": "city",
        "address_pattern": "77{collector:4}{bus:2}{meter:4}", "bus": {"baud": 9600},
        "meter": {"site": "city", "start_kwh": [100, 200, 300, 400]}}],
}
# Not of the template: its bus waits longer for answers than a permit lasts.
RELAY_COLLECTOR = {"id": "VW-BAL-RELAY", "site": "city", "buses": [{"baud": 9600, "meters": [
    {"address": "770099010001", "start_kwh": [1, 1, 1, 1]}, {"address": "770099010002", "start_kwh": [1, 1, 1, 1]}]}]}
BEGAN = time.monotonic()


def note(text: str) -> None:
    print(f"[{time.monotonic() - BEGAN:5.1f}s] {text}", flush=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connected_to(port: int) -> set:
    """The near ends of the established connections of this machine to 127.0.0.1:port, out of the kernel's table."""
    ends = set()
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        local, remote, state = line.split()[1:4]
        if state == "01" and remote == f"0100007F:{port:04X}":
            address, near = local.split(":")
            ends.add(".".join(str(byte) for byte in reversed(bytes.fromhex(address))) + f":{int(near, 16)}")
    return ends


@unittest.skipUnless(HAPROXY, "haproxy is not installed (deploy/apt-packages.txt, set test)")
class Balancer(Suite):
    arguments = ("--no-demo", "--replicas", "collector_gateway=2")
    haproxy = simulator = None

    @classmethod
    def setUpClass(cls):
        os.environ["VOLTWELL_TRUSTED_PROXIES"] = f"{BALANCER}/32"
        try:
            super().setUpClass()
        finally:
            del os.environ["VOLTWELL_TRUSTED_PROXIES"]
        try:
            cls.start_haproxy()
            cls.start_simulator()
            cls.schedule = cls.make("scheduler.ScheduleService", "Schedule", displayName="once a year", cron="0 0 0 1 1 *",
                                    timeZone="UTC", registers=["1-0:1.8.0"], window="120s")
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def tearDownClass(cls):
        for process in (cls.simulator, cls.haproxy):
            if process:
                process.terminate()
                process.wait(10)
        super().tearDownClass()

    @classmethod
    def spawn(cls, name: str, command: list) -> subprocess.Popen:
        with open(cls.data / f"log/{name}.log", "ab") as log:
            return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)

    @classmethod
    def start_haproxy(cls):
        cls.port = free_port()
        servers = "".join(f"  server gateway-{k} 127.0.0.1:{cls.layout.port('collectors', k)}\n" for k in range(2))
        text = (ROOT / "tests/balancer/haproxy.cfg").read_text()
        for word, value in (("{port}", str(cls.port)), ("{source}", BALANCER), ("{servers}", servers)):
            text = text.replace(word, value)
        config = cls.data / "haproxy.cfg"
        config.write_text(text)
        subprocess.run([HAPROXY, "-c", "-q", "-f", str(config)], check=True)
        cls.haproxy = cls.spawn("haproxy", [HAPROXY, "-db", "-f", str(config)])
        version = subprocess.run([HAPROXY, "-v"], stdout=subprocess.PIPE, text=True).stdout.splitlines()[0]
        note(f"{version.split(' - ')[0]} before gateway-0 and gateway-1, connecting from {BALANCER}")

    @classmethod
    def start_simulator(cls):
        park = cls.data / "park.json"
        park.write_text(json.dumps(PARK))
        cls.layout.park = park
        demo.load_meters(cls.api, demo.expanded(cls.layout))
        park.write_text(json.dumps({**PARK, "collectors": [RELAY_COLLECTOR]}))
        site = cls.make("registry.SiteService", "Site", displayName="relays", kind="KIND_BUILDING")
        collector = cls.make("registry.CollectorService", "Collector", registrationId="VW-BAL-RELAY", displayName="relays",
                             site=site["name"], buses=[{"number": 1, "baud": 9600, "linkTimeMs": OCCUPIED_MS}])
        cls.relay_meter, cls.silent_meter = (cls.make(
            "registry.MeterService", "Meter", displayName=address, kind="KIND_ELECTRICITY", site=site["name"],
            collector=collector["name"], bus=1, address=address, protocol="DLT645_2007")
            for address in ("770099010001", "770099010002"))
        cls.simulator = cls.spawn("field_sim", [
            str(cls.layout.program("field_sim")), f"--park={park}", f"--target=127.0.0.1:{cls.port}",
            f"--admin-port={cls.layout.port('field_sim')}"])
        cls.eventually(lambda: len(cls.sessions()) == COLLECTORS + 1, 30, what="all collectors are connected")
        note(f"{COLLECTORS + 1} simulated collectors with {COLLECTORS * METERS + 2} meters dial 127.0.0.1:{cls.port}; "
             f"sessions by pod: {cls.spread()}")

    # -- looking

    @classmethod
    def sessions(cls) -> list:
        return cls.api.call("scheduler.LineService/ListSessions").get("sessions", [])

    @classmethod
    def spread(cls) -> dict:
        pods = {}
        for session in cls.sessions():
            pods[session["pod"]] = pods.get(session["pod"], 0) + 1
        return dict(sorted(pods.items()))

    @classmethod
    def simulator_says(cls, path: str, body: dict | None = None) -> dict:
        request = urllib.request.Request(f"http://127.0.0.1:{cls.layout.port('field_sim')}{path}",
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    # -- addresses

    def test_1_client_addresses_are_the_collectors_own(self):
        shown = {session["peer"] for session in self.sessions()}
        self.assertEqual(connected_to(self.port), shown, "the API shows the very sockets of the simulator")
        note(f"ListSessions shows {len(shown)} addresses, each the collector's own end of its connection, e.g. {sorted(shown)[0]}")
        told = {row[0] for row in self.sql("SELECT DISTINCT split_part(peer, ':', 1) FROM registry.collector_link")}
        self.assertNotIn(BALANCER, told, "nor does the history know the balancer")

    def test_2_the_source_network_is_judged_by_the_collectors_own_address(self):
        site = self.make("registry.SiteService", "Site", displayName="fenced", kind="KIND_BUILDING")
        self.make("registry.CollectorService", "Collector", registrationId="VW-BAL-NET", displayName="fenced",
                  site=site["name"], sourceNetwork="127.0.0.77/32", buses=[{"number": 1}])
        stranger = ForeignCollector(self.port, b"VW-BAL-NET", "770088010001", source="127.0.0.78")
        self.eventually(stranger.closed.is_set, 15, what="the box from another network is refused")
        own = ForeignCollector(self.port, b"VW-BAL-NET", "770088010001", source="127.0.0.77")
        peer = self.eventually(lambda: next((s["peer"] for s in self.sessions() if s["collector"] == "VW-BAL-NET"), ""), 15,
                               what="the box from its own network is let in")
        self.assertEqual(own.socket.getsockname(), ("127.0.0.77", int(peer.split(":")[1])))
        self.assertTrue(peer.startswith("127.0.0.77:"), peer)
        refused = sum(status.total(self.metrics("collector_gateway", k), "voltwell_gateway_refused_total", reason="wrong_network")
                      for k in range(2))
        self.assertEqual(1, refused)
        note(f"source_network 127.0.0.77/32: refused from 127.0.0.78 (wrong_network {refused:.0f}), let in as {peer}")
        own.close()

    # -- a gateway goes while a run is under way

    def end_a_gateway(self, replica: int, number: signal.Signals) -> None:
        name = "collector_gateway" + (f".{replica}" if replica else "")
        how = "kill -9" if number == signal.SIGKILL else "SIGTERM to"
        self.eventually(lambda: len(self.spread()) == 2 and len(self.sessions()) >= COLLECTORS + 1, 30,
                        what="both gateways hold collectors")
        held, asked = self.spread(), self.simulator_says("/stats")["requests"]
        run = self.api.call("scheduler.ScheduleService/RunSchedule", {"requestId": self.request_id(), "name": self.schedule["name"]})["name"]
        number_of_run = self.count("SELECT max(number) FROM scheduler.run")
        total = COLLECTORS * METERS + 2

        def state() -> dict:
            return self.api.call("scheduler.ScheduleService/GetRun", {"name": run})
        stored = int(self.eventually(lambda: int(state().get("itemsStored", 0)) > total // 6 and state(), 30, what="a part is read")
                     ["itemsStored"])
        pid = self.pids()[name]
        began = time.monotonic()
        os.kill(pid, number)
        note(f"{how} gateway-{replica} (pid {pid}) with {stored} of {total} reads stored; sessions before: {held}")
        self.eventually(lambda: len(self.sessions()) >= COLLECTORS + 1 and self.pids().get(name) not in (None, pid), 20,
                        what="all collectors are connected again")
        back = time.monotonic() - began
        done = self.eventually(lambda: state()["state"] == "STATE_DONE" and state(), 60, 0.2, what="the run is done")
        counts = {key: int(done.get(key, 0)) for key in ("itemsTotal", "itemsStored", "itemsFailed")}
        asked = self.simulator_says("/stats")["requests"] - asked
        again = self.count(f"SELECT count(*) FROM scheduler.run_item_end WHERE origin = {number_of_run} AND attempts > 1")
        note(f"  collectors are back after {back:.1f} s, now {self.spread()}; run done after {time.monotonic() - began:.1f} s: {counts}, "
             f"meters were asked {asked} times ({asked - total} more than planned), {again} items needed a second attempt")
        self.assertEqual({"itemsTotal": total, "itemsStored": total, "itemsFailed": 0}, counts)
        twice = self.count(f"SELECT count(*) FROM (SELECT 1 FROM scheduler.reading WHERE origin = {number_of_run} "
                           "GROUP BY meter_no, register_no HAVING count(*) > 1) AS t")
        self.assertEqual(0, twice, "no planned read is stored twice")
        rows = self.count(f"SELECT count(*) FROM scheduler.reading WHERE origin = {number_of_run}")
        self.assertEqual(total, rows, "each planned read has its reading")
        if number == signal.SIGTERM:
            self.assertEqual(total, asked, "a drained gateway finishes what it has begun: no meter is asked twice")

    def test_3_killing_either_gateway_loses_no_planned_read(self):
        for replica in (0, 1):
            with self.subTest(replica):
                self.end_a_gateway(replica, signal.SIGKILL)

    def test_4_draining_either_gateway_loses_no_planned_read(self):
        for replica in (0, 1):
            with self.subTest(replica):
                self.end_a_gateway(replica, signal.SIGTERM)

    def test_5_what_is_shown_after_it_all_is_still_the_collectors_own_address(self):
        self.eventually(lambda: {s["peer"] for s in self.sessions()} == connected_to(self.port), 10,
                        what="addresses after kills and drains")
        answer = self.api.call("registry.CollectorService/ListCollectorUptimes", {"period": "3600s", "pageSize": 1000})
        drops = sum(int(uptime.get("drops", 0)) for uptime in answer["uptimes"])
        ended = self.count("SELECT count(*) FROM registry.collector_link WHERE kind = 'offline'")
        # Who comes back before the old session is missed has no "offline" of that one: both count.
        self.assertGreaterEqual(drops, ended)
        note(f"time online tells of {drops} sessions that ended, {ended} of them by a gateway that could still say so")

    # -- relays

    def operation(self, name: str) -> dict:
        return self.api.call("scheduler.OperationService/GetOperation", {"name": name})

    def permit(self, hold: str, seconds: float) -> str:
        """Writes a permit; tells its operation."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return self.api.call("scheduler.RelayService/WritePermit", {"requestId": self.request_id(), "permit": {
            "meter": self.relay_meter["name"], "hold": hold, "notAfter": end.isoformat().replace("+00:00", "Z"),
            "guardRecord": json.dumps({"why": "tests/balancer"})}})["operation"]

    def truth(self) -> dict:
        return self.simulator_says("/meters/770099010001")

    def read_now(self, meter: dict, wait: bool) -> dict:
        return self.api.call("scheduler.OperationService/ExecuteOperation", {"requestId": self.request_id(), "wait": wait,
                             "operation": {"meter": meter["name"], "readNow": {"registers": ["1-0:1.8.0"]}}}, timeout=60)

    def expired(self) -> float:
        return sum(status.total(self.metrics("collector_gateway", k), "voltwell_gateway_exchanges_total", outcome="expired")
                   for k in range(2))

    def test_6_an_open_that_comes_too_late_is_never_sent(self):
        self.assertEqual(0, self.truth()["relay_commands"])
        hold = self.api.call("scheduler.RelayService/SetHold", {"requestId": self.request_id(), "hold": {
            "meter": self.relay_meter["name"], "owner": "OWNER_SAFETY", "reason": "tests/balancer"}})["name"]
        self.simulator_says("/meters/770099010002/faults", {"silence_rate": 1})
        heard, expired = self.truth()["link"]["requests"], self.expired()
        occupier = self.read_now(self.silent_meter, wait=False)["name"]
        self.eventually(lambda: self.truth()["link"]["requests"] > heard, 10, what="the bus waits for the silent meter")
        late = self.permit(hold, PERMIT_SECONDS)
        ended = self.eventually(lambda: self.operation(late)["state"] == "STATE_FAILED" and self.operation(late), 20,
                                what="the permit runs out")
        self.assertIn(ended["reason"], ("EXPIRED", "PERMIT_EXPIRED"))
        expired = self.expired() - expired
        self.assertGreaterEqual(expired, 1, "the gateway itself let the exchange expire")
        self.simulator_says("/meters/770099010002/faults", {})
        self.eventually(lambda: self.operation(occupier)["state"] in ("STATE_SUCCEEDED", "STATE_FAILED"), 60,
                        what="the bus is free again")
        self.assertEqual("STATE_SUCCEEDED", self.read_now(self.relay_meter, wait=True)["state"], "the meter itself answers")
        self.assertEqual(0, self.truth()["relay_commands"], "no relay frame was sent")
        note(f"OPEN behind a silent meter ({OCCUPIED_MS} ms), permit of {PERMIT_SECONDS} s: {ended['reason']}, {expired:.0f} "
             f"exchanges EXPIRED at the gateway, relay frames at the meter: {self.truth()['relay_commands']}")
        fresh = self.permit(hold, 30)
        self.eventually(lambda: self.operation(fresh)["state"] == "STATE_SUCCEEDED", 20, what="a fresh permit opens")
        truth = self.truth()
        self.assertEqual((1, 1), (truth["relay_commands"], truth["relay_opened"]))
        note(f"a fresh permit on the free bus: relay frames {truth['relay_commands']}, relay opened {truth['relay_opened']}")


if __name__ == "__main__":
    unittest.main(verbosity=0)
