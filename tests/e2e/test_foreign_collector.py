"""A collector written by somebody else is added by API, read by a schedule and by a click, and its relay opens and closes."""
import datetime
import json
import unittest

from foreign_collector import ForeignCollector
from suite import Suite

ENERGY, VOLTAGE = "1-0:1.8.0", "1-0:32.7.0"


class ForeignMeter(Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.meter = cls.make_meter("FOREIGN-01", "202411110002")
        cls.device = ForeignCollector(cls.layout.port("collectors"), b"FOREIGN-01", "202411110002")
        cls.collector = cls.meter["collector"]
        cls.eventually(lambda: cls.api.call("registry.CollectorService/GetCollector", {"name": cls.collector}).get(
            "presence", {}).get("online"), what="the collector is online")

    @classmethod
    def tearDownClass(cls):
        cls.device.close()
        super().tearDownClass()

    def setUp(self):
        self.device.silent, self.device.before_reply, self.device.spoil_checksum = False, b"", False

    def read_now(self, *registers: str, **more) -> dict:
        return self.api.call("scheduler.OperationService/ExecuteOperation", {
            "requestId": self.request_id(), "wait": True, **more,
            "operation": {"meter": self.meter["name"], "readNow": {"registers": list(registers)}}}, timeout=60)

    def test_a_schedule_reads_it(self):
        schedule = self.make("scheduler.ScheduleService", "Schedule", displayName="every two seconds", cron="*/2 * * * * *",
                             timeZone="Asia/Shanghai", registers=[ENERGY], selection={"meters": [self.meter["name"]]})
        first = self.eventually(lambda: self.latest().get(ENERGY), 15, what="a scheduled reading")
        self.assertEqual("1234.56", first["value"]["value"])
        self.assertEqual("kWh", first["unit"])
        self.device.energy += 100
        self.eventually(lambda: self.latest()[ENERGY]["value"]["value"] == "1235.56", 10, what="the next reading")
        runs = self.api.call("scheduler.ScheduleService/ListRuns", {"schedule": schedule["name"]})["runs"]
        done = [run for run in runs if run["state"] == "STATE_DONE"]
        self.assertTrue(done)
        self.assertTrue(all(run["itemsTotal"] == "1" and run["itemsStored"] == "1" for run in done), done)
        self.api.call("scheduler.ScheduleService/DeleteSchedule", {"requestId": self.request_id(), "name": schedule["name"]})

    def latest(self) -> dict:
        answer = self.api.call("scheduler.ReadingService/GetLatestReadings", {"meters": [self.meter["name"]]})
        return {reading["register"]: reading for reading in answer.get("readings", [])}

    def test_a_click_reads_it(self):
        operation = self.read_now(ENERGY, VOLTAGE)
        self.assertEqual("STATE_SUCCEEDED", operation["state"], operation)
        values = {reading["register"]: reading["value"]["value"] for reading in operation["readings"]}
        self.assertEqual("220.5", values[VOLTAGE])
        self.assertIn(ENERGY, values)

    def test_the_same_request_id_reads_once(self):
        request = {"requestId": self.request_id(), "wait": True,
                   "operation": {"meter": self.meter["name"], "readNow": {"registers": [VOLTAGE]}}}
        first = self.api.call("scheduler.OperationService/ExecuteOperation", request, timeout=60)
        asked = len(self.device.requests)
        second = self.api.call("scheduler.OperationService/ExecuteOperation", request, timeout=60)
        self.assertEqual(first["name"], second["name"])
        self.assertEqual(asked, len(self.device.requests))

    def test_garbage_before_a_reply_costs_nothing(self):
        self.device.before_reply = b"\x00\xfe\x68\x68\x16" + b"\xff" * 7
        self.assertEqual("STATE_SUCCEEDED", self.read_now(VOLTAGE)["state"])

    def test_a_wrong_checksum_is_counted_and_not_decoded(self):
        before = self.session()
        self.device.spoil_checksum = True
        operation = self.read_now(VOLTAGE)
        self.assertEqual("STATE_FAILED", operation["state"])
        self.assertIn(operation["reason"], ("NOISE", "TIMEOUT"))
        self.assertGreater(int(self.session().get("badChecksums", 0)), int(before.get("badChecksums", 0)))
        self.device.spoil_checksum = False
        self.assertEqual("STATE_SUCCEEDED", self.read_now(VOLTAGE)["state"])

    def session(self) -> dict:
        return self.api.call("scheduler.LineService/ListSessions", {"collector": "FOREIGN-01"})["sessions"][0]

    def test_silence_has_a_reason_and_the_next_read_works(self):
        self.device.silent = True
        operation = self.read_now(VOLTAGE)
        self.assertEqual(("STATE_FAILED", "TIMEOUT"), (operation["state"], operation["reason"]))
        self.device.silent = False
        self.assertEqual("STATE_SUCCEEDED", self.read_now(VOLTAGE)["state"])

    def relay(self) -> dict:
        return self.api.call("scheduler.RelayService/GetRelay", {"meter": self.meter["name"]})

    def opens(self) -> list:
        return [data for data in self.device.relay_commands if data[8] == 0x1A]

    def test_the_relay_opens_on_a_permit_and_closes_when_the_hold_is_lifted(self):
        hold = self.api.call("scheduler.RelayService/SetHold", {"requestId": self.request_id(), "hold": {
            "meter": self.meter["name"], "owner": "OWNER_SAFETY", "reason": "water in the basement"}})
        self.assertEqual([], self.opens(), "a hold alone never opens")
        not_after = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=30)
        permit = self.api.call("scheduler.RelayService/WritePermit", {"requestId": self.request_id(), "permit": {
            "meter": self.meter["name"], "hold": hold["name"], "notAfter": not_after.isoformat().replace("+00:00", "Z"),
            "guardRecord": json.dumps({"why": "water in the basement", "seen_by": "e2e"})}})
        self.eventually(lambda: self.relay().get("observed") == "RELAY_STATE_OPEN", 15, what="seen open")
        self.assertTrue(self.device.relay_open)
        self.assertEqual(1, len(self.opens()), "one attempt on one permit")
        self.assertTrue(permit["name"].startswith("permits/"))
        self.api.call("scheduler.RelayService/LiftHold", {"requestId": self.request_id(), "name": hold["name"],
                                                          "owner": "OWNER_SAFETY"})
        self.eventually(lambda: self.relay().get("observed") == "RELAY_STATE_CLOSED", 15, what="seen closed")
        self.assertFalse(self.device.relay_open)

    def test_nothing_opens_while_all_cuts_are_stopped(self):
        hold = self.api.call("scheduler.RelayService/SetHold", {"requestId": self.request_id(), "hold": {
            "meter": self.meter["name"], "owner": "OWNER_OPERATOR", "reason": "test of the stop"}})
        stop = {"requestId": self.request_id(), "stopped": True, "reason": "storm"}
        self.api.call("scheduler.RelayService/SetCutStop", stop)
        refused = self.refused("scheduler.RelayService/WritePermit", {"requestId": self.request_id(), "permit": {
            "meter": self.meter["name"], "hold": hold["name"], "guardRecord": "{}"}})
        self.assertEqual("CUTS_STOPPED", refused.reason)
        self.assertFalse(self.device.relay_open)
        self.api.call("scheduler.RelayService/SetCutStop", {"requestId": self.request_id(), "stopped": False, "reason": "over"})
        self.api.call("scheduler.RelayService/LiftHold", {"requestId": self.request_id(), "name": hold["name"],
                                                          "owner": "OWNER_OPERATOR"})


if __name__ == "__main__":
    unittest.main()
