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
SCHEDULES = (
    {"displayName": "总电量 / total energy, every 10 s", "cron": "*/10 * * * * *", "registers": ENERGY},
    {"displayName": "电压电流功率 / voltage, current, power, every minute", "cron": "5 * * * * *", "registers": DETAIL},
)
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
    sites = _sites(api, park)
    with concurrent.futures.ThreadPoolExecutor(PARALLEL) as pool:
        collectors = dict(pool.map(lambda c: _collector(api, c, sites), park["collectors"]))
        list(pool.map(lambda c: _meters(api, c, collectors[c["id"]], sites), park["collectors"]))
    selection = _selection(layout, api, park, sites)
    for schedule in SCHEDULES:
        api.call("scheduler.ScheduleService/CreateSchedule", {"requestId": key("schedule", schedule["displayName"]), "schedule": {
            **schedule, "timeZone": "Asia/Shanghai", "selection": selection}})
    layout.demo_loaded.touch()


def _selection(layout: Layout, api: Api, park: dict, sites: dict) -> dict:
    """All meters; but replay meters only where their recording answers what the schedules read, since they know nothing else."""
    replayed = {meter["address"] for c in park["collectors"] for bus in c["buses"] for meter in bus["meters"] if meter.get("recorded")}
    if not replayed:
        return {}
    knowing = set()
    for path in {layout.park.parent / m["recorded"] for c in park["collectors"] for b in c["buses"] for m in b["meters"]
                 if m.get("recorded")}:
        knowing |= {e["address"] for e in json.loads(path.read_text())["exchanges"] if TOTAL_ENERGY in e["reply"].replace(" ", "")}
    names = {meter["address"]: meter["name"] for meter in api.pages("registry.MeterService/ListMeters", "meters")}
    live = {meter.get("site") or c.get("site", "") for c in park["collectors"] for bus in c["buses"] for meter in bus["meters"]
            if not meter.get("recorded")}
    return {"sites": sorted(sites[site] for site in live), "meters": sorted(names[address] for address in knowing & replayed)}


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
        buses.append({"number": number, "baud": bus.get("baud", 2400),
                      # Without wire time the simulated link has none of a real one's delay either.
                      "linkTimeMs": 500 if bus.get("wire_time", True) else 200})
    made = api.call("registry.CollectorService/CreateCollector", {"requestId": key("collector", collector["id"]), "collector": {
        "registrationId": collector["id"], "displayName": collector.get("name") or collector["id"],
        "site": sites[collector.get("site", "")], "heartbeatHex": _hex(collector.get("heartbeat", "")), "buses": buses}})
    return collector["id"], made["name"]


def _hex(heartbeat) -> str:
    return heartbeat["hex"] if isinstance(heartbeat, dict) else (heartbeat or "").encode().hex().upper()


def _meters(api: Api, collector: dict, name: str, sites: dict) -> None:
    """In the park's order, so that lists show neighbours together."""
    for bus in collector["buses"]:
        for meter in bus["meters"]:
            api.call("registry.MeterService/CreateMeter", {"requestId": key("meter", collector["id"] + meter["address"]), "meter": {
                "displayName": meter.get("name") or meter["address"], "kind": "KIND_ELECTRICITY",
                "site": sites[meter.get("site") or collector.get("site", "")], "collector": name,
                "bus": bus.get("number", 1), "address": meter["address"], "protocol": "DLT645_2007",
                "ratio": {"value": str(meter.get("ratio", "1"))}}})
