"""An unknown bus with meters of every protocol is searched by RPC while planned reads run on it, the scheduler is killed in the
middle, and every meter is found and taken into the register. The simulator is the other opinion: it answers wildcards and lets
answers lie over each other."""
import json
import socket
import subprocess
import time
import unittest

from suite import Suite

REGISTRATION = "VW-SCAN-0001"
# What hangs on the bus: (protocol, address as the simulator has it, address as the search must tell it).
METERS = [
    ("DLT645_2007", "202411110002", "202411110002"),
    ("DLT645_2007", "202411110003", "202411110003"),
    ("DLT645_2007", "000000000047", "000000000047"),
    ("DLT645_1997", "199700000001", "199700000001"),
    ("CJT188", "1000112233445566", "1000112233445566"),
    ("CJT188", "1000112233445577", "1000112233445577"),  # The same type: one level deeper.
    ("CJT188", "2000112233445569", "2000112233445569"),
    ("MBUS", "12345678A5150107", "12345678A5150107"),
    ("MBUS", "12945678A5150107", "12945678A5150107"),
    ("MBUS", "30099240A5150104", "30099240A5150104"),
]
READ = ("202411110002", "000000000047")  # Known before, and read all the time.


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class BusScan(Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        park = {"version": 1, "name": "unknown bus", "tenant": "test", "sites": [{"id": "s", "name": "s"}], "steady": True,
                "defaults": {"collector": {"site": "s", "reconnect_delay_ms": 100, "reconnect_jitter_ms": 50},
                             "bus": {"baud": 9600, "wire_time": True, "turnaround_ms": 10, "packet_gap_ms": 5}, "meter": {"site": "s"}},
                "collectors": [{"id": REGISTRATION, "buses": [{"meters": [
                    {"address": address, "protocol": protocol}
                    for protocol, address, _ in METERS]}]}]}
        path = cls.data / "park.json"
        path.write_text(json.dumps(park))
        cls.admin_port = free_port()
        cls.simulator = subprocess.Popen(
            [str(cls.layout.program("field_sim")), f"--park={path}", f"--target=127.0.0.1:{cls.layout.port('collectors')}",
             f"--admin-port={cls.admin_port}"], stdout=subprocess.DEVNULL)
        site = cls.make("registry.SiteService", "Site", displayName="plant room", kind="KIND_BUILDING")
        cls.collector = cls.make("registry.CollectorService", "Collector", registrationId=REGISTRATION, displayName=REGISTRATION,
                                 site=site["name"], buses=[{"number": 1, "baud": 9600, "linkTimeMs": 50}])
        cls.known = {address: cls.make(
            "registry.MeterService", "Meter", displayName=address, kind="KIND_ELECTRICITY", site=site["name"],
            collector=cls.collector["name"], bus=1, address=address, protocol="DLT645_2007")["name"] for address in READ}
        cls.eventually(lambda: cls.api.call("registry.CollectorService/GetCollector", {"name": cls.collector["name"]})
                       .get("presence", {}).get("online"), 30, what="the collector is online")

    @classmethod
    def tearDownClass(cls):
        cls.simulator.terminate()
        cls.simulator.wait()
        super().tearDownClass()

    def scan(self, name: str) -> dict:
        return self.api.call("scheduler.OperationService/GetScan", {"name": name})

    def scan_or_none(self, name: str) -> dict:
        """Empty while the scheduler is away."""
        try:
            return self.scan(name)
        except Exception:
            return {}

    def test_all_meters_are_found_while_reads_run_and_the_scheduler_dies(self):
        self.make("scheduler.ScheduleService", "Schedule", displayName="every two seconds", cron="*/2 * * * * *", timeZone="UTC",
                  registers=["1-0:1.8.0"])
        self.eventually(lambda: self.count("SELECT count(*) FROM scheduler.reading") >= 2, 30, what="reads run")
        began = time.monotonic()
        scan = self.api.call("scheduler.OperationService/ScanBus", {
            "requestId": self.request_id(), "scan": {"collector": self.collector["name"], "patience": "0.05s", "withoutPrimary": True}})
        self.assertEqual("STATE_RUNNING", scan["state"])
        again = self.refused("scheduler.OperationService/ScanBus", {
            "requestId": self.request_id(), "scan": {"collector": self.collector["name"]}})
        self.assertEqual("SCAN_UNDER_WAY", again.reason)

        before = self.eventually(lambda: int(self.scan(scan["name"]).get("questions", 0)) > 60 and self.scan(scan["name"]), 60,
                                 what="the search is on its way")
        pid = self.kill("meter_scheduler")
        self.eventually(lambda: self.pids().get("meter_scheduler") not in (None, pid), 20, what="the scheduler is restarted")
        after = self.eventually(lambda: int(self.scan_or_none(scan["name"]).get("questions", 0)) > int(before["questions"])
                                and self.scan(scan["name"]), 40, what="the search goes on")
        self.assertEqual("STATE_RUNNING", after["state"], "it was over before the kill showed anything")

        over = self.eventually(lambda: (found := self.scan_or_none(scan["name"])).get("state", "STATE_RUNNING") != "STATE_RUNNING"
                               and found, 400, 1, what="the search ends")
        print(f"{over.get('questions')} questions in {time.monotonic() - began:.0f} s, killed after {before['questions']}", flush=True)
        self.assertEqual("STATE_DONE", over["state"], over)
        self.assertEqual([], over.get("failures", []))
        found = {(meter["protocol"], meter["address"]): meter for meter in over["meters"]}
        self.assertEqual({(protocol, told) for protocol, _, told in METERS}, set(found))
        self.assertFalse(any(meter.get("unresolved") for meter in over["meters"]))
        for address in READ:
            self.assertEqual(self.known[address], found["DLT645_2007", address].get("meter"))
        self.assertIn("30099240", found["MBUS", "30099240A5150104"]["aliases"])
        self.assertEqual("HEAT", found["MBUS", "30099240A5150104"]["medium"])
        self.assertEqual("WATER", found["CJT188", "1000112233445566"]["medium"])

        with self.subTest("planned reads went on beside it, and none was lost"):
            self.eventually(lambda: self.count(
                "SELECT count(*) FROM scheduler.run WHERE state < 3 AND fire_time < now() - interval '20 seconds'") == 0, 60, 0.5)
            failed = self.sql("SELECT reason, count(*) FROM scheduler.run_item_end WHERE state = 4 GROUP BY 1")
            self.assertEqual([], failed)
        with self.subTest("what was found goes into the register as it was told"):
            for (protocol, address), meter in found.items():
                if meter.get("meter"):
                    continue
                kind = {"WATER": "KIND_WATER", "HEAT": "KIND_HEAT", "GAS": "KIND_GAS"}.get(meter.get("medium"), "KIND_ELECTRICITY")
                self.make("registry.MeterService", "Meter", displayName=address, kind=kind, site=self.collector["site"],
                          collector=self.collector["name"], bus=1, address=address, protocol=protocol)
            self.eventually(lambda: all(meter.get("meter") for meter in self.scan(scan["name"])["meters"]), 10,
                            what="all found meters are in the register")


if __name__ == "__main__":
    unittest.main()
