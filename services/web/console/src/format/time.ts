// Instants as the screen shows them: always in the operator's zone, whatever the machine's is.
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { timestampMs } from '@bufbuild/protobuf/wkt';

// Meters stand in China; a console opened elsewhere must show the same times as the one in the office.
export const displayZone = 'Asia/Shanghai';

const formats = new Map<string, Intl.DateTimeFormat>();

function format(key: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  let made = formats.get(key);
  if (!made) {
    // sv-SE writes ISO order with a 24-hour clock, which both languages of the console read without doubt.
    made = new Intl.DateTimeFormat('sv-SE', { timeZone: displayZone, hourCycle: 'h23', ...options });
    formats.set(key, made);
  }
  return made;
}

export function millis(time: Timestamp | undefined): number | undefined {
  return time ? timestampMs(time) : undefined;
}

// "2026-11-22 14:05:09"
export function dateTime(ms: number): string {
  return format('dateTime', {
    year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', second: '2-digit',
  }).format(ms);
}

// "11-22 14:05:09"
export function shortDateTime(ms: number): string {
  return dateTime(ms).slice(5);
}

// "14:05:09"
export function clock(ms: number): string {
  return dateTime(ms).slice(11);
}

const steps: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1000],
];

// What happened less than this ago has just happened.
const justNowMs = 5000;

// "3 minutes ago", "in 20 seconds"
export function relative(ms: number, now: number, language: string): string {
  const difference = ms - now;
  if (difference <= 0 && -difference < justNowMs) return language === 'zh' ? '刚刚' : 'just now';
  const [unit, size] = steps.find(([, length]) => Math.abs(difference) >= length) ?? ['second', 1000];
  return new Intl.RelativeTimeFormat(language, { numeric: 'auto' }).format(Math.trunc(difference / size), unit);
}

// "1:05" minutes and seconds, "2:03:00" with hours.
export function countdown(ms: number): string {
  const total = Math.max(0, Math.round(ms / 1000));
  const hours = Math.floor(total / 3600);
  const minutes = Math.floor((total % 3600) / 60);
  const seconds = String(total % 60).padStart(2, '0');
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, '0')}:${seconds}` : `${minutes}:${seconds}`;
}

// "3 days", "2 hours", "40 seconds": how long something lasted, cut to its largest unit.
export function span(ms: number, language: string): string {
  const [unit, size] = steps.find(([, length]) => ms >= length) ?? ['second', 1000];
  return new Intl.NumberFormat(language, { style: 'unit', unit: unit.replace(/s$/, ''), unitDisplay: 'long' }).format(Math.trunc(ms / size));
}
