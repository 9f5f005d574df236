// Numbers and times as the screen shows them.
import { describe, expect, test } from 'vitest';
import { extent, fractionDigits, niceTicks, timeTicks } from '@/components/chart_geometry';
import { groupCount, groupDecimal, percent, plotted } from './decimal';
import { clock, countdown, dateTime, relative } from './time';

describe('decimals', () => {
  test('are grouped and keep every digit', () => {
    expect(groupDecimal('1234567.80')).toBe('1,234,567.80');
    expect(groupDecimal('-1234.5')).toBe('-1,234.5');
    expect(groupDecimal('0.0001')).toBe('0.0001');
    expect(groupDecimal('123456789012345678.90')).toBe('123,456,789,012,345,678.90');
  });

  test('come back as they are when they are none', () => {
    expect(groupDecimal('')).toBe('');
    expect(groupDecimal('12AB')).toBe('12AB');
  });

  test('are drawn only where they are numbers', () => {
    expect(plotted('1.5')).toBe(1.5);
    expect(plotted('')).toBeUndefined();
    expect(plotted('x')).toBeUndefined();
  });
});

test('a share is cut, so that one failure of a thousand never reads as all', () => {
  expect(percent(9999n, 10_000n)).toBe('99.9%');
  expect(percent(10_000n, 10_000n)).toBe('100%');
  expect(percent(106n, 144n)).toBe('73.6%');
  expect(percent(0n, 0n)).toBe('–');
});

test('counts of the API are grouped', () => {
  expect(groupCount(12345n)).toBe('12,345');
});

describe('times', () => {
  const noon = Date.UTC(2026, 10, 22, 4, 5, 9);

  test('are shown in the zone of the meters, whatever the machine’s is', () => {
    expect(dateTime(noon)).toBe('2026-11-22 12:05:09');
    expect(clock(Date.UTC(2026, 10, 22, 16, 0, 0))).toBe('00:00:00');
  });

  test('tell their age in both languages', () => {
    expect(relative(noon - 180_000, noon, 'en')).toBe('3 minutes ago');
    expect(relative(noon - 180_000, noon, 'zh')).toBe('3分钟前');
    expect(relative(noon - 2000, noon, 'en')).toBe('just now');
    expect(relative(noon + 20_000, noon, 'en')).toBe('in 20 seconds');
  });

  test('count down without going below zero', () => {
    expect(countdown(65_000)).toBe('1:05');
    expect(countdown(7_380_000)).toBe('2:03:00');
    expect(countdown(-5)).toBe('0:00');
  });
});

describe('chart scales', () => {
  test('are round and cover the values', () => {
    expect(niceTicks(0.13, 0.97, 4)).toEqual([0, 0.5, 1]);
    expect(niceTicks(1714.6, 1722.6, 4)).toEqual([1714, 1716, 1718, 1720, 1722, 1724]);
  });

  test('have one number of digits', () => {
    expect(fractionDigits([4962.18, 4962.2, 4962.22])).toBe(2);
    expect(fractionDigits([0, 50])).toBe(0);
  });

  test('exist for a single value', () => {
    const ticks = niceTicks(5, 5, 4);
    expect(ticks[0]).toBeLessThan(5);
    expect(ticks.at(-1)).toBeGreaterThan(5);
  });

  test('of time stand on whole hours of UTC+8', () => {
    const start = Date.UTC(2026, 10, 21, 17, 20);
    for (const tick of timeTicks(start, start + 86_400_000, 5)) expect(((tick + 8 * 3_600_000) / 3_600_000) % 6).toBe(0);
  });

  test('of a hundred thousand values are found without recursion', () => {
    expect(extent(Array.from({ length: 100_000 }, (_, index) => index))).toEqual([0, 99_999]);
  });
});
