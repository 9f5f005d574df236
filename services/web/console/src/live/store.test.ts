// What the stream told, kept within limits; and how it changes the lists.
import { create } from '@bufbuild/protobuf';
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { describe, expect, test, vi } from 'vitest';
import { WatchResponseSchema } from '@/gen/voltwell/front/v1/live_service_pb';
import { CollectorSchema } from '@/gen/voltwell/registry/v1/collector_pb';
import { ReadingSchema, type Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { makeRun } from '@/testing/field';
import { runsShown } from '@/api/queries';
import { mergeCollectors, mergeRuns } from './merge';
import { feedMax, LiveStore, metersMax, minutesKept, tellEveryMs } from './store';

function reading(meter: string, ms: number, value = '1'): Reading {
  return create(ReadingSchema, { meter, register: '1-0:1.8.0', time: timestampFromMs(ms), value: { value } });
}

function tell(store: LiveStore, readings: Reading[], now = 0): void {
  store.take(create(WatchResponseSchema, { readings }), now);
}

const valueOf = (store: LiveStore, meter: string) => store.getMeter(meter)?.get('1-0:1.8.0')?.value?.value;

describe('the live store', () => {
  test('keeps the newest reading of a register though an older one comes later', () => {
    const store = new LiveStore();
    tell(store, [reading('meters/a', 2000, '2')]);
    tell(store, [reading('meters/a', 1000, '1')]);
    expect(valueOf(store, 'meters/a')).toBe('2');
  });

  test('keeps no more meters than its limit; the longest silent one leaves', () => {
    const store = new LiveStore();
    tell(store, Array.from({ length: metersMax }, (_, index) => reading(`meters/${index}`, 1)));
    tell(store, [reading('meters/0', 2)]);
    tell(store, [reading('meters/new', 1)]);
    expect(store.getMeter('meters/1')).toBeUndefined();
    expect(store.getMeter('meters/0')).toBeDefined();
    expect(store.getMeter('meters/new')).toBeDefined();
  });

  test('keeps a feed of the last ones, newest first', () => {
    const store = new LiveStore();
    tell(store, Array.from({ length: feedMax + 1 }, (_, index) => reading(`meters/${index}`, index)));
    expect(store.getFeed()).toHaveLength(feedMax);
    expect(store.getFeed()[0]?.meter).toBe(`meters/${feedMax}`);
    expect(store.getTotal()).toBe(feedMax + 1);
  });

  test('counts by minute and forgets old minutes', () => {
    const store = new LiveStore();
    for (let minute = 0; minute <= minutesKept; minute += 1) tell(store, [reading('meters/a', minute)], minute * 60_000);
    tell(store, [reading('meters/a', 99), reading('meters/b', 99)], minutesKept * 60_000 + 5);
    expect(store.getMinutes()).toHaveLength(minutesKept);
    expect(store.getMinutes().at(-1)?.count).toBe(3);
  });

  test('tells a burst once', () => {
    vi.useFakeTimers();
    const store = new LiveStore();
    const listener = vi.fn();
    store.subscribe(listener);
    for (let index = 0; index < 50; index += 1) tell(store, [reading('meters/a', index)]);
    expect(listener).not.toHaveBeenCalled();
    vi.advanceTimersByTime(tellEveryMs);
    expect(listener).toHaveBeenCalledTimes(1);
    vi.useRealTimers();
  });
});

describe('news in lists', () => {
  test('replace a collector in its place and add a new one at the end', () => {
    const old = ['a', 'b'].map((id) => create(CollectorSchema, { name: `collectors/${id}` }));
    const online = create(CollectorSchema, { name: 'collectors/a', presence: { online: true } });
    const added = create(CollectorSchema, { name: 'collectors/c' });
    const merged = mergeCollectors({ items: old, truncated: false }, [online, added]);
    expect(merged.items.map(({ name }) => name)).toEqual(['collectors/a', 'collectors/b', 'collectors/c']);
    expect(merged.items[0]?.presence?.online).toBe(true);
  });

  test('of a run without reasons leave those that are known', () => {
    const known = makeRun(1, 'schedules/p', 1000, 9, { TIMEOUT: 2n });
    const [merged] = mergeRuns([known], [{ ...known, itemsFailed: 3n, failures: {} }]);
    expect(merged).toMatchObject({ itemsFailed: 3n, failures: { TIMEOUT: 2n } });
  });

  test('put a new run in front, and no more runs are kept than are shown', () => {
    const runs = Array.from({ length: runsShown }, (_, index) => makeRun(index, 'schedules/p', 1_000_000 - index * 1000, 1, {}));
    const merged = mergeRuns(runs, [makeRun(999, 'schedules/p', 2_000_000, 1, {})]);
    expect(merged[0]?.name).toBe('runs/r999');
    expect(merged).toHaveLength(runsShown);
  });
});
