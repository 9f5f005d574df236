"""kill -9 of each service in turn while schedules run: within 10 s all goes on, no planned read is lost without a reason, none is
stored twice. Prints for each kill its pid, the moment, and the row counts before and after."""
import datetime
import unittest

from suite import ROOT, Suite

RECOVERY = 10  # Seconds, QUALITY: recovery after a kill -9.


class Kill(Suite):
    arguments = ("--park", str(ROOT / "deploy/demo/bench-512.json"))

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.schedule = cls.make("scheduler.ScheduleService", "Schedule", displayName="every two seconds", cron="*/2 * * * * *",
                                timeZone="UTC", registers=["1-0:1.8.0"])

    def stored(self) -> int:
        return self.count("SELECT count(*) FROM scheduler.reading")

    def fresh(self) -> int:
        """Readings stored within the last second, by the database's clock."""
        return self.count("SELECT count(*) FROM scheduler.reading WHERE store_time > now() - interval '1 second'")

    def counted(self, statement: str) -> int:
        """0 while PostgreSQL itself is away."""
        try:
            return self.count(statement)
        except AssertionError:
            return 0

    def note(self, text: str) -> None:
        print(f"{datetime.datetime.now().isoformat(timespec='milliseconds')} {text}", flush=True)

    def kill_and_recover(self, name: str) -> None:
        self.eventually(lambda: self.fresh() > 0, 30, what="readings flow before the kill")
        before = self.stored()
        pid = self.kill(name)
        killed_at = datetime.datetime.now(datetime.timezone.utc).isoformat()
        self.note(f"kill -9 {name} pid {pid}: {before} readings before")
        self.eventually(lambda: self.pids().get(name) not in (None, pid), RECOVERY, what=f"{name} is restarted")
        began = datetime.datetime.now()
        # What counts is a reading whose run was fired after the kill.
        self.eventually(lambda: self.counted(
            "SELECT count(*) FROM scheduler.reading r JOIN scheduler.run u ON u.number = r.origin "
            f"WHERE u.fire_time > '{killed_at}'") > 0, RECOVERY, 0.1, what=f"scheduled readings go on after {name}")
        self.note(f"  {name} pid {self.pids()[name]}: goes on after {(datetime.datetime.now() - began).total_seconds():.1f} s, "
                  f"{self.stored()} readings")

    def check_the_book(self) -> None:
        """Every planned read of a finished run has one final state, and none is stored twice."""
        self.eventually(lambda: self.count(
            "SELECT count(*) FROM scheduler.run WHERE state < 3 AND fire_time < now() - interval '30 seconds'") == 0, 60, 0.5,
            what="runs that were under way at a kill end")
        lost = self.sql("SELECT u.number, u.items_total, count(e.meter_no) FROM scheduler.run u LEFT JOIN scheduler.run_item_end e "
                        "ON e.origin = u.number WHERE u.state = 3 GROUP BY 1, 2 HAVING u.items_total <> count(e.meter_no)")
        self.assertEqual([], lost, "planned reads without a final state")
        nameless = self.count("SELECT count(*) FROM scheduler.run_item_end WHERE state = 4 AND coalesce(reason, '') = ''")
        self.assertEqual(0, nameless, "failures without a reason")
        twice = self.sql("SELECT origin, meter_no, register_no, count(*) FROM scheduler.reading WHERE origin <> 0 "
                         "GROUP BY 1, 2, 3 HAVING count(*) > 1 LIMIT 5")
        self.assertEqual([], twice, "readings stored twice for one planned read")
        differs = self.sql("SELECT e.origin, count(*) FROM scheduler.run_item_end e LEFT JOIN scheduler.reading r ON "
                           "r.origin = e.origin AND r.meter_no = e.meter_no WHERE e.state = 3 AND r.meter_no IS NULL GROUP BY 1")
        self.assertEqual([], differs, "items called stored whose reading is not there")

    def test_each_service_in_turn(self):
        for name in ("protocol_codec", "collector_gateway", "meter_scheduler", "registry", "api_gateway", "redis", "postgres"):
            with self.subTest(name):
                self.kill_and_recover(name)
        with self.subTest("the front door answers"):
            self.eventually(self.front_answers, RECOVERY, what="the front door answers again")
        self.check_the_book()
        self.note(f"in the end: {self.stored()} readings, "
                  f"{self.count('SELECT count(*) FROM scheduler.run_item_end WHERE state = 4')} failed with a reason, "
                  f"{self.count('SELECT count(*) FROM scheduler.run')} runs")

    def front_answers(self) -> bool:
        try:
            return bool(self.api.call("registry.SessionService/GetMe").get("user"))
        except Exception:
            return False


if __name__ == "__main__":
    unittest.main()
