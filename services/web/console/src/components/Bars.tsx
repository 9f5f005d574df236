// Bars of the live rate: one for each minute, the last one still growing.
import type { MinuteCount } from '@/live/store';
import { clock } from '@/format/time';

export function Bars({ minutes, slots, label }: { minutes: readonly MinuteCount[]; slots: number; label: string }) {
  const last = minutes.at(-1)?.minute ?? 0;
  const highest = Math.max(1, ...minutes.map((bucket) => bucket.count));
  const byMinute = new Map(minutes.map((bucket) => [bucket.minute, bucket.count]));
  const bars = Array.from({ length: slots }, (_, index) => last - (slots - 1 - index) * 60_000);
  return (
    <div className="bars" role="img" aria-label={label}>
      {bars.map((minute, index) => {
        const count = byMinute.get(minute) ?? 0;
        return (
          <span
            key={index}
            title={last ? `${clock(minute).slice(0, 5)} · ${count}` : undefined}
            className={count > 0 ? 'filled' : ''}
            style={{ height: `${Math.max(4, (count * 100) / highest)}%` }}
          />
        );
      })}
    </div>
  );
}
