// Failures in words, request ids, pages, and read-now.
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import i18next from 'i18next';
import { describe, expect, test } from 'vitest';
import { Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';
import { type ExecuteOperationRequest, OperationService } from '@/gen/voltwell/scheduler/v1/operation_service_pb';
import { setLanguage } from '@/i18n';
import { Fake, refusal } from '@/testing/fake';
import { errorText, isRetryable, reasonText } from './errors';
import { readPages } from './pages';
import { holds } from './permissions';
import { pollEveryMs, readNow, triesMax, waitMaxMs } from './read_now';
import { RequestIds } from './request_id';

const t = i18next.t;

describe('a failure', () => {
  test('is told by its reason with what the metadata says', () => {
    const error = refusal(Code.Unauthenticated, 'LOGIN_SLOWED_DOWN', { retry_after_seconds: '8' });
    expect(errorText(t, error)).toBe('失败次数过多，请 8 秒后再试');
    setLanguage('en');
    expect(errorText(t, error)).toBe('Too many failures, try again in 8 s');
  });

  test('of an unknown reason is told by its code and bears the reason', () => {
    setLanguage('en');
    expect(errorText(t, refusal(Code.FailedPrecondition, 'NEVER_HEARD_OF'))).toBe(
      'The present state does not allow this. (NEVER_HEARD_OF)',
    );
    expect(reasonText(t, 'NEVER_HEARD_OF')).toBe('NEVER_HEARD_OF');
  });

  test('every code has words in both languages', () => {
    for (const language of ['zh', 'en'] as const) {
      setLanguage(language);
      for (let code = Code.Canceled; code <= Code.Unauthenticated; code += 1) {
        expect(errorText(t, new ConnectError('x', code))).not.toContain('code.');
      }
    }
  });

  test('may be tried again only where the call may not have arrived', () => {
    expect(isRetryable(new ConnectError('x', Code.Unavailable))).toBe(true);
    expect(isRetryable(ConnectError.from(new TypeError('Failed to fetch')))).toBe(true);
    expect(isRetryable(new ConnectError('x', Code.InvalidArgument))).toBe(false);
    expect(isRetryable(new ConnectError('x', Code.Internal))).toBe(false);
  });
});

describe('a request id', () => {
  test('stays for the same content, changes with it, and is not used again after success', () => {
    const ids = new RequestIds();
    const first = ids.idFor({ cron: 'a' });
    expect(first).toMatch(/^[A-Za-z0-9_-]{1,64}$/);
    expect(ids.idFor({ cron: 'a' })).toBe(first);
    const second = ids.idFor({ cron: 'b' });
    expect(second).not.toBe(first);
    ids.done();
    expect(ids.idFor({ cron: 'b' })).not.toBe(second);
  });
});

describe('pages', () => {
  const pageOf = (token: string) =>
    Promise.resolve({ items: [Number(token || 0)], nextPageToken: token === '2' ? '' : String(Number(token || 0) + 1) });

  test('are read to the last one', async () => {
    expect(await readPages(pageOf, (page) => page.items)).toEqual({ items: [0, 1, 2], truncated: false });
  });

  test('stop at the limit and say that there is more', async () => {
    expect(await readPages(pageOf, (page) => page.items, 2)).toEqual({ items: [0, 1], truncated: true });
  });
});

test('a permission is held by name or by the star', () => {
  expect(holds(['*'], 'meter.read')).toBe(true);
  expect(holds(['meter.read'], 'meter.read')).toBe(true);
  expect(holds(['meter.read'], 'meter.write')).toBe(false);
});

describe('read now', () => {
  const request = { meter: 'meters/m1', registers: ['1-0:1.8.0'], requestId: 'r1' };

  function waiting() {
    let now = 0;
    const sleeps: number[] = [];
    return {
      sleeps,
      now: () => now,
      sleep: async (ms: number) => {
        sleeps.push(ms);
        now += ms;
      },
    };
  }

  test('answers what the meter showed', async () => {
    const fake = new Fake();
    const operation = await readNow(createClient(OperationService, fake.transport()), request, waiting());
    expect(operation.state).toBe(Operation_State.SUCCEEDED);
    expect(operation.readings[0]?.register).toBe('1-0:1.8.0');
    expect((fake.calls[0]?.request as ExecuteOperationRequest).wait).toBe(true);
  });

  test('tries again with the same request id when the server was not reached', async () => {
    const fake = new Fake();
    let failures = 2;
    fake.failing.set('ExecuteOperation', () => {
      failures -= 1;
      if (failures === 0) fake.failing.delete('ExecuteOperation');
      return new ConnectError('down', Code.Unavailable);
    });
    const operation = await readNow(createClient(OperationService, fake.transport()), request, waiting());
    expect(operation.state).toBe(Operation_State.SUCCEEDED);
    expect(fake.calls.map((call) => (call.request as ExecuteOperationRequest).requestId)).toEqual(['r1', 'r1', 'r1']);
  });

  test('gives up after its last try, and does not try a refusal twice', async () => {
    const fake = new Fake();
    const client = createClient(OperationService, fake.transport());
    fake.failing.set('ExecuteOperation', () => new ConnectError('down', Code.Unavailable));
    await expect(readNow(client, request, waiting())).rejects.toThrow('down');
    expect(fake.calls).toHaveLength(triesMax);
    fake.failing.set('ExecuteOperation', () => refusal(Code.InvalidArgument, 'UNKNOWN_REGISTER'));
    await expect(readNow(client, request, waiting())).rejects.toThrow('UNKNOWN_REGISTER');
    expect(fake.calls).toHaveLength(triesMax + 1);
  });

  test('asks on while the operation is at work, and leaves it as it is after the longest wait', async () => {
    const fake = new Fake();
    fake.readOutcome = () => ({ state: Operation_State.RUNNING, readings: [] });
    const time = waiting();
    const operation = await readNow(createClient(OperationService, fake.transport()), request, time);
    expect(operation.state).toBe(Operation_State.RUNNING);
    expect(time.sleeps).toHaveLength(waitMaxMs / pollEveryMs);
    expect(fake.countCalls('ExecuteOperation')).toBe(1);
  });
});
