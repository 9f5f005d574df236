// The latest readings of a meter: what the server answered, and what the live stream has told since.
import { useMemo } from 'react';
import { mainRegisters, totalRegisters } from '@/components/useRegisterTitles';
import { millis } from '@/format/time';
import { type Meter, Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { useLiveMeter } from '@/live/LiveProvider';

export function groupByMeter(readings: readonly Reading[]): Map<string, Reading[]> {
  const groups = new Map<string, Reading[]>();
  for (const reading of readings) {
    const group = groups.get(reading.meter);
    if (group) group.push(reading);
    else groups.set(reading.meter, [reading]);
  }
  return groups;
}

// The newer one of each register, ordered by register as the server orders them.
export function mergeLatest(answered: readonly Reading[], live: ReadonlyMap<string, Reading> | undefined): Reading[] {
  const newest = new Map(answered.map((reading) => [reading.register, reading]));
  for (const [register, reading] of live ?? []) {
    const known = newest.get(register);
    if (!known || (millis(reading.time) ?? 0) >= (millis(known.time) ?? 0)) newest.set(register, reading);
  }
  return [...newest.values()].sort((a, b) => rankOf(a.register) - rankOf(b.register) || compare(a.register, b.register));
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}

// Totals first, then power, then the rest.
function rankOf(register: string): number {
  const order: string[] = [...totalRegisters, mainRegisters.power];
  const index = order.indexOf(register);
  return index < 0 ? order.length : index;
}

export function useLatestOf(meter: string, answered: readonly Reading[] | undefined): Reading[] {
  const live = useLiveMeter(meter);
  return useMemo(() => mergeLatest(answered ?? [], live), [answered, live]);
}

export function newestTime(readings: readonly Reading[]): Reading['time'] {
  let newest: Reading['time'];
  for (const { time } of readings) if ((millis(time) ?? 0) > (millis(newest) ?? 0)) newest = time;
  return newest;
}

// The register that counts what the meter measures. Hot water has one of its own, which its CJ/T 188 address tells.
export function totalOf({ kind, protocol, address }: Meter): string {
  if (kind === Meter_Kind.WATER) return protocol === 'CJT188' && address.startsWith('11') ? mainRegisters.hotWater : mainRegisters.water;
  if (kind === Meter_Kind.HEAT) return mainRegisters.heat;
  return kind === Meter_Kind.GAS ? mainRegisters.gas : mainRegisters.electricity;
}

// What "read now" reads when nobody chose: what the meter is known to answer, else its total.
export function defaultRegisters(meter: Meter, readings: readonly Reading[]): string[] {
  if (readings.length > 0) return readings.map((reading) => reading.register);
  return [totalOf(meter)];
}
