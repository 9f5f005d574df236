"""What an installation is doing now, in a few lines for the terminal."""
import json
import time
import urllib.request

from tools.suite.layout import SERVICES, Layout


def http(url: str, timeout: float = 2) -> tuple:
    """(status, body); (0, reason) when nothing answers."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(errors="replace")
    except OSError as error:
        return 0, str(error)


def metrics(port: int) -> dict:
    """Every sample of a process: "name{labels}" to its value; empty when it does not answer."""
    status, text = http(f"http://127.0.0.1:{port}/metrics")
    samples = {}
    if status == 200:
        for line in text.splitlines():
            if line and not line.startswith("#"):
                name, _, value = line.rpartition(" ")
                samples[name] = float(value)
    return samples


def total(samples: dict, name: str, **labels) -> float:
    """Sum of a metric over all its label sets that have the given labels."""
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    return sum(value for key, value in samples.items()
               if key.split("{")[0] == name and all(label in key for label in wanted))


def instances(layout: Layout):
    for service in SERVICES:
        for replica in range(layout.count(service)):
            yield service, replica, layout.port(f"{service}_metrics", replica)


def health(layout: Layout) -> dict:
    """Process to "ok" or to what it is waiting for."""
    answer = {}
    for service, replica, port in instances(layout):
        status, body = http(f"http://127.0.0.1:{port}/healthz")
        name = f"{service}.{replica}" if replica else service
        answer[name] = "ok" if status == 200 else (body.strip()[:120] if status else "not answering")
    return answer


def live(layout: Layout, api) -> None:
    """One line a second until interrupted."""
    previous = None
    while True:
        stored = exchanges = 0.0
        for service, _, port in instances(layout):
            if service == "meter_scheduler":
                stored += total(metrics(port), "voltwell_scheduler_readings_total")
            if service == "collector_gateway":
                exchanges += total(metrics(port), "voltwell_gateway_exchanges_total")
        try:
            online = sum(1 for c in api.pages("registry.CollectorService/ListCollectors", "collectors")
                         if c.get("presence", {}).get("online"))
        except Exception as error:  # The front door may be restarting: say so and go on.
            online = f"({type(error).__name__})"
        bad = [f"{name}: {state}" for name, state in health(layout).items() if state != "ok"]
        rate = "" if previous is None else f"  (+{stored - previous:.0f}/s)"
        print(f"\r\033[K{time.strftime('%H:%M:%S')}  collectors online {online}  exchanges {exchanges:.0f}  "
              f"readings stored {stored:.0f}{rate}  {'; '.join(bad) or 'all healthy'}", end="", flush=True)
        previous = stored
        time.sleep(1)


def dump(layout: Layout) -> str:
    return json.dumps(health(layout), indent=2)
