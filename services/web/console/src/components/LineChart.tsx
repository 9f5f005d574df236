// A small line chart of one register: SVG, a grid of round numbers, and the value under the pointer. A drawing only: the exact
// values stand in the table below it.
import { useId, useState, type PointerEvent } from 'react';
import { clock, shortDateTime } from '@/format/time';
import { extent, fractionDigits, niceTicks, pathOf, timeTicks, type Point } from './chart_geometry';
import { useWidth } from './useWidth';

interface Props {
  points: Point[];
  unit: string;
  label: string;
  // How the point under the pointer reads.
  describe: (index: number) => string;
  height?: number;
}

// Drawn so wide until it is known how wide it may be.
const widthAtFirst = 640;
// A time label every so many pixels.
const labelEvery = 110;
const left = 58;
const right = 12;
const top = 26;
const bottom = 26;
const tooltipHalf = 84;
// Longer spans are labelled by days; shorter ones than the second need seconds.
const spanOfDaysMs = 36 * 3_600_000;
const spanOfMinutesMs = 10 * 60_000;

export function LineChart({ points, unit, label, describe, height = 220 }: Props) {
  const gradient = useId();
  const [svg, width] = useWidth<SVGSVGElement>(widthAtFirst);
  const [hovered, setHovered] = useState<number>();
  const times = extent(points.map((point) => point.time));
  const ticks = niceTicks(...extent(points.map((point) => point.value)), 4);
  const low = ticks[0] ?? 0;
  const high = ticks.at(-1) ?? 1;
  const x = (time: number) => left + ((time - times[0]) / (times[1] - times[0] || 1)) * (width - left - right);
  const y = (value: number) => height - bottom - ((value - low) / (high - low || 1)) * (height - top - bottom);
  const line = pathOf(points, x, y);
  const first = points[0];
  const last = points.at(-1);
  const span = times[1] - times[0];
  const timeLabel = (time: number) =>
    span > spanOfDaysMs ? shortDateTime(time).slice(0, 5) : span > spanOfMinutesMs ? clock(time).slice(0, 5) : clock(time);
  const digits = fractionDigits(ticks);
  const format = { minimumFractionDigits: digits, maximumFractionDigits: digits };

  function move(event: PointerEvent) {
    const box = svg.current?.getBoundingClientRect();
    if (!box || points.length === 0) return;
    const at = ((event.clientX - box.left) / box.width) * width;
    let nearest = 0;
    points.forEach((point, index) => {
      if (Math.abs(x(point.time) - at) < Math.abs(x(points[nearest]!.time) - at)) nearest = index;
    });
    setHovered(nearest);
  }

  const mark = hovered === undefined ? undefined : points[hovered];
  return (
    <svg
      ref={svg}
      className="chart"
      viewBox={`0 0 ${width} ${height}`}
      height={height}
      role="img"
      aria-label={label}
      onPointerMove={move}
      onPointerLeave={() => setHovered(undefined)}
    >
      <defs>
        <linearGradient id={gradient} x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="var(--electric)" stopOpacity="0.22" />
          <stop offset="1" stopColor="var(--electric)" stopOpacity="0.02" />
        </linearGradient>
      </defs>
      {ticks.map((tick) => (
        <g key={tick}>
          <line x1={left} x2={width - right} y1={y(tick)} y2={y(tick)} className="chart-grid" />
          <text x={left - 8} y={y(tick) + 4} textAnchor="end">
            {tick.toLocaleString('en-US', format)}
          </text>
        </g>
      ))}
      <text x={left - 8} y={11} textAnchor="end">
        {unit}
      </text>
      {timeTicks(times[0], times[1], Math.max(2, Math.floor(width / labelEvery))).map((tick) => (
        <text key={tick} x={x(tick)} y={height - 7} textAnchor="middle">
          {timeLabel(tick)}
        </text>
      ))}
      {first && last && points.length > 1 && (
        <path d={`${line}L${x(last.time)} ${height - bottom}L${x(first.time)} ${height - bottom}Z`} fill={`url(#${gradient})`} />
      )}
      <path d={line} className="chart-line" />
      {points.length === 1 && first && <circle cx={x(first.time)} cy={y(first.value)} r="3.5" className="chart-dot" />}
      {mark && hovered !== undefined && (
        <g>
          <line x1={x(mark.time)} x2={x(mark.time)} y1={top} y2={height - bottom} className="chart-cursor" />
          <circle cx={x(mark.time)} cy={y(mark.value)} r="4" className="chart-dot" />
          <g transform={`translate(${Math.min(width - right - tooltipHalf, Math.max(left + tooltipHalf, x(mark.time)))} ${top})`}>
            <rect x={-tooltipHalf} y="-4" width={tooltipHalf * 2} height="40" rx="6" className="chart-tip" />
            <text y="12" textAnchor="middle" className="chart-tip-value">
              {describe(hovered)}
            </text>
            <text y="29" textAnchor="middle">
              {shortDateTime(mark.time)}
            </text>
          </g>
        </g>
      )}
    </svg>
  );
}
