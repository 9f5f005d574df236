"""Collectors that must prove who they are: the level and the key are set by API, go through the registry and Redis to the gateway, and
are proven on real sockets by boxes that somebody else wrote."""
import json
import unittest

from foreign_collector import ForeignCollector
from proving_collector import CertifiedCollector, ProvingCollector, PskCollector
from suite import Suite, status

from tools.suite import keys

VOLTAGE = "1-0:32.7.0"
KEY, OTHER_KEY = bytes(range(16)), bytes(range(100, 132))


class Assurance(Suite):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tcp, cls.tls = cls.layout.port("collectors"), cls.layout.port("collectors_tls")
        cls.site = cls.make("registry.SiteService", "Site", displayName="the proving ground", kind="KIND_BUILDING")["name"]

    def collector(self, registration_id: str, address: str, assurance: str, **fields) -> dict:
        """A collector with one meter; the meter's name stands in `meter`."""
        made = self.make("registry.CollectorService", "Collector", registrationId=registration_id, displayName=registration_id,
                         site=self.site, buses=[{"number": 1, "baud": 9600}], assurance=assurance, **fields)
        meter = self.make("registry.MeterService", "Meter", displayName=address, kind="KIND_ELECTRICITY", site=self.site,
                          collector=made["name"], bus=1, address=address, protocol="DLT645_2007")
        return {**made, "meter": meter["name"]}

    def box(self, kind, *arguments, **more):
        made = kind(*arguments, **more)
        self.addCleanup(made.close)
        return made

    def get(self, collector: dict) -> dict:
        return self.api.call("registry.CollectorService/GetCollector", {"name": collector["name"]})

    def update(self, collector: dict, mask: str, **fields) -> dict:
        return self.api.call("registry.CollectorService/UpdateCollector", {
            "requestId": self.request_id(), "collector": {"name": collector["name"], **fields}, "updateMask": mask})

    def comes_online(self, collector: dict) -> None:
        self.eventually(lambda: self.get(collector).get("presence", {}).get("online"), what=f"{collector['name']} online")

    def reads(self, collector: dict) -> str:
        operation = self.api.call("scheduler.OperationService/ExecuteOperation", {
            "requestId": self.request_id(), "wait": True,
            "operation": {"meter": collector["meter"], "readNow": {"registers": [VOLTAGE]}}}, timeout=60)
        return operation["state"]

    def refused_by_gateway(self, reason: str) -> float:
        return status.total(self.metrics("collector_gateway"), "voltwell_gateway_refused_total", reason=reason)

    def in_directory(self, registration_id: str) -> None:
        self.eventually(lambda: self.metrics("collector_gateway").get("voltwell_gateway_directory_entries", 0) >= self.count(
            "SELECT count(*) FROM registry.collector_bus"), what=f"{registration_id} in the gateway's directory")

    def box_refused(self, make, reason: str):
        """A box that is made so is refused for this reason."""
        before = self.refused_by_gateway(reason)
        box = make()
        self.assertTrue(box.closed.wait(10), "the gateway closes it")
        self.eventually(lambda: self.refused_by_gateway(reason) == before + 1, what=f"refused as {reason}")
        return box

    def test_a_key_is_proven_by_challenge_right_wrong_and_replayed(self):
        made = self.collector("KEY-01", "202411110011", "ASSURANCE_KEY", dialect="login-key", keyHex=KEY.hex())
        self.assertNotIn("keyHex", made)
        self.assertIn("keySetTime", made)
        self.in_directory("KEY-01")
        box = self.box(ProvingCollector, self.tcp, "KEY-01", "202411110011", KEY)
        self.comes_online(made)
        self.assertEqual("STATE_SUCCEEDED", self.reads(made))
        right = box.answers[0]
        self.box_refused(lambda: self.box(ProvingCollector, self.tcp, "KEY-01", "202411110011", OTHER_KEY), "challenge_wrong")
        thief = self.box_refused(lambda: self.box(ProvingCollector, self.tcp, "KEY-01", "202411110011", KEY, right), "challenge_wrong")
        self.assertNotEqual(box.asked[0], thief.asked[0])
        self.assertFalse(box.closed.is_set())
        self.assertEqual("STATE_SUCCEEDED", self.reads(made), "the collector itself was not disturbed")
        # Rotated: the old key's session ends, the new key gets in.
        self.update(made, "keyHex", keyHex=OTHER_KEY.hex())
        self.assertTrue(box.closed.wait(10))
        self.eventually(lambda: self.get(made)["presence"].get("reason") == "key changed", what="the reason is told")
        self.box_refused(lambda: self.box(ProvingCollector, self.tcp, "KEY-01", "202411110011", KEY), "challenge_wrong")
        self.box(ProvingCollector, self.tcp, "KEY-01", "202411110011", OTHER_KEY)
        self.comes_online(made)
        self.assertEqual("STATE_SUCCEEDED", self.reads(made))

    def test_the_key_is_nowhere_but_sealed(self):
        made = self.collector("KEY-02", "202411110012", "ASSURANCE_KEY", dialect="login-key", keyHex=KEY.hex())
        listed = self.api.call("registry.CollectorService/ListCollectors", {"pageSize": 1000})
        self.assertNotIn(KEY.hex(), json.dumps([self.get(made), listed]).lower())
        sealed = self.sql("SELECT sealed_key FROM registry.collector WHERE registration_id = 'KEY-02'")[0][0]
        self.assertGreater(len(sealed), 64)
        self.assertNotIn(KEY, keys.from_base64url(sealed))
        self.assertNotIn(KEY.hex(), self.log("registry").lower() + self.log("collector_gateway").lower())

    def test_a_certificate_right_wrong_and_none(self):
        made = self.collector("CRT-01", "202411110013", "ASSURANCE_TLS_CERTIFICATE")
        self.in_directory("CRT-01")
        tls = self.layout.collector_tls
        for name, common_name in (("crt-01", "CRT-01"), ("crt-02", "CRT-02")):
            keys.make_certificate(tls, name, common_name, "collectors-ca")
        keys.make_certificate(tls, "forger-ca", "forger")
        keys.make_certificate(tls, "forged", "CRT-01", "forger-ca")

        def dial(own: str = ""):
            return self.box(CertifiedCollector, self.tls, b"CRT-01\r\n", "202411110013", tls / "server-ca.pem",
                            tls / own if own else None)

        self.box_refused(dial, "assurance")
        self.box_refused(lambda: dial("crt-02"), "wrong_certificate")
        self.box_refused(lambda: dial("forged"), "tls")
        dial("crt-01")
        self.comes_online(made)
        self.assertEqual("STATE_SUCCEEDED", self.reads(made))

    def test_a_key_through_tls_right_wrong_and_unknown(self):
        made = self.collector("PSK-01", "202411110014", "ASSURANCE_TLS_PSK", keyHex=KEY.hex())
        self.in_directory("PSK-01")
        self.box_refused(lambda: self.box(PskCollector, self.tls, "PSK-01", "202411110014", OTHER_KEY), "tls_psk")
        self.box_refused(lambda: self.box(PskCollector, self.tls, "PSK-01", "202411110014", KEY, identity="PSK-99"), "tls_psk")
        for version in ("-tls1_2", "-tls1_3"):
            box = PskCollector(self.tls, "PSK-01", "202411110014", KEY, version)
            self.comes_online(made)
            self.assertEqual("STATE_SUCCEEDED", self.reads(made), version)
            box.close()
            self.eventually(lambda: not self.get(made).get("presence", {}).get("online"), what="offline")

    def test_a_level_that_is_raised_ends_the_session_that_proved_less(self):
        made = self.collector("RAISED-01", "202411110015", "ASSURANCE_ID")
        self.in_directory("RAISED-01")
        box = self.box(ForeignCollector, self.tcp, b"RAISED-01\r\n", "202411110015")
        self.comes_online(made)
        refused = self.refused("registry.CollectorService/UpdateCollector", {
            "requestId": self.request_id(), "updateMask": "assurance",
            "collector": {"name": made["name"], "assurance": "ASSURANCE_KEY"}})
        self.assertEqual("ASSURANCE_NEEDS_KEY", refused.reason)
        self.update(made, "assurance", assurance="ASSURANCE_TLS_CERTIFICATE")
        self.assertTrue(box.closed.wait(10))
        self.eventually(lambda: self.get(made)["presence"].get("reason") == "assurance raised", what="the reason is told")
        self.box_refused(lambda: self.box(ForeignCollector, self.tcp, b"RAISED-01\r\n", "202411110015"), "assurance")


if __name__ == "__main__":
    unittest.main()
