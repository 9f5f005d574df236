"""The simulator and the codec are two opinions about each protocol, written apart. Here they meet: every register that both know is
read through registry, scheduler, codec, gateway and sockets, and compared with the simulator's own state."""
import collections
import concurrent.futures
import datetime
import itertools
import json
import re
import socket
import subprocess
import sys
import urllib.request
from decimal import Decimal

from suite import ROOT, Suite

from tools.suite import demo

PARK = ROOT / "deploy/demo/protocols.json"
READ_AT_ONCE = 32     # Registers of one operation, as the scheduler limits them.
VALUES_AT_ONCE = 300  # Values of one operation: event records have fifty each.
CLOCK_SLACK = 60      # Seconds between the simulator's answer to us and to the gateway.
CLOCKS = {"0-0:0.9.1", "0-0:0.9.2", "0-0:1.0.0", "cjt188:clock"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expected(field: dict) -> tuple:
    """What one field of the simulator is, in a form that compares."""
    if field.get("none"):
        return "none",
    if "value" in field:
        return "number", str(Decimal(field["value"])), field.get("unit", "")
    return "text", field["text"]


def read(reading: dict) -> tuple:
    if "value" in reading:
        return "number", str(Decimal(reading["value"]["value"])), reading.get("unit", "")
    return ("text", reading["text"]) if reading.get("text") else ("none",)


def pattern_of(register: str) -> re.Pattern:
    """1-0:1.8.{t}*{n} fits 1-0:1.8.2*1 and, for index 0, 1-0:1.8.2."""
    text = re.escape(register)
    text = re.sub(r"\\\*\\\{[^}]*\\\}", r"(\\*\\d+)?", text)
    return re.compile(re.sub(r"\\\{[^}]*\\\}", r"\\d+", text) + r"(\*\d+)?" * (not register.endswith("}")))


class Protocols(Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin_port = free_port()
        cls.layout.park = PARK
        cls.park = demo.expanded(cls.layout)
        cls.simulator = subprocess.Popen(
            [str(cls.layout.program("field_sim")), f"--park={PARK}", f"--target=127.0.0.1:{cls.layout.port('collectors')}",
             f"--admin-port={cls.admin_port}"], stdout=subprocess.DEVNULL)
        demo.load_meters(cls.api, cls.park)
        cls.meters = list(cls.api.pages("registry.MeterService/ListMeters", "meters"))
        cls.eventually(lambda: all(c.get("presence", {}).get("online") for c in
                                   cls.api.pages("registry.CollectorService/ListCollectors", "collectors")), 30,
                       what="all collectors online")

    @classmethod
    def tearDownClass(cls):
        cls.simulator.terminate()
        cls.simulator.wait()
        super().tearDownClass()

    _numbers = itertools.count()  # Threads take from it at the same time.

    @classmethod
    def request_id(cls) -> str:
        return f"e2e-protocols-{cls.base_port}-{next(cls._numbers)}"

    # -- the simulator's side

    def truth(self, meter: dict, what: str = "") -> dict:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.admin_port}/meters/{meter['address']}{what}", timeout=10) as answer:
            return json.load(answer)

    def supply(self, meter: dict) -> str:
        """"open" when the relay is open or the valve closed: nothing is supplied."""
        relay = self.truth(meter)["relay"]
        return ("open" if relay["open"] else "closed") if isinstance(relay, dict) else relay

    def shown(self, meter: dict) -> dict:
        """Register id to the fields that the simulator shows under it, many identifiers may show the same."""
        return {row["id"]: row["fields"] for row in self.truth(meter, "/registers")}

    # -- the suite's side

    def known(self, meter: dict, registers: list) -> set:
        """Which of these the codec knows for the meter's protocol."""
        found = set()
        for begin in range(0, len(registers), 512):
            answer = self.api.call("scheduler.LineService/ListRegisters", {
                "protocol": f"PROTOCOL_{meter['protocol']}", "registers": registers[begin:begin + 512]})
            found |= {row["register"] for row in answer.get("registers", [])}
        return found

    def operation(self, meter: dict, registers: list) -> dict:
        return self.api.call("scheduler.OperationService/ExecuteOperation", {
            "requestId": self.request_id(), "wait": True,
            "operation": {"meter": meter["name"], "readNow": {"registers": registers}}}, timeout=60)

    @staticmethod
    def batches(registers: list, shown: dict):
        batch, values = [], 0
        for register in registers:
            if batch and (len(batch) == READ_AT_ONCE or values + len(shown[register]) > VALUES_AT_ONCE):
                yield batch
                batch, values = [], 0
            batch.append(register)
            values += len(shown[register])
        if batch:
            yield batch

    def compare(self, meter: dict) -> dict:
        """Reads all that both know; what differs and how much was compared."""
        shown = self.shown(meter)
        known = self.known(meter, sorted(shown))
        result = {"meter": f"{meter['protocol']} {meter['address']}", "registers": 0, "values": 0, "wrong": [],
                  "only simulator": sorted(set(shown) - known)}
        for batch in self.batches([register for register in shown if register in known], shown):
            done = self.operation(meter, batch)
            if done["state"] != "STATE_SUCCEEDED":
                result["wrong"].append(f"{batch[0]} .. {batch[-1]}: {done['state']} {done.get('reason')}")
                continue
            self.judge(batch, shown, done.get("readings", []), result)
        return result

    def judge(self, batch: list, shown: dict, readings: list, result: dict) -> None:
        got = collections.defaultdict(list)
        asked = set(batch)
        for reading in readings:
            register = reading["register"]
            got[register if register in asked else register.rpartition("/")[0]].append(reading)
        for register in batch:
            result["registers"] += 1
            result["values"] += len(shown[register])
            if register in CLOCKS:
                problem = self.clock_problem(shown[register], got[register])
            else:
                want, have = sorted(map(expected, shown[register])), sorted(map(read, got[register]))
                problem = "" if want == have else f"simulator {want[:4]}, suite {have[:4]}"
            if problem:
                result["wrong"].append(f"{register}: {problem}")

    def clock_problem(self, fields: list, readings: list) -> str:
        if len(readings) != 1:
            return f"{len(readings)} readings of a clock"
        ours, theirs = readings[0].get("text", ""), fields[0]["text"]
        if "T" not in theirs and ":" not in theirs:
            return "" if ours == theirs else f"date {ours}, simulator {theirs}"  # Wrong for a minute at midnight only.
        day = "" if "T" in theirs else "2000-01-01T"
        apart = abs((datetime.datetime.fromisoformat(day + ours) - datetime.datetime.fromisoformat(day + theirs)).total_seconds())
        return "" if min(apart, abs(86400 - apart)) <= CLOCK_SLACK else f"clock {ours}, simulator {theirs}"

    # -- tests

    def test_every_register_that_both_know_is_read_as_the_simulator_shows_it(self):
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            results = list(pool.map(self.compare, self.meters))
        shown = collections.defaultdict(set)
        for meter in self.meters:
            shown[meter["protocol"]] |= set(self.shown(meter))
        for result in results:
            print(f"  {result['meter']}: {result['registers']} registers, {result['values']} values, {len(result['wrong'])} wrong, "
                  f"{len(result['only simulator'])} that only the simulator knows {result['only simulator'][:6]}", file=sys.stderr)
        for protocol, ids in sorted(shown.items()):
            listed = [row["register"] for row in self.api.call("scheduler.LineService/ListRegisters", {
                "protocol": f"PROTOCOL_{protocol}"}).get("registers", [])]
            without = [row for row in listed if not any(pattern_of(row).fullmatch(register) for register in ids)]
            print(f"  {protocol}: {len(listed)} rows of the codec, {len(without)} that no simulated meter has {without[:12]}",
                  file=sys.stderr)
        wrong = [f"{result['meter']} {line}" for result in results for line in result["wrong"]]
        self.assertEqual([], wrong[:40], f"{len(wrong)} differences")
        for protocol in shown:
            self.assertGreater(sum(r["registers"] for r in results if r["meter"].startswith(protocol)), 0, protocol)
        self.assertEqual({"DLT645_2007", "DLT645_1997", "CJT188", "MBUS"}, set(shown))

    def relay(self, meter: dict) -> dict:
        return self.api.call("scheduler.RelayService/GetRelay", {"meter": meter["name"]})

    def open_and_close(self, meter: dict) -> None:
        hold = self.api.call("scheduler.RelayService/SetHold", {"requestId": self.request_id(), "hold": {
            "meter": meter["name"], "owner": "OWNER_OPERATOR", "reason": "test of all protocols"}})
        self.assertEqual("closed", self.supply(meter), "a hold alone never opens")
        not_after = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
        self.api.call("scheduler.RelayService/WritePermit", {"requestId": self.request_id(), "permit": {
            "meter": meter["name"], "hold": hold["name"], "notAfter": not_after.isoformat().replace("+00:00", "Z"),
            "guardRecord": json.dumps({"reason": "test of all protocols"})}})
        self.eventually(lambda: self.relay(meter).get("observed") == "RELAY_STATE_OPEN", 20, what=f"{meter['address']} seen open")
        self.assertEqual("open", self.supply(meter))
        self.api.call("scheduler.RelayService/LiftHold", {"requestId": self.request_id(), "name": hold["name"],
                                                          "owner": "OWNER_OPERATOR"})
        self.eventually(lambda: self.relay(meter).get("observed") == "RELAY_STATE_CLOSED", 20, what=f"{meter['address']} seen closed")
        self.assertEqual("closed", self.supply(meter))

    def test_relays_and_valves_open_on_a_permit_and_close_again(self):
        meters = [meter for meter in self.meters if meter["displayName"].endswith("阀") or meter["address"] in
                  ("260700000001", "260700000003")]
        self.assertEqual({"DLT645_2007", "CJT188", "MBUS"}, {meter["protocol"] for meter in meters})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self.open_and_close, meters))

    def test_a_register_of_another_protocol_is_refused_for_this_meter_only(self):
        water = next(meter for meter in self.meters if meter["protocol"] == "CJT188")
        done = self.operation(water, ["1-0:32.7.0"])
        self.assertEqual("STATE_FAILED", done["state"], done)
        self.assertEqual("UNKNOWN_REGISTER", done["reason"])


if __name__ == "__main__":
    import unittest
    unittest.main()
