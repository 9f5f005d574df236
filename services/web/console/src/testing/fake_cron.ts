// Enough of cron for the fake server: *, numbers, lists and steps of six fields, in UTC+8; a mistake has a position.
import { create } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '@/gen/voltwell/rpc/v1/error_pb';

const names = ['second', 'minute', 'hour', 'day_of_month', 'month', 'day_of_week'];
const limits: [number, number][] = [[0, 59], [0, 59], [0, 23], [1, 31], [1, 12], [0, 7]];
const zoneMs = 8 * 3_600_000;

function bad(field: number, position: number): ConnectError {
  const metadata = { field: names[field] ?? '', position: String(position), why: 'not understood' };
  return new ConnectError('the cron expression is not valid', Code.InvalidArgument, undefined, [
    { desc: ErrorInfoSchema, value: create(ErrorInfoSchema, { reason: 'BAD_CRON', domain: 'voltwell.fake', metadata }) },
  ]);
}

function parse(text: string): ((value: number) => boolean)[] {
  let position = 0;
  const fields = text.split(' ').map((part, index) => {
    const at = position;
    position += part.length + 1;
    const limit = limits[index];
    if (!limit) throw bad(5, at);
    const items = part.split(',').map((item) => {
      const match = /^(\*|\d+)(?:\/(\d+))?$/.exec(item);
      if (!match) throw bad(index, at + Math.max(0, part.search(/[^\d*/,]/)));
      const first = match[1] === '*' ? limit[0] : Number(match[1]);
      if (first < limit[0] || first > limit[1]) throw bad(index, at);
      const step = match[2] ? Number(match[2]) : match[1] === '*' ? 1 : 0;
      return (value: number) => (step > 0 ? value >= first && (value - first) % step === 0 : value === first);
    });
    return (value: number) => items.some((item) => item(value));
  });
  if (fields.length < limits.length) throw bad(fields.length, text.length);
  return fields;
}

export function fakeFireTimes(cron: string, after: number, count: number): number[] {
  const [second, minute, hour, day, month, weekday] = parse(cron);
  const found: number[] = [];
  // Minutes of two months are enough for what tests and demo ask.
  const start = Math.floor(after / 60_000) * 60_000;
  for (let at = start; at < start + 62 * 86_400_000 && found.length < count; at += 60_000) {
    const local = new Date(at + zoneMs);
    const due =
      minute!(local.getUTCMinutes()) && hour!(local.getUTCHours()) && day!(local.getUTCDate()) &&
      month!(local.getUTCMonth() + 1) && weekday!(local.getUTCDay());
    for (let s = 0; due && s < 60 && found.length < count; s += 1) {
      if (second!(s) && at + s * 1000 > after) found.push(at + s * 1000);
    }
  }
  return found;
}
