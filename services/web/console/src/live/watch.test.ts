// The stream comes back by itself, and says where it stands.
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { WatchResponseSchema, type WatchResponse } from '@/gen/voltwell/front/v1/live_service_pb';
import { pauseAfter, pauseMaxMs, silenceMaxMs, watchForever, type LiveStatus, type WatchOptions } from './watch';

const news = create(WatchResponseSchema);

interface Trace {
  statuses: LiveStatus['kind'][];
  pauses: number[];
  news: number;
  resumed: number;
}

// Plays one script for each connection; ends the watch when the scripts are used up.
function play(scripts: ((signal: AbortSignal, onOpen: () => void) => AsyncGenerator<WatchResponse>)[]) {
  const trace: Trace = { statuses: [], pauses: [], news: 0, resumed: 0 };
  const stop = new AbortController();
  const options: WatchOptions = {
    open: (signal, onOpen) => {
      const script = scripts.shift();
      if (!script) throw new Error('no more connections in this test');
      return script(signal, onOpen);
    },
    onNews: () => (trace.news += 1),
    onStatus: ({ kind }) => trace.statuses.push(kind),
    onResumed: () => (trace.resumed += 1),
    now: () => 0,
    random: () => 1,
    sleep: async (ms) => {
      trace.pauses.push(ms);
      if (scripts.length === 0) stop.abort();
    },
  };
  return { trace, stop, done: watchForever(options, stop.signal) };
}

async function* refused(): AsyncGenerator<WatchResponse> {
  throw new ConnectError('down', Code.Unavailable);
}

async function* accepted(_: AbortSignal, onOpen: () => void): AsyncGenerator<WatchResponse> {
  onOpen();
  yield news;
}

describe('the watch', () => {
  test('waits longer after each failure in a row, and starts anew after news', async () => {
    const { trace, done } = play([refused, refused, refused, accepted, refused]);
    await done;
    expect(trace.pauses).toEqual([500, 1000, 2000, 500, 1000]);
  });

  test('is live when the server has accepted it, and tells of a gap only when it comes back', async () => {
    const { trace, done } = play([accepted, refused, accepted]);
    await done;
    expect(trace.statuses).toEqual(['connecting', 'live', 'waiting', 'connecting', 'waiting', 'connecting', 'live', 'waiting']);
    expect(trace.resumed).toBe(1);
    expect(trace.news).toBe(2);
  });

  test('ends when the session has ended', async () => {
    const { trace, done } = play([
      async function* () {
        throw new ConnectError('who are you', Code.Unauthenticated);
      },
      accepted,
    ]);
    await done;
    expect(trace.statuses).toEqual(['connecting', 'ended']);
  });

  test('stops without a word when the page goes', async () => {
    const { trace, stop, done } = play([
      async function* (signal, onOpen) {
        onOpen();
        yield news;
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new ConnectError('gone', Code.Canceled))));
      },
    ]);
    await vi.waitFor(() => expect(trace.news).toBe(1));
    stop.abort();
    await done;
    expect(trace.statuses).toEqual(['connecting', 'live']);
  });
});

describe('silence', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('of three signs of life counts as a lost line', async () => {
    const { trace, done } = play([
      async function* (signal, onOpen) {
        onOpen();
        await new Promise((_, reject) => signal.addEventListener('abort', () => reject(new ConnectError('cut', Code.Canceled))));
      },
    ]);
    await vi.advanceTimersByTimeAsync(silenceMaxMs - 1);
    expect(trace.statuses).toEqual(['connecting', 'live']);
    await vi.advanceTimersByTimeAsync(1);
    await done;
    expect(trace.statuses).toEqual(['connecting', 'live', 'waiting']);
  });
});

test('pauses grow to their limit and no further', () => {
  expect(pauseAfter(0, 0)).toBe(250);
  expect(pauseAfter(0, 1)).toBe(500);
  expect(pauseAfter(6, 1)).toBe(pauseMaxMs);
  expect(pauseAfter(1000, 1)).toBe(pauseMaxMs);
});
