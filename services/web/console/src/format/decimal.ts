// Exact decimals as text: grouped for the eye, never turned into floating point for what is shown.

// "1234567.80" -> "1,234,567.80"; anything that is no decimal comes back as it is.
export function groupDecimal(value: string): string {
  const match = /^([+-]?)(\d+)(\.\d+)?$/.exec(value);
  if (!match) return value;
  const [, sign = '', whole = '', fraction = ''] = match;
  return sign + whole.replace(/\B(?=(\d{3})+(?!\d))/g, ',') + fraction;
}

// For counts that fit: int64 of the API, or numbers.
export function groupCount(value: bigint | number): string {
  return groupDecimal(String(value));
}

// Where a chart puts a value; charts are drawings, so a float will do.
export function plotted(value: string | undefined): number | undefined {
  if (!value) return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

// Share in percent, cut (not rounded) to one digit, so that 999 of 1000 never reads as 100%.
export function percent(part: bigint | number, total: bigint | number): string {
  const all = Number(total);
  if (all <= 0) return '–';
  const tenths = Math.floor((Number(part) * 1000) / all);
  return `${tenths % 10 === 0 ? tenths / 10 : (tenths / 10).toFixed(1)}%`;
}
