// A server inside the page: Connect's router transport over the simulated installation. Tests change its state, replace
// answers, and look at the calls it got.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { Code, ConnectError, createRouterTransport, type Transport } from '@connectrpc/connect';
import { announceSessionEnd, sessionEndInterceptor } from '@/api/transport';
import { LiveService, WatchResponseSchema, type WatchResponse } from '@/gen/voltwell/front/v1/live_service_pb';
import { CollectorService } from '@/gen/voltwell/registry/v1/collector_service_pb';
import { MeterService } from '@/gen/voltwell/registry/v1/meter_service_pb';
import { SessionService } from '@/gen/voltwell/registry/v1/session_service_pb';
import { SiteService } from '@/gen/voltwell/registry/v1/site_service_pb';
import { ErrorInfoSchema } from '@/gen/voltwell/rpc/v1/error_pb';
import { LineService } from '@/gen/voltwell/scheduler/v1/line_service_pb';
import { Operation_State, OperationSchema, type Operation } from '@/gen/voltwell/scheduler/v1/operation_pb';
import { OperationService } from '@/gen/voltwell/scheduler/v1/operation_service_pb';
import { Reading_Source, type Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { ReadingService } from '@/gen/voltwell/scheduler/v1/reading_service_pb';
import { RelayService } from '@/gen/voltwell/scheduler/v1/relay_service_pb';
import { RelayState } from '@/gen/voltwell/codec/v1/codec_pb';
import type { Scan } from '@/gen/voltwell/scheduler/v1/scan_pb';
import { RunItem_State, RunItemSchema, type Run } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { ScheduleService } from '@/gen/voltwell/scheduler/v1/schedule_service_pb';
import { fakeFireTimes } from './fake_cron';
import * as field from './field';

export function refusal(code: Code, reason: string, metadata: Record<string, string> = {}): ConnectError {
  return new ConnectError(`refused: ${reason}`, code, undefined, [
    { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason, domain: 'voltwell.fake', metadata }) },
  ]);
}

// News waiting to be sent to one watcher.
class Mailbox {
  private waiting: WatchResponse[] = [];
  private wake: (() => void) | undefined;
  private closed: ConnectError | 'end' | undefined;

  push(news: WatchResponse): void {
    this.waiting.push(news);
    this.wake?.();
  }
  close(why: ConnectError | 'end'): void {
    this.closed = why;
    this.wake?.();
  }
  async *read(signal: AbortSignal): AsyncGenerator<WatchResponse> {
    signal.addEventListener('abort', () => this.close('end'));
    for (;;) {
      const news = this.waiting.shift();
      if (news) yield news;
      else if (this.closed === 'end') return;
      else if (this.closed) throw this.closed;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

export interface FakeOptions {
  now?: number;
  meters?: number;
  signedIn?: boolean;
  permissions?: string[];
  // How long a read of a meter takes.
  readMs?: number;
}

export class Fake {
  readonly now: number;
  readonly scans: Scan[] = [];
  readonly sites = field.makeSites();
  readonly collectors;
  readonly meters;
  schedules;
  runs: Run[];
  signedIn: boolean;
  permissions: string[];
  readMs: number;
  // What was called with what, in order: "ExecuteOperation", request.
  readonly calls: { method: string; request: unknown }[] = [];
  // Throws instead of answering, by method name; taken off by the test.
  readonly failing = new Map<string, () => Error>();
  // How the next reads end; default: they succeed.
  readOutcome: (operation: Operation) => Partial<Pick<Operation, 'state' | 'reason' | 'readings'>> = () => ({});
  private readonly mailboxes = new Set<Mailbox>();
  private readonly operations = new Map<string, Operation>();

  constructor({ now = Date.now(), meters = 24, signedIn = true, permissions = ['*'], readMs = 0 }: FakeOptions = {}) {
    this.now = now;
    this.collectors = field.makeCollectors(now);
    this.meters = field.makeMeters(meters);
    this.schedules = field.makeSchedules(now);
    this.runs = field.makeRuns(now, meters);
    this.signedIn = signedIn;
    this.permissions = permissions;
    this.readMs = readMs;
  }

  get watchers(): number {
    return this.mailboxes.size;
  }

  push(news: Parameters<typeof create<typeof WatchResponseSchema>>[1]): void {
    const message = create(WatchResponseSchema, news);
    for (const mailbox of this.mailboxes) mailbox.push(message);
  }

  dropWatchers(why: ConnectError | 'end' = new ConnectError('gone', Code.Unavailable)): void {
    for (const mailbox of this.mailboxes) mailbox.close(why);
  }

  // The server's side ends the session.
  endSession(): void {
    this.signedIn = false;
    announceSessionEnd();
  }

  countCalls(method: string): number {
    return this.calls.filter((call) => call.method === method).length;
  }

  private enter(method: string, request: unknown): void {
    this.calls.push({ method, request });
    const failure = this.failing.get(method);
    if (failure) throw failure();
    if (!this.signedIn && method !== 'Login') throw refusal(Code.Unauthenticated, 'NO_IDENTITY');
  }

  latestOf(names: readonly string[]): Reading[] {
    const time = Math.floor(this.now / field.minuteMs) * field.minuteMs - field.minuteMs + 3200;
    return this.meters
      .filter((meter) => names.length === 0 || names.includes(meter.name))
      .filter((meter) => meter.name !== 'meters/m8')
      .flatMap((meter) => field.registersOf(meter).map((register) => field.makeReading(meter, register, time)));
  }

  private async read(operation: Operation): Promise<Operation> {
    await new Promise((resolve) => setTimeout(resolve, this.readMs));
    const meter = this.meters.find(({ name }) => name === operation.meter);
    if (!meter) throw refusal(Code.NotFound, 'METER_NOT_FOUND');
    const registers = operation.kind.case === 'readNow' ? operation.kind.value.registers : [];
    const end = Date.now();
    const known = registers.filter((register) => field.registersOf(meter).includes(register));
    const done = create(OperationSchema, {
      name: `operations/o${this.operations.size + 1}`,
      meter: operation.meter,
      kind: operation.kind,
      state: Operation_State.SUCCEEDED,
      readings: known.map((register) => field.makeReading(meter, register, end, Reading_Source.INTERACTIVE)),
      createTime: timestampFromMs(end - Math.max(this.readMs, 640)),
      endTime: timestampFromMs(end),
      ...this.readOutcome(operation),
    });
    if (done.state === Operation_State.SUCCEEDED) this.push({ readings: done.readings });
    return done;
  }

  transport(): Transport {
    return createRouterTransport(
      ({ service }) => {
        service(SessionService, {
          login: (request) => {
            this.enter('Login', request);
            if (request.password !== 'demo') throw refusal(Code.Unauthenticated, 'LOGIN_FAILED');
            this.signedIn = true;
            return { token: 'opaque', user: 'users/u1' };
          },
          logout: (request) => {
            this.enter('Logout', request);
            this.signedIn = false;
            return {};
          },
          getMe: (request) => {
            this.enter('GetMe', request);
            return {
              user: 'users/u1', login: 'admin', displayName: '王工', tenant: 'tenants/demo',
              tenantDisplayName: '滨江物业', permissions: this.permissions,
            };
          },
        });
        service(SiteService, { listSites: (request) => (this.enter('ListSites', request), { sites: this.sites }) });
        service(CollectorService, {
          listCollectors: (request) => (this.enter('ListCollectors', request), { collectors: this.collectors }),
          listCollectorUptimes: (request) => {
            this.enter('ListCollectorUptimes', request);
            return { uptimes: field.makeUptimes(this.collectors, this.now, Number(request.period?.seconds ?? 0n)) };
          },
          updateCollector: (request) => {
            this.enter('UpdateCollector', request);
            const { name, assurance } = request.collector!;
            const found = this.collectors.find((collector) => collector.name === name)!;
            found.assurance = assurance;
            if (request.updateMask?.paths.includes('key_hex')) found.keySetTime = timestampFromMs(Date.now());
            return found;
          },
        });
        service(MeterService, {
          listMeters: (request) => (this.enter('ListMeters', request), { meters: this.meters }),
          createMeter: (request) => {
            this.enter('CreateMeter', request);
            const found = this.scans.flatMap(({ meters }) => meters).find(({ address }) => address === request.meter?.address);
            if (found) found.meter = 'meters/found';
            return { name: 'meters/found', address: request.meter?.address ?? '' };
          },
        });
        service(LineService, {
          listRegisters: (request) => (this.enter('ListRegisters', request), { registers: field.registerTable() }),
        });
        service(RelayService, {
          getRelay: (request) => {
            this.enter('GetRelay', request);
            return { desired: RelayState.CLOSED, observed: RelayState.CLOSED, observedTime: timestampFromMs(this.now - 3_600_000) };
          },
        });
        service(ReadingService, {
          getLatestReadings: (request) => (this.enter('GetLatestReadings', request), { readings: this.latestOf(request.meters) }),
          listReadings: (request) => {
            this.enter('ListReadings', request);
            const meter = this.meters.find(({ name }) => name === request.meter);
            const start = Number(request.startTime?.seconds ?? 0n) * 1000;
            const step = Math.max(15, Math.round((this.now - start) / field.minuteMs / 200)) * field.minuteMs;
            const readings: Reading[] = [];
            for (let at = Math.floor(this.now / step) * step; meter && at >= start; at -= step) {
              for (const register of request.registers) readings.push(field.makeReading(meter, register, at + 3200));
            }
            return { readings };
          },
        });
        service(OperationService, {
          executeOperation: async (request) => {
            this.enter('ExecuteOperation', request);
            const known = this.operations.get(request.requestId);
            if (known) return known;
            const done = await this.read(request.operation ?? create(OperationSchema));
            this.operations.set(request.requestId, done);
            return done;
          },
          listScans: (request) => (this.enter('ListScans', request), { scans: this.scans.filter(({ collector }) => collector === request.collector) }),
          getScan: (request) => (this.enter('GetScan', request), this.scans.find(({ name }) => name === request.name) ?? {}),
          scanBus: (request) => {
            this.enter('ScanBus', request);
            const { collector = '', bus = 1 } = request.scan ?? {};
            this.scans.unshift(field.makeScan(`scans/${this.scans.length + 1}`, collector, bus));
            return this.scans[0]!;
          },
          getOperation: (request) => {
            this.enter('GetOperation', request);
            return [...this.operations.values()].find(({ name }) => name === request.name) ?? {};
          },
        });
        service(ScheduleService, {
          listSchedules: (request) => (this.enter('ListSchedules', request), { schedules: this.schedules }),
          createSchedule: (request) => {
            this.enter('CreateSchedule', request);
            const [next] = fakeFireTimes(request.schedule?.cron ?? '', Date.now(), 1);
            const created = { ...request.schedule!, name: `schedules/p${this.schedules.length + 1}`, nextFireTime: timestampFromMs(next ?? 0) };
            this.schedules = [...this.schedules, created];
            return created;
          },
          updateSchedule: (request) => {
            this.enter('UpdateSchedule', request);
            const { name, paused } = request.schedule!;
            this.schedules = this.schedules.map((old) => (old.name === name ? { ...old, paused } : old));
            return this.schedules.find((schedule) => schedule.name === name)!;
          },
          previewSchedule: (request) => {
            this.enter('PreviewSchedule', request);
            return { fireTimes: fakeFireTimes(request.cron, Date.now(), request.count || 5).map((ms) => timestampFromMs(ms)) };
          },
          runSchedule: (request) => {
            this.enter('RunSchedule', request);
            const run = field.makeRun(2000 + this.runs.length, request.name, Date.now(), this.meters.length, {}, this.meters.length);
            this.runs = [run, ...this.runs];
            return run;
          },
          listRuns: (request) => (this.enter('ListRuns', request), { runs: this.runs }),
          listRunItems: (request) => {
            this.enter('ListRunItems', request);
            const run = this.runs.find(({ name }) => name === request.run);
            const failed = Object.entries(run?.failures ?? {}).flatMap(([reason, count]) => Array<string>(Number(count)).fill(reason));
            const items = this.meters.slice(0, Number(run?.itemsTotal ?? 0n)).map((meter, index) =>
              create(RunItemSchema, {
                meter: meter.name,
                state: failed[index] ? RunItem_State.FAILED : RunItem_State.STORED,
                reason: failed[index] ?? '',
                attempts: failed[index] ? 3 : 1,
                endTime: run?.endTime,
              }),
            );
            return { items: items.filter((item) => request.state === RunItem_State.UNSPECIFIED || item.state === request.state) };
          },
          cancelRun: (request) => (this.enter('CancelRun', request), { itemsCancelled: 8n }),
        });
        service(LiveService, {
          watch: (request, context) => {
            this.enter('Watch', request);
            return this.watch(context.signal);
          },
        });
      },
      { transport: { interceptors: [sessionEndInterceptor] } },
    );
  }

  private async *watch(signal: AbortSignal): AsyncGenerator<WatchResponse> {
    const mailbox = new Mailbox();
    this.mailboxes.add(mailbox);
    try {
      yield create(WatchResponseSchema, { time: timestampFromMs(Date.now()) });
      yield* mailbox.read(signal);
    } finally {
      this.mailboxes.delete(mailbox);
    }
  }
}
