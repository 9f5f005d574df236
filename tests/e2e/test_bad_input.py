"""What comes wrong from outside gets a clear named answer and loses nothing."""
import json
import socket
import subprocess
import time
import unittest

from suite import Suite
from tools.suite import client


class BadInput(Suite):
    def test_a_call_without_identity_is_refused_at_the_front(self):
        anonymous = client.Api(self.layout.port("http"))
        refused = self.refused("registry.MeterService/ListMeters", {}, anonymous)
        self.assertEqual((401, "unauthenticated"), (refused.status, refused.code))

    def test_a_wrong_password_answers_in_constant_time_and_slows_down(self):
        anonymous = client.Api(self.layout.port("http"))

        def attempt(user: str) -> tuple:
            began = time.monotonic()
            refused = self.refused("registry.SessionService/Login", {"user": user, "password": "wrong"}, anonymous)
            return refused.reason, time.monotonic() - began

        known, unknown = attempt(self.admin["user"]), attempt("nobody-of-this-name")
        self.assertEqual("LOGIN_FAILED", known[0])
        self.assertEqual("LOGIN_FAILED", unknown[0])
        # The password hash dominates both; without it an unknown name would answer some fifty times faster.
        self.assertLess(known[1] / unknown[1], 5)
        self.assertLess(unknown[1] / known[1], 5)
        reasons = {attempt(self.admin["user"])[0] for _ in range(8)}
        self.assertIn("LOGIN_SLOWED_DOWN", reasons)
        # It heals: the right password is accepted again after the wait that is named.
        self.eventually(lambda: self.login_works(), 60, 0.5, what="sign-in works again")

    def login_works(self) -> bool:
        try:
            client.Api(self.layout.port("http")).login(self.admin["user"], self.admin["password"])
            return True
        except client.ApiError as error:
            self.assertEqual("LOGIN_SLOWED_DOWN", error.reason)
            return False

    def test_a_bad_cron_expression_names_the_position(self):
        refused = self.refused("scheduler.ScheduleService/CreateSchedule", {"requestId": self.request_id(), "schedule": {
            "displayName": "x", "cron": "0 0 25 * * *", "timeZone": "Asia/Shanghai", "registers": ["1-0:1.8.0"]}})
        self.assertEqual("BAD_CRON", refused.reason)
        self.assertEqual("4", refused.metadata.get("position"), refused.metadata)

    def test_an_unknown_register_is_named(self):
        refused = self.refused("scheduler.ScheduleService/CreateSchedule", {"requestId": self.request_id(), "schedule": {
            "displayName": "x", "cron": "0 0 1 * * *", "timeZone": "Asia/Shanghai", "registers": ["1-0:1.8.0", "9-9:9.9.9"]}})
        self.assertEqual(("UNKNOWN_REGISTER", "9-9:9.9.9"), (refused.reason, refused.metadata.get("register")))

    def test_an_unknown_time_zone_is_named(self):
        refused = self.refused("scheduler.ScheduleService/CreateSchedule", {"requestId": self.request_id(), "schedule": {
            "displayName": "x", "cron": "0 0 1 * * *", "timeZone": "Asia/Nowhere", "registers": ["1-0:1.8.0"]}})
        self.assertEqual("UNKNOWN_TIME_ZONE", refused.reason)

    def test_a_request_id_with_other_content_is_refused(self):
        request = {"requestId": self.request_id(), "site": {"displayName": "A", "kind": "KIND_BUILDING"}}
        first = self.api.call("registry.SiteService/CreateSite", request)
        self.assertEqual(first, self.api.call("registry.SiteService/CreateSite", request))
        request["site"]["displayName"] = "B"
        self.assertEqual("REQUEST_ID_REUSED", self.refused("registry.SiteService/CreateSite", request).reason)

    def test_an_unknown_collector_is_quarantined_sent_nothing_and_closed(self):
        with socket.create_connection(("127.0.0.1", self.layout.port("collectors"))) as connection:
            connection.settimeout(12)
            connection.sendall(b"NOBODY-KNOWS-ME")
            began = time.monotonic()
            self.assertEqual(b"", connection.recv(100), "nothing is sent")
            self.assertAlmostEqual(5, time.monotonic() - began, delta=2.5)
        listed = self.eventually(lambda: [row for row in self.api.call(
            "registry.CollectorService/ListQuarantined").get("collectors", [])
            if row["registrationId"] == "NOBODY-KNOWS-ME"], what="it is listed")
        self.assertGreaterEqual(int(listed[0]["attempts"]), 1)

    def test_methods_for_services_only_do_not_exist_at_the_front(self):
        refused = self.refused("registry.SessionService/Authenticate", {"tokens": ["x"]})
        self.assertEqual(404, refused.status)

    def test_broken_json_and_unknown_paths_get_named_answers(self):
        def curl(*arguments: str) -> tuple:
            done = subprocess.run(["curl", "-s", "-o", "-", "-w", "\n%{http_code}", *arguments], stdout=subprocess.PIPE, text=True)
            body, _, code = done.stdout.rpartition("\n")
            return int(code), body

        base = f"http://127.0.0.1:{self.layout.port('http')}"
        method = f"{base}/voltwell.registry.v1.MeterService/ListMeters"
        bearer = ("-H", f"authorization: Bearer {self.api.token}")
        code, body = curl(*bearer, "-H", "content-type: application/json", "-d", '{"pageSize":', method)
        self.assertEqual((400, "invalid_argument"), (code, json.loads(body)["code"]))
        self.assertEqual(415, curl(*bearer, "-H", "content-type: text/plain", "-d", "{}", method)[0])
        self.assertEqual(405, curl(*bearer, "-X", "PUT", "-H", "content-type: application/json", "-d", "{}", method)[0])
        self.assertEqual(404, curl(*bearer, "-H", "content-type: application/json", "-d", "{}", base + "/voltwell.x.v1.Y/Z")[0])
        self.assertEqual(200, curl(*bearer, "-H", "content-type: application/json", "-d", "", method)[0])


if __name__ == "__main__":
    unittest.main()
