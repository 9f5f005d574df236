"""One collector of each dialect that the gateway ships comes online through the real gateway, and a serial server that the gateway
dials; their meters are read; boxes that wait for answers get them."""
import concurrent.futures
import json
import os
import pathlib
import subprocess
import unittest
import urllib.request

from suite import ROOT, Suite
from test_protocols import free_port

from tools.suite import demo

PARK = pathlib.Path(__file__).with_name("dialects.json")
ENERGY = "1-0:1.8.0"


class Dialects(Suite):
    @classmethod
    def setUpClass(cls):
        # The gateways dial nobody unless they are told of a network, and loopback for tests only.
        cls.dialling = {"VOLTWELL_DIAL_NETWORKS": "127.0.0.0/8", "VOLTWELL_DIAL_LOOPBACK": "true"}
        os.environ.update(cls.dialling)
        super().setUpClass()
        cls.layout.park = PARK
        cls.park = demo.expanded(cls.layout)
        demo.load_meters(cls.api, cls.park)
        cls.admin_port = free_port()
        cls.simulator = subprocess.Popen(
            [str(cls.layout.program("field_sim")), f"--park={PARK}", f"--target=127.0.0.1:{cls.layout.port('collectors')}",
             f"--admin-port={cls.admin_port}"], stdout=subprocess.DEVNULL)
        cls.dial_those_that_listen()
        cls.eventually(lambda: not cls.offline(), 15, what="all collectors online")

    @classmethod
    def dial_those_that_listen(cls):
        names = {c["registrationId"]: c["name"] for c in cls.api.pages("registry.CollectorService/ListCollectors", "collectors")}
        for link in cls.eventually(lambda: cls.simulator_says("/collectors"), what="the simulator"):
            if link["listens"]:
                cls.api.call("registry.CollectorService/UpdateCollector", {
                    "requestId": cls.request_id(), "updateMask": "dialTarget",
                    "collector": {"name": names[link["collector"]], "dialTarget": f"127.0.0.1:{link['listens']}"}})

    @classmethod
    def simulator_says(cls, what: str):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{cls.admin_port}{what}", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return None

    @classmethod
    def tearDownClass(cls):
        cls.simulator.terminate()
        cls.simulator.wait()
        for name in cls.dialling:
            os.environ.pop(name, None)
        super().tearDownClass()

    @classmethod
    def offline(cls) -> list:
        return [c["registrationId"] for c in cls.api.pages("registry.CollectorService/ListCollectors", "collectors")
                if not c.get("presence", {}).get("online")]

    def stats(self) -> dict:
        return self.simulator_says("/stats")

    def test_every_shipped_dialect_has_a_collector_here(self):
        # Those with a challenge need a key.
        shipped = {path.stem for path in (ROOT / "deploy/dialects").glob("*.dialect")
                   if "\nchallenge" not in path.read_text()} | {"transparent"}
        self.assertEqual(shipped, {collector["dialect"] for collector in self.park["collectors"]})

    def test_the_meters_of_each_are_read(self):
        wanted = {meter["address"]: sum(float(energy) for energy in meter["start_kwh"])
                  for collector in self.park["collectors"] for bus in collector["buses"] for meter in bus["meters"]}
        meters = {meter["address"]: meter["name"] for meter in self.api.pages("registry.MeterService/ListMeters", "meters")}

        def read(address: str) -> tuple:
            operation = self.api.call("scheduler.OperationService/ExecuteOperation", {
                "requestId": f"dialects-{self.base_port}-{address}", "wait": True,
                "operation": {"meter": meters[address], "readNow": {"registers": [ENERGY]}}}, timeout=60)
            return address, operation["state"], [float(r["value"]["value"]) for r in operation.get("readings", [])]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            got = list(pool.map(read, wanted))
        self.assertEqual([(address, "STATE_SUCCEEDED", [energy]) for address, energy in wanted.items()], got)

    def test_boxes_that_wait_for_answers_get_them_and_stay(self):
        before = self.stats()
        # Three boxes wait for an answer to each heartbeat, one a second.
        self.eventually(lambda: self.stats()["answers"] >= before["answers"] + 6, 10, 0.1, "answered heartbeats")
        after = self.stats()
        self.assertEqual(0, after["answers_missed"], after)
        self.assertEqual(before["disconnects"], after["disconnects"])
        self.assertEqual(0, self.metrics("collector_gateway").get("voltwell_gateway_noise_bytes_total", 0))


if __name__ == "__main__":
    unittest.main()
