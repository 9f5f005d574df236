// The fake server brought to life for `vite --mode mock`: readings arrive, runs move on. Query parameters of the page choose
// states worth looking at: ?fake=signedout, ?fake=empty, ?fake=broken, ?fake=well.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, type Transport } from '@connectrpc/connect';
import { Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';
import { Run_State, RunSchema } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { Fake } from './fake';
import { makeReading, makeRun, minuteMs, registersOf } from './field';

const demoMeters = 144;
const tickMs = 1000;

function start(fake: Fake): void {
  let id = 3000;
  let cursor = 0;
  setInterval(() => {
    const now = Date.now();
    const batch = fake.meters.slice(cursor, cursor + 3);
    cursor = (cursor + 3) % fake.meters.length;
    const news = batch.flatMap((meter) => registersOf(meter).slice(0, 2).map((register) => makeReading(meter, register, now - 400)));
    for (const reading of news) reading.storeTime = timestampFromMs(now);
    const running = fake.runs[0];
    if (running?.state === Run_State.RUNNING) {
      const left = running.itemsTotal - running.itemsStored - running.itemsFailed;
      const step = left < 9n ? left : 9n;
      const done = left === step;
      fake.runs[0] = create(RunSchema, {
        ...running,
        itemsStored: running.itemsStored + step,
        state: done ? Run_State.DONE : Run_State.RUNNING,
        endTime: done ? timestampFromMs(now) : undefined,
      });
    } else if (now - Number(running?.fireTime?.seconds ?? 0n) * 1000 >= minuteMs) {
      const fire = Math.floor(now / minuteMs) * minuteMs;
      fake.runs = [makeRun((id += 1), 'schedules/p1', fire, fake.meters.length, { OFFLINE: 36n }, fake.meters.length - 36), ...fake.runs];
      const [first] = fake.schedules;
      if (first) first.nextFireTime = timestampFromMs(fire + minuteMs);
    }
    fake.push({ time: timestampFromMs(now), readings: news, runs: fake.runs.slice(0, 1) });
  }, tickMs);
}

export function createDemoTransport(): Transport {
  const state = new URLSearchParams(window.location.search).get('fake') ?? sessionStorage.getItem('fake') ?? '';
  sessionStorage.setItem('fake', state);
  const fake = new Fake({
    meters: state === 'empty' ? 0 : demoMeters,
    signedIn: state !== 'signedout',
    readMs: 1400,
  });
  if (state === 'empty') {
    fake.collectors.length = 0;
    fake.schedules = [];
    fake.runs = [];
  } else if (state === 'broken') {
    for (const method of ['ListCollectors', 'ListMeters', 'ListRuns', 'ListSchedules', 'Watch']) {
      fake.failing.set(method, () => new ConnectError('upstream is gone', Code.Unavailable));
    }
  } else {
    if (state === 'well') fake.collectors.splice(3, 2);
    // The collector of every fourth meter is offline.
    fake.readOutcome = (operation) =>
      Number(operation.meter.replace(/\D/g, '')) % 4 === 0
        ? { state: Operation_State.FAILED, reason: 'OFFLINE', readings: [] }
        : {};
    start(fake);
  }
  return fake.transport();
}
