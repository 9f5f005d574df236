// An instant: its age for the eye, the exact time on hover (or the other way round).
import type { Timestamp } from '@bufbuild/protobuf/wkt';
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { dateTime, millis, relative, shortDateTime } from '@/format/time';
import { useNow } from './useNow';

const tickMs = 10_000;

export function Age({ time, empty }: { time: Timestamp | undefined; empty?: string }) {
  const { t, i18n } = useTranslation();
  const now = useNow(tickMs);
  const ms = millis(time);
  if (ms === undefined) return <span className="quiet">{empty ?? t('app.never')}</span>;
  return (
    <Tooltip title={dateTime(ms)}>
      <time className="num" dateTime={new Date(ms).toISOString()}>
        {relative(Math.min(ms, now), now, i18n.language)}
      </time>
    </Tooltip>
  );
}

export function Instant({ time, empty = '–' }: { time: Timestamp | undefined; empty?: string }) {
  const ms = millis(time);
  if (ms === undefined) return <span className="quiet">{empty}</span>;
  return (
    <time className="num" title={dateTime(ms)} dateTime={new Date(ms).toISOString()}>
      {shortDateTime(ms)}
    </time>
  );
}
