// What the live stream told since the page was opened: the newest reading of each register, a feed of the last ones, and a
// count for each minute. Components subscribe to a slice; bursts are told to them at most four times a second.
import type { WatchResponse } from '@/gen/voltwell/front/v1/live_service_pb';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { millis } from '@/format/time';
import type { LiveStatus } from './watch';

export const feedMax = 12;
export const minutesKept = 30;
// Meters whose newest readings are kept; the longest silent one leaves first and is asked for again when it is shown.
export const metersMax = 10_000;
export const tellEveryMs = 250;

export interface MinuteCount {
  // Start of the minute, ms.
  minute: number;
  count: number;
}

type Registers = ReadonlyMap<string, Reading>;

function isNewer(a: Reading, b: Reading): boolean {
  return (millis(a.time) ?? 0) >= (millis(b.time) ?? 0);
}

export class LiveStore {
  private status: LiveStatus = { kind: 'connecting' };
  private meters = new Map<string, Registers>();
  private feed: readonly Reading[] = [];
  private minutes: readonly MinuteCount[] = [];
  private total = 0;
  private listeners = new Set<() => void>();
  private telling: ReturnType<typeof setTimeout> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };
  readonly getStatus = (): LiveStatus => this.status;
  readonly getFeed = (): readonly Reading[] => this.feed;
  readonly getMinutes = (): readonly MinuteCount[] => this.minutes;
  readonly getTotal = (): number => this.total;
  readonly getMeter = (name: string): Registers | undefined => this.meters.get(name);

  setStatus(status: LiveStatus): void {
    this.status = status;
    this.tellNow();
  }

  // Takes news in; now counts them to their minute.
  take(news: WatchResponse, now: number): void {
    if (news.readings.length === 0) return;
    for (const reading of news.readings) this.takeReading(reading);
    this.feed = [...news.readings.slice(-feedMax).reverse(), ...this.feed].slice(0, feedMax);
    this.total += news.readings.length;
    this.count(news.readings.length, now);
    this.tellSoon();
  }

  private takeReading(reading: Reading): void {
    const known = this.meters.get(reading.meter);
    const before = known?.get(reading.register);
    if (before && !isNewer(reading, before)) return;
    const registers = new Map(known);
    registers.set(reading.register, reading);
    // Re-inserted, so that the map's order is the order of last news.
    this.meters.delete(reading.meter);
    this.meters.set(reading.meter, registers);
    if (this.meters.size > metersMax) {
      const oldest = this.meters.keys().next().value;
      if (oldest !== undefined) this.meters.delete(oldest);
    }
  }

  private count(readings: number, now: number): void {
    const minute = Math.floor(now / 60_000) * 60_000;
    const last = this.minutes.at(-1);
    const counted = last?.minute === minute ? last.count : 0;
    const earlier = last?.minute === minute ? this.minutes.slice(0, -1) : this.minutes;
    this.minutes = [...earlier, { minute, count: counted + readings }].filter(
      (bucket) => bucket.minute > minute - minutesKept * 60_000,
    );
  }

  private tellSoon(): void {
    this.telling ??= setTimeout(() => this.tellNow(), tellEveryMs);
  }

  private tellNow(): void {
    clearTimeout(this.telling);
    this.telling = undefined;
    for (const listener of this.listeners) listener();
  }
}
