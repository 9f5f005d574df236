// A simulated installation for tests and for `vite --mode mock`: two estates, collectors, meters, runs. Deterministic.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { RegisterSchema, type Register } from '@/gen/voltwell/codec/v1/codec_pb';
import { CollectorSchema, type Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import { CollectorUptimeSchema, type CollectorUptime } from '@/gen/voltwell/registry/v1/collector_service_pb';
import { Meter_Kind, MeterSchema, type Meter } from '@/gen/voltwell/registry/v1/meter_pb';
import { Site_Kind, SiteSchema, type Site } from '@/gen/voltwell/registry/v1/site_pb';
import { Reading_Source, ReadingSchema, type Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { Scan_State, ScanSchema, type Scan } from '@/gen/voltwell/scheduler/v1/scan_pb';
import { Run_State, RunSchema, ScheduleSchema, type Run, type Schedule } from '@/gen/voltwell/scheduler/v1/schedule_pb';

export const minuteMs = 60_000;

// id, Chinese, English, unit
const registerRows: [string, string, string, string][] = [
  ['1-0:1.8.0', '正向有功总电能', 'forward active energy, total', 'kWh'],
  ['1-0:1.7.0', '总有功功率', 'active power, total', 'kW'],
  ['1-0:32.7.0', 'A相电压', 'voltage, phase A', 'V'],
  ['1-0:31.7.0', 'A相电流', 'current, phase A', 'A'],
  ['1-0:13.7.0', '总功率因数', 'power factor, total', ''],
  ['1-0:14.7.0', '电网频率', 'grid frequency', 'Hz'],
  ['8-0:1.0.0', '累计流量', 'volume, total', 'm3'],
];

export function registerTable(): Register[] {
  return registerRows.map(([register, titleZh, titleEn, unit]) => create(RegisterSchema, { register, titleZh, titleEn, unit, readable: true }));
}

export function makeSites(): Site[] {
  const estate = (id: string, displayName: string) =>
    create(SiteSchema, { name: `sites/${id}`, displayName, kind: Site_Kind.COMMUNITY, path: `/${id}/` });
  const building = (id: string, parent: string, displayName: string) =>
    create(SiteSchema, { name: `sites/${id}`, parent: `sites/${parent}`, displayName, kind: Site_Kind.BUILDING, path: `/${parent}/${id}/` });
  return [
    estate('s1', '滨江花园'),
    building('s11', 's1', '1 号楼'),
    building('s12', 's1', '2 号楼'),
    estate('s2', '科创园'),
    building('s21', 's2', 'A 座'),
  ];
}

// Every third one dropped; who was never online has no second of it.
export function makeUptimes(collectors: readonly Collector[], now: number, seconds: number): CollectorUptime[] {
  return collectors.map((collector, index) => {
    const gap = !collector.presence?.sinceTime ? seconds : index % 3 === 0 ? 7500 : 0;
    return create(CollectorUptimeSchema, {
      collector: collector.name,
      observed: { seconds: BigInt(seconds) },
      online: { seconds: BigInt(seconds - gap) },
      drops: collector.presence?.sinceTime && gap ? 2n : 0n,
      ...(gap ? { longestGap: { seconds: BigInt(gap) }, longestGapTime: timestampFromMs(now - Math.max(gap, 90_000) * 1000) } : {}),
    });
  });
}

export function makeCollectors(now: number): Collector[] {
  const rows: [string, string, boolean | undefined, string][] = [
    ['滨江花园 1 号楼', 'sites/s11', true, ''],
    ['滨江花园 2 号楼', 'sites/s12', true, ''],
    ['科创园 A 座低区', 'sites/s21', true, ''],
    ['科创园 A 座高区', 'sites/s21', false, 'silent'],
    ['科创园 备用', 'sites/s21', undefined, ''],
  ];
  return rows.map(([displayName, site, online, reason], index) =>
    create(CollectorSchema, {
      name: `collectors/c${index + 1}`,
      registrationId: `VW-DEMO-${String(index + 1).padStart(4, '0')}`,
      displayName,
      site,
      buses: [{ number: 1, baud: 2400 }, { number: 2, baud: 9600 }],
      presence:
        online === undefined
          ? { online: false }
          : {
              online,
              reason,
              pod: online ? 'gateway-0' : '',
              sinceTime: timestampFromMs(now - (online ? 26 * 3_600_000 + index * 777_000 : 43 * minuteMs)),
            },
    }),
  );
}

export function makeMeters(count: number): Meter[] {
  return Array.from({ length: count }, (_, index) => {
    const collector = index % 4;
    const water = index % 8 === 5;
    const floor = 1 + (Math.floor(index / 8) % 28);
    return create(MeterSchema, {
      name: `meters/m${index + 1}`,
      displayName: `${collector + 1}-${floor}${String((index % 8) + 1).padStart(2, '0')}${water ? ' 水' : ''}`,
      kind: water ? Meter_Kind.WATER : Meter_Kind.ELECTRICITY,
      site: ['sites/s11', 'sites/s12', 'sites/s21', 'sites/s21'][collector],
      collector: `collectors/c${collector + 1}`,
      bus: 1 + (index % 2),
      address: String(202400000000 + index * 37 + 1),
      protocol: 'DLT645_2007',
      ratio: { value: '1' },
    });
  });
}

// A small repeatable noise in 0..1.
function wobble(seed: number): number {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return x - Math.floor(x);
}

// What a register of the n-th meter shows at a moment; power follows the hour of the day.
export function valueAt(register: string, n: number, ms: number): string {
  const hour = ((ms / 3_600_000 + 8) % 24) + wobble(n) * 2;
  const load = 0.25 + 0.55 * Math.max(0, Math.sin(((hour - 6) / 24) * Math.PI * 2)) + 0.9 * Math.exp(-((hour - 20) ** 2) / 6);
  const power = load * (0.8 + wobble(n + 7)) + wobble(Math.floor(ms / minuteMs) + n) * 0.12;
  switch (register) {
    case '1-0:1.8.0':
      return (1200 + n * 13.37 + (ms - 1_790_000_000_000) / 3_600_000 * (0.5 + wobble(n)) * 0.6).toFixed(2);
    case '1-0:1.7.0': return power.toFixed(4);
    case '1-0:32.7.0': return (224 + wobble(ms / minuteMs + n) * 9).toFixed(1);
    case '1-0:31.7.0': return ((power * 1000) / 228).toFixed(3);
    case '1-0:13.7.0': return (0.93 + wobble(ms / minuteMs) * 0.06).toFixed(3);
    case '1-0:14.7.0': return (49.97 + wobble(ms / minuteMs + 3) * 0.06).toFixed(2);
    case '8-0:1.0.0': return (80 + n * 1.7 + (ms - 1_790_000_000_000) / 3_600_000 * 0.012).toFixed(3);
    default: return '';
  }
}

export function registersOf(meter: Meter): string[] {
  return meter.kind === Meter_Kind.WATER ? ['8-0:1.0.0'] : registerRows.map(([id]) => id).filter((id) => id.startsWith('1-0'));
}

export function makeReading(meter: Meter, register: string, ms: number, source = Reading_Source.SCHEDULED): Reading {
  const n = Number(meter.name.replace(/\D/g, ''));
  return create(ReadingSchema, {
    meter: meter.name,
    register,
    time: timestampFromMs(ms),
    storeTime: timestampFromMs(ms + 900),
    value: { value: valueAt(register, n, ms) },
    unit: registerRows.find(([id]) => id === register)?.[3] ?? '',
    source,
    origin: 'runs/r1',
  });
}

export function makeSchedules(now: number): Schedule[] {
  const next = (step: number) => timestampFromMs(Math.ceil((now + 1) / step) * step);
  return [
    create(ScheduleSchema, {
      name: 'schedules/p1', displayName: '每分钟 总电量', cron: '0 * * * * *', timeZone: 'Asia/Shanghai',
      registers: ['1-0:1.8.0', '1-0:1.7.0'], nextFireTime: next(minuteMs),
    }),
    create(ScheduleSchema, {
      name: 'schedules/p2', displayName: '每 15 分钟 电压电流', cron: '0 */15 * * * *', timeZone: 'Asia/Shanghai',
      registers: ['1-0:32.7.0', '1-0:31.7.0', '1-0:13.7.0', '1-0:14.7.0'], nextFireTime: next(15 * minuteMs),
      selection: { sites: ['sites/s1'] },
    }),
    create(ScheduleSchema, {
      name: 'schedules/p3', displayName: '每日结算抄表', cron: '0 5 0 * * *', timeZone: 'Asia/Shanghai', paused: true,
      registers: ['1-0:1.8.0', '8-0:1.0.0'],
    }),
  ];
}

export function makeRun(id: number, schedule: string, fire: number, total: number, failures: Record<string, bigint>, open = 0): Run {
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0n);
  return create(RunSchema, {
    name: `runs/r${id}`,
    schedule,
    fireTime: timestampFromMs(fire),
    state: open > 0 ? Run_State.RUNNING : Run_State.DONE,
    itemsTotal: BigInt(total),
    itemsFailed: failed,
    itemsStored: BigInt(total - open) - failed,
    failures,
    endTime: open > 0 ? undefined : timestampFromMs(fire + 7300 + (id % 7) * 410),
  });
}

export function makeRuns(now: number, total: number): Run[] {
  const start = Math.floor(now / minuteMs) * minuteMs;
  return Array.from({ length: 42 }, (_, index) => {
    const fire = start - index * minuteMs;
    const id = 1000 - index;
    if (index === 0) return makeRun(id, 'schedules/p1', fire, total, {}, Math.floor(total / 3));
    if (index % 15 === 7) return makeRun(id, 'schedules/p2', fire, Math.floor(total / 2), { TIMEOUT: 3n, NOISE: 1n });
    return makeRun(id, 'schedules/p1', fire, total, index < 30 ? { OFFLINE: 36n, ...(index % 4 === 1 ? { TIMEOUT: 2n } : {}) } : {});
  });
}

// Over, with a meter of the register, one that is not in it, and two that cannot be told apart.
export function makeScan(name: string, collector: string, bus: number): Scan {
  return create(ScanSchema, {
    name,
    collector,
    bus,
    state: Scan_State.DONE,
    donePerMille: 1000,
    questions: 231n,
    metersFound: 2,
    meters: [
      { protocol: 'DLT645_2007', address: '202400000001', medium: 'ELECTRICITY', meter: 'meters/m1' },
      { protocol: 'CJT188', address: '1000112233445566', aliases: ['00112233445566'], medium: 'WATER' },
      { protocol: 'MBUS', address: 'p5', unresolved: true },
    ],
  });
}
