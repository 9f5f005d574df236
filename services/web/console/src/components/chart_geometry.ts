// The arithmetic of the charts, apart from their drawing.
export interface Point {
  // ms
  time: number;
  value: number;
}

export function extent(values: number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  let low = values[0]!;
  let high = low;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return [low, high];
}

// Round numbers that cover low to high, about `count` of them: steps of 1, 2 or 5 times a power of ten.
export function niceTicks(low: number, high: number, count: number): number[] {
  if (high === low) {
    const pad = Math.abs(low) * 0.01 || 1;
    return niceTicks(low - pad, high + pad, count);
  }
  const rough = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const ticks: number[] = [];
  const first = Math.floor(low / step);
  const last = Math.ceil(high / step);
  // Counted in whole steps, so that 0.1 + 0.2 does not show as 0.30000000000000004.
  for (let index = first; index <= last; index += 1) ticks.push(Number((index * step).toPrecision(12)));
  return ticks;
}

// Digits after the point that tell all ticks apart.
export function fractionDigits(ticks: number[]): number {
  return Math.max(0, ...ticks.map((tick) => (String(tick).split('.')[1] ?? '').length));
}

const minute = 60_000;
const timeSteps = [
  ...[5, 10, 15, 30].map((seconds) => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 7200, 10_080].map((minutes) => minutes * minute),
];
// Ticks fall on whole hours and days of the display zone (UTC+8).
const zoneOffset = 8 * 60 * minute;

export function timeTicks(start: number, end: number, count: number): number[] {
  const step = timeSteps.find((candidate) => (end - start) / candidate <= count) ?? timeSteps.at(-1)!;
  const ticks: number[] = [];
  for (let tick = Math.ceil((start + zoneOffset) / step) * step - zoneOffset; tick <= end; tick += step) ticks.push(tick);
  return ticks;
}

export function pathOf(points: Point[], x: (time: number) => number, y: (value: number) => number): string {
  return points
    .map((point, index) => `${index === 0 ? 'M' : 'L'}${x(point.time).toFixed(1)} ${y(point.value).toFixed(1)}`)
    .join('');
}
