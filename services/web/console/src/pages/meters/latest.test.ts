// Which register stands for a meter.
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { Meter_Kind, MeterSchema } from '@/gen/voltwell/registry/v1/meter_pb';
import { ReadingSchema } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { mergeLatest, totalOf } from './latest';

describe('the total of a meter', () => {
  const total = (kind: Meter_Kind, protocol: string, address: string) => totalOf(create(MeterSchema, { kind, protocol, address }));

  test('is of what the meter measures', () => {
    expect(total(Meter_Kind.ELECTRICITY, 'DLT645_2007', '260300000001')).toBe('1-0:1.8.0');
    expect(total(Meter_Kind.WATER, 'MBUS', 'p5')).toBe('8-0:1.0.0');
    expect(total(Meter_Kind.WATER, 'CJT188', '1000112233445566')).toBe('8-0:1.0.0');
    expect(total(Meter_Kind.WATER, 'CJT188', '1100112233445566')).toBe('9-0:1.0.0');
    expect(total(Meter_Kind.HEAT, 'CJT188', '2000112233445566')).toBe('6-0:1.0.0');
    expect(total(Meter_Kind.GAS, 'CJT188', '3000112233445566')).toBe('7-0:3.0.0');
  });

  test('stands before all else that was read', () => {
    const readings = ['0-0:1.0.0', '8-0:2.0.0', '8-0:1.0.0'].map((register) => create(ReadingSchema, { register }));
    expect(mergeLatest(readings, undefined).map(({ register }) => register)).toEqual(['8-0:1.0.0', '0-0:1.0.0', '8-0:2.0.0']);
  });
});
