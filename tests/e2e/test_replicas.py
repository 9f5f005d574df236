"""Two gateways and two schedulers: the work is shared, and killing one gateway moves its collectors to the other."""
import unittest

from suite import ROOT, Suite
from tools.suite import status


class Replicas(Suite):
    arguments = ("--park", str(ROOT / "deploy/demo/bench-512.json"), "--replicas", "collector_gateway=2",
                 "--replicas", "meter_scheduler=2")

    def sessions(self) -> dict:
        """Pod to number of sessions."""
        pods = {}
        for session in self.api.call("scheduler.LineService/ListSessions").get("sessions", []):
            pods[session["pod"]] = pods.get(session["pod"], 0) + 1
        return pods

    def newest_run_is_whole(self) -> bool:
        rows = self.sql("SELECT items_total, items_stored FROM scheduler.run WHERE state = 3 ORDER BY number DESC LIMIT 1")
        return bool(rows) and rows[0][0] == rows[0][1] != "0"

    def test_a_killed_gateway_loses_its_collectors_to_the_other(self):
        self.make("scheduler.ScheduleService", "Schedule", displayName="every two seconds", cron="*/2 * * * * *",
                  timeZone="UTC", registers=["1-0:1.8.0"])
        self.eventually(lambda: sum(self.sessions().values()) == 8, 20, what="all eight buses are connected")
        self.eventually(self.newest_run_is_whole, 30, what="a run without a failure before the kill")
        victim = max(self.sessions(), key=self.sessions().get)
        self.kill("collector_gateway" if victim.endswith("-0") else "collector_gateway.1")
        self.eventually(lambda: sum(self.sessions().values()) == 8, 20, what="all buses are connected again")
        newest = self.count("SELECT max(number) FROM scheduler.run")
        self.eventually(lambda: self.newest_run_is_whole() and self.count("SELECT max(number) FROM scheduler.run WHERE state = 3")
                        > newest, 20, what="a run without a failure after the kill")

    def test_both_schedulers_work(self):
        self.eventually(lambda: all(status.total(self.metrics("meter_scheduler", k), "voltwell_scheduler_readings_total") > 0
                                    for k in range(2)), 60, 0.5, what="both schedulers have stored readings")


if __name__ == "__main__":
    unittest.main()
