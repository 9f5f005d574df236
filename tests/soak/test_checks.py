"""The soak's checkers see what they are there to see."""
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from checks import DOUBLE_MAX, Memory, Owners  # noqa: E402
from machine import SECOND  # noqa: E402


class Box:
    number, name = 7, "S0007"

    def __init__(self):
        self.dials = {1: "gateway-0", 2: "gateway-1"}


def value(number: int, dial: int, meter: int) -> bytes:
    return number.to_bytes(2, "big") + dial.to_bytes(4, "big") + bytes([meter])


class Checks(unittest.TestCase):
    def setUp(self):
        self.owners, self.box = Owners(), Box()

    def fact(self, kind: str, pod: str, epoch: str, collector: str = "S0007"):
        self.owners.fact({"kind": kind, "pod": pod, "epoch": epoch, "collector": collector, "reason": "closed by peer"})

    def test_an_orderly_move_from_pod_to_pod_is_no_breach(self):
        self.fact("online", "gateway-0", "1.5")
        self.owners.answer(self.box, "gateway-0", value(7, 1, 3), 3, "1.5")
        self.fact("online", "gateway-1", "1.6")
        self.owners.answer(self.box, "gateway-1", value(7, 2, 3), 3, "1.6")
        self.fact("offline", "gateway-0", "1.5")
        self.fact("online", "gateway-1", "2.6")
        held = {"gateway-0": {"S0007": "1.5"}, "gateway-1": {"S0007": "1.6"}}
        self.owners.held(held, {"S0007": ("gateway-1", "1.6")}, SECOND, True)
        self.assertEqual([], self.owners.breaches)

    def test_an_answer_by_the_old_connection_after_the_new_one_answered_is_a_breach(self):
        self.owners.answer(self.box, "gateway-1", value(7, 2, 3), 3, "1.6")
        self.owners.answer(self.box, "gateway-0", value(7, 1, 3), 3, "1.6")
        self.assertEqual(1, len(self.owners.breaches))

    def test_an_answer_under_a_lower_epoch_by_another_pod_or_of_another_meter_is_a_breach(self):
        self.owners.answer(self.box, "gateway-1", value(7, 2, 3), 3, "1.6")
        self.owners.answer(self.box, "gateway-1", value(7, 2, 3), 3, "1.5")
        self.owners.answer(self.box, "gateway-0", value(7, 2, 3), 3, "1.6")
        self.owners.answer(self.box, "gateway-1", value(7, 2, 4), 3, "1.6")
        self.owners.answer(self.box, "gateway-1", value(8, 2, 3), 3, "1.6")
        self.assertEqual(4, len(self.owners.breaches))

    def test_an_epoch_that_is_given_twice_or_out_of_order_is_a_breach(self):
        self.fact("online", "gateway-0", "1.5")
        self.fact("online", "gateway-1", "1.5")
        self.assertEqual(2, len(self.owners.breaches))
        self.fact("online", "gateway-1", "1.4")
        self.assertEqual(3, len(self.owners.breaches))
        self.fact("offline", "gateway-1", "1.9")
        self.assertEqual(4, len(self.owners.breaches))

    def test_a_bus_that_two_pods_hold_for_long_is_a_breach_while_redis_is_there(self):
        held = {"gateway-0": {"S0007": "1.5"}, "gateway-1": {"S0007": "1.6"}}
        for now, redis_up, breaches in ((0, True, 0), (DOUBLE_MAX + 1, False, 0), (2 * DOUBLE_MAX + 3, True, 1)):
            self.owners.held(held, {}, now, redis_up)
            self.assertEqual(breaches, len(self.owners.breaches), now)

    def test_memory_that_grows_with_time_is_told_from_memory_that_sessions_need(self):
        steady, leaking = Memory(0), Memory(0)
        for minute in range(0, 24 * 60, 10):
            sessions = 1000 + 300 * (minute // 10 % 7)
            heap = 500_000 + 600 * sessions
            steady.add(minute * 60 * SECOND, heap, sessions, 0)
            leaking.add(minute * 60 * SECOND, heap + minute * 500, sessions, 0)
        self.assertLess(abs(steady.verdict()["growth"]), 1000)
        self.assertAlmostEqual(600, steady.verdict()["per_session"], delta=1)
        self.assertAlmostEqual(1430 * 500, leaking.verdict()["growth"], delta=1000)


if __name__ == "__main__":
    unittest.main()
