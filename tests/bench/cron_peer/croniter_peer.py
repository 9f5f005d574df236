"""The peer of R18b: croniter's next due time. Prints `NAME calls-per-CPU-second` for each line `NAME EXPRESSION` of standard
input; the zone is the first argument. Best of five rounds, as tests/bench/cron_bench.cpp takes it."""
import datetime
import sys
import time
import zoneinfo

import croniter

ROUND = 0.2
zone = zoneinfo.ZoneInfo(sys.argv[1])
begin = datetime.datetime.fromtimestamp(1_700_000_000, zone)
end = datetime.datetime.fromtimestamp(4_000_000_000, zone)
for line in sys.stdin:
    name, *fields = line.split()
    # Six fields of croniter have the seconds at the end.
    schedule = croniter.croniter(" ".join(fields[1:] + fields[:1]), begin)
    best = 0.0
    for _ in range(5):
        calls, started = 0, time.process_time()
        while time.process_time() - started < ROUND:
            if schedule.get_next(datetime.datetime) > end:
                schedule.set_current(begin)
            calls += 1
        best = max(best, calls / (time.process_time() - started))
    print(f"{name} {best:.6g}")
