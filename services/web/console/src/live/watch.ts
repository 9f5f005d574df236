// Keeps one LiveService/Watch stream open for as long as the page lives: reconnects with a growing, jittered pause, notices
// silence, and tells where it stands. Time and randomness come in, so that tests need no waiting.
import { Code, ConnectError } from '@connectrpc/connect';
import type { WatchResponse } from '@/gen/voltwell/front/v1/live_service_pb';

export type LiveStatus =
  | { kind: 'connecting' }
  | { kind: 'live' }
  // Lost; the next try is at this time (ms).
  | { kind: 'waiting'; retryAt: number }
  // The session ended; nothing is tried until the next sign-in.
  | { kind: 'ended' };

// The server gives a sign of life every 15 s; three missed ones mean that the line is dead though no one closed it.
export const silenceMaxMs = 45_000;
export const firstPauseMs = 500;
export const pauseMaxMs = 30_000;

export interface WatchOptions {
  // Opens the stream; onOpen is called when the server has accepted it.
  open(signal: AbortSignal, onOpen: () => void): AsyncIterable<WatchResponse>;
  onNews(news: WatchResponse): void;
  onStatus(status: LiveStatus): void;
  // The stream is back after a gap in which news may have been missed.
  onResumed(): void;
  now(): number;
  random(): number;
  // Resolves after ms, or at once when the signal aborts.
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

// Doubles with each failure in a row; half of it is random, so that a thousand consoles do not come back in one second.
export function pauseAfter(failures: number, random: number): number {
  const full = Math.min(pauseMaxMs, firstPauseMs * 2 ** Math.min(failures, 10));
  return Math.round(full * (0.5 + random / 2));
}

export async function watchForever(options: WatchOptions, signal: AbortSignal): Promise<void> {
  let failures = 0;
  let opened = false;
  while (!signal.aborted) {
    options.onStatus({ kind: 'connecting' });
    const attempt = new AbortController();
    const stop = () => attempt.abort();
    signal.addEventListener('abort', stop);
    let silence: ReturnType<typeof setTimeout> | undefined;
    const listen = () => {
      clearTimeout(silence);
      silence = setTimeout(stop, silenceMaxMs);
    };
    try {
      listen();
      const onOpen = () => {
        options.onStatus({ kind: 'live' });
        if (opened) options.onResumed();
        opened = true;
        listen();
      };
      for await (const news of options.open(attempt.signal, onOpen)) {
        failures = 0;
        listen();
        options.onNews(news);
      }
    } catch (error) {
      if (!signal.aborted && ConnectError.from(error).code === Code.Unauthenticated) {
        options.onStatus({ kind: 'ended' });
        return;
      }
    } finally {
      clearTimeout(silence);
      signal.removeEventListener('abort', stop);
      attempt.abort();
    }
    if (signal.aborted) return;
    const pause = pauseAfter(failures, options.random());
    failures += 1;
    options.onStatus({ kind: 'waiting', retryAt: options.now() + pause });
    await options.sleep(pause, signal);
  }
}

// Sleeps; a network that comes back wakes it.
export function browserSleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      window.removeEventListener('online', finish);
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const timer = setTimeout(finish, ms);
    window.addEventListener('online', finish);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });
}
