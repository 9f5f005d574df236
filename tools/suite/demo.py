"""Loads a park file as the demo tenant, through the API as a customer would: sites, collectors, meters, schedules.

Request ids are made from the park's own ids, so that loading it twice is loading it once."""
import concurrent.futures
import json
import subprocess
import zlib

from tools.suite.client import Api
from tools.suite.database import Failure
from tools.suite.layout import Layout

ENERGY = ["1-0:1.8.0"]
DETAIL = ["1-0:1.8.0", "1-0:32.7.0", "1-0:31.7.0", "1-0:1.7.0"]
# By what the meters measure: what all of them can be asked for.
SCHEDULES = {
    "electricity": (
        {"displayName": "总电量 / total energy, every 10 s", "cron": "*/10 * * * * *", "registers": ENERGY},
        {"displayName": "电压电流功率 / voltage, current, power, every minute", "cron": "5 * * * * *", "registers": DETAIL},
    ),
    "water": ({"displayName": "用水量 / volume of water, every 20 s", "cron": "*/20 * * * * *", "registers": ["8-0:1.0.0"]},),
    "heat": ({"displayName": "热量 / heat, every minute", "cron": "15 * * * * *", "registers": ["6-0:1.0.0"]},),
    "gas": ({"displayName": "燃气量 / volume of gas, every minute", "cron": "25 * * * * *", "registers": ["7-0:3.0.0"]},),
}
# Data identifier 00010000 in a reply: lowest byte first, plus 33H each.
TOTAL_ENERGY = "33333433"
PARALLEL = 4  # Requests at once.


def expanded(layout: Layout) -> dict:
    done = subprocess.run([str(layout.program("field_sim")), f"--park={layout.park}", "--print-park"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise Failure(f"the park {layout.park} cannot be read: {done.stderr.strip()}")
    return json.loads(done.stdout)


def key(kind: str, text: str) -> str:
    """A request id that stays the same for the same thing."""
    return f"demo-{kind}-{zlib.crc32(text.encode()):08x}-{len(text)}"


def load(layout: Layout, api: Api) -> None:
    park = expanded(layout)
    load_meters(api, park)
    for supply, selection in _selections(layout, api, park).items():
        for schedule in SCHEDULES[supply]:
            api.call("scheduler.ScheduleService/CreateSchedule", {
                "requestId": key("schedule", schedule["displayName"]),
                "schedule": {**schedule, "timeZone": "Asia/Shanghai", "selection": selection}})
    layout.demo_loaded.touch()


def load_meters(api: Api, park: dict) -> None:
    """Sites, collectors and meters of an expanded park."""
    sites = _sites(api, park)
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        collectors = dict(pool.map(lambda c: _collector(api, c, sites), park["collectors"]))
        list(pool.map(lambda c: _meters(api, c, collectors[c["id"]], sites), park["collectors"]))


def _selections(layout: Layout, api: Api, park: dict) -> dict:
    """What is measured to the meters of it: all, where the park has nothing else. Replay meters only where their recording
    answers what the schedules read, since they know nothing else."""
    supplies, replayed = {}, False
    for collector in park["collectors"]:
        for meter in _meters_of(collector):
            replayed = replayed or bool(meter.get("recorded"))
            supplies.setdefault(meter.get("supply", "electricity"), {}).setdefault(collector["id"], []).append(meter)
    if len(supplies) == 1 and not replayed:
        return {supply: {} for supply in supplies}
    knowing = _replay_meters_that_know_energy(layout, park)
    collectors = {c["registrationId"]: c["name"] for c in api.pages("registry.CollectorService/ListCollectors", "collectors")}
    meters = {(m["collector"], m.get("bus", 1), m["address"]): m["name"]
              for m in api.pages("registry.MeterService/ListMeters", "meters")}
    selections = {}
    for supply, by_collector in supplies.items():
        selection = selections[supply] = {"collectors": [], "meters": []}
        for collector in park["collectors"]:
            mine = by_collector.get(collector["id"], [])
            known = [m for m in mine if not m.get("recorded") or m["address"] in knowing]
            if known and len(known) == len(list(_meters_of(collector))):
                selection["collectors"].append(collectors[collector["id"]])
                continue
            wanted = {id(m) for m in known}
            selection["meters"] += [meters[collectors[collector["id"]], bus.get("number", 1), m["address"]]
                                    for bus in collector["buses"] for m in bus["meters"] if id(m) in wanted]
    return selections


def _meters_of(collector: dict):
    return (meter for bus in collector["buses"] for meter in bus["meters"])


def _replay_meters_that_know_energy(layout: Layout, park: dict) -> set:
    knowing = set()
    for path in {layout.park.parent / m["recorded"] for c in park["collectors"] for m in _meters_of(c) if m.get("recorded")}:
        knowing |= {e["address"] for e in json.loads(path.read_text())["exchanges"] if TOTAL_ENERGY in e["reply"].replace(" ", "")}
    return knowing


def _sites(api: Api, park: dict) -> dict:
    """Park site id to resource name; all below one community."""
    title = park.get("name", "demo")
    root = api.call("registry.SiteService/CreateSite", {"requestId": key("site", title), "site": {
        "displayName": title, "kind": "KIND_COMMUNITY"}})["name"]
    names = {"": root}
    for site in park.get("sites", []):
        names[site["id"]] = api.call("registry.SiteService/CreateSite", {"requestId": key("site", title + site["id"]), "site": {
            "displayName": site["name"], "kind": "KIND_BUILDING", "parent": root}})["name"]
    return names


def _collector(api: Api, collector: dict, sites: dict) -> tuple:
    buses = []
    for place, bus in enumerate(collector["buses"], 1):
        number = bus.get("number", place)
        buses.append({"number": number, "baud": bus.get("baud", 2400), "registrationId": bus.get("registration_id", ""),
                      **({"port": bus["port"]} if "port" in bus else {}),
                      # Without wire time the simulated link has none of a real one's delay either.
                      "linkTimeMs": 500 if bus.get("wire_time", True) else 200})
    made = api.call("registry.CollectorService/CreateCollector", {"requestId": key("collector", collector["id"]), "collector": {
        "registrationId": collector["id"], "displayName": collector.get("name") or collector["id"],
        "site": sites[collector.get("site", "")], "heartbeatHex": _hex(collector.get("heartbeat", "")),
        "dialect": collector.get("dialect", ""), "buses": buses,
        **({"keyHex": _hex(collector["key"]), "assurance": "ASSURANCE_KEY"} if collector.get("key") else {})}})
    return collector["id"], made["name"]


def _hex(heartbeat) -> str:
    return heartbeat["hex"] if isinstance(heartbeat, dict) else (heartbeat or "").encode().hex().upper()


def _meters(api: Api, collector: dict, name: str, sites: dict) -> None:
    """In the park's order, so that lists show neighbours together."""
    for bus in collector["buses"]:
        for meter in bus["meters"]:
            protocol = meter.get("protocol", "DLT645_2007")
            # Short addresses come again on other buses.
            place = "" if protocol == "DLT645_2007" else f"/{bus.get('number', 1)}/"
            api.call("registry.MeterService/CreateMeter", {"requestId": key("meter", collector["id"] + place + meter["address"]), "meter": {
                "displayName": meter.get("name") or meter["address"], "kind": "KIND_" + meter.get("supply", "electricity").upper(),
                "site": sites[meter.get("site") or collector.get("site", "")], "collector": name, "bus": bus.get("number", 1),
                "address": meter["address"], "protocol": protocol, "profile": meter.get("profile", ""),
                "ratio": {"value": str(meter.get("ratio", "1"))}}})
