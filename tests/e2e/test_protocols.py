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
AT_ONCE = 8           # Meters.
SHARED_OUT = 1000     # From so many registers on, meters of a protocol share them out.
METERS_ZONE = datetime.timezone(datetime.timedelta(hours=8))
CLOCKS = {"0-0:0.9.1", "0-0:0.9.2", "0-0:1.0.0", "cjt188:clock"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def expected(field: dict) -> tuple:
    """What one field of the simulator is, in a form that compares."""
    taken = field.get("time", "")[:16]
    if field.get("none"):
        return "none", "", "", taken
    if "value" in field:
        return "number", str(Decimal(field["value"])), field.get("unit", ""), taken
    return "text", field["text"], "", taken


def read(reading: dict, timed: bool) -> tuple:
    taken = ""
    if timed:
        moment = datetime.datetime.fromisoformat(reading["time"].replace("Z", "+00:00"))
        taken = moment.astimezone(METERS_ZONE).strftime("%Y-%m-%dT%H:%M")
    if reading.get("value", {}).get("value"):
        return "number", str(Decimal(reading["value"]["value"])), reading.get("unit", ""), taken
    return ("text", reading["text"], "", taken) if reading.get("text") else ("none", "", "", taken)


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

    def chosen(self, meter: dict, known: list, common: set) -> list:
        """All registers; of protocols with thousands the meters share them out, beside what only some have."""
        if len(known) < SHARED_OUT:
            return known
        alike = sorted(m["name"] for m in self.meters if m["protocol"] == meter["protocol"])
        ours = [register for register in known if register in common][alike.index(meter["name"])::len(alike)]
        return ours + [register for register in known if register not in common]

    def latest(self, meter: dict) -> dict:
        """Register id to reading: also of values that bear the meter's own time, and of the parts of a record."""
        return {reading["register"]: reading for reading in self.api.pages(
            "scheduler.ReadingService/GetLatestReadings", "readings", {"meters": [meter["name"]]})}

    def compare_all(self) -> list:
        shown = {meter["name"]: self.shown(meter) for meter in self.meters}
        results = []
        for meter in self.meters:
            common = set.intersection(*(set(shown[m["name"]]) for m in self.meters if m["protocol"] == meter["protocol"]))
            known = self.known(meter, sorted(shown[meter["name"]]))
            registers = [register for register in shown[meter["name"]] if register in known]
            results.append({"meter": meter, "shown": shown[meter["name"]], "chosen": self.chosen(meter, registers, common), "read": [],
                            "values": 0, "wrong": [], "only simulator": sorted(set(shown[meter["name"]]) - known)})
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(self.read_chosen, results))
        for result in results:
            self.judge(result, self.latest(result["meter"]))
        return results

    def read_chosen(self, result: dict) -> None:
        for batch in self.batches(result["chosen"], result["shown"]):
            done = self.operation(result["meter"], batch)
            if done["state"] == "STATE_SUCCEEDED":
                result["read"] += batch
            else:
                result["wrong"].append(f"{batch[0]} .. {batch[-1]}: {done['state']} {done.get('reason')}")

    def judge(self, result: dict, readings: dict) -> None:
        shown, got, asked = result["shown"], collections.defaultdict(list), set(result["read"])
        for register, reading in readings.items():
            got[register if register in asked else register.rpartition("/")[0]].append(reading)
        for register in result["read"]:
            result["values"] += len(shown[register])
            if register in CLOCKS:
                problem = self.clock_problem(shown[register], got[register])
            else:
                want = sorted(map(expected, shown[register]))
                timed = any("time" in field for field in shown[register])
                have = sorted(read(reading, timed) for reading in got[register])
                problem = "" if want == have else f"simulator {want[:3]}, suite {have[:3]}"
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
        results = self.compare_all()
        shown = collections.defaultdict(set)
        for result in results:
            meter = result["meter"]
            shown[meter["protocol"]] |= set(result["shown"])
            print(f"  {meter['protocol']} {meter['address']}: {len(result['read'])} registers, {result['values']} values, "
                  f"{len(result['wrong'])} wrong, {len(result['only simulator'])} that only the simulator knows "
                  f"{result['only simulator'][:6]}", file=sys.stderr)
        for protocol, ids in sorted(shown.items()):
            listed = [row["register"] for row in self.api.call("scheduler.LineService/ListRegisters", {
                "protocol": f"PROTOCOL_{protocol}"}).get("registers", [])]
            without = [row for row in listed if not any(pattern_of(row).fullmatch(register) for register in ids)]
            print(f"  {protocol}: {len(listed)} rows of the codec, {len(without)} that no simulated meter has {without[:12]}",
                  file=sys.stderr)
        wrong = [f"{result['meter']['address']} {line}" for result in results for line in result["wrong"]]
        self.assertEqual([], wrong[:40], f"{len(wrong)} differences")
        for protocol in shown:
            self.assertGreater(sum(len(r["read"]) for r in results if r["meter"]["protocol"] == protocol), 0, protocol)
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
