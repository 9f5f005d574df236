// How reliable a collector was lately: share of time online, sessions that ended, the longest time away.
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { percent } from '@/format/decimal';
import { dateTime, millis, span } from '@/format/time';
import type { CollectorUptime } from '@/gen/voltwell/registry/v1/collector_service_pb';

export const uptimeDays = 7;

export function Uptime({ uptime }: { uptime: CollectorUptime | undefined }) {
  const { t, i18n } = useTranslation();
  if (!uptime) return <span className="quiet">–</span>;
  const gap = Number(uptime.longestGap?.seconds ?? 0n) * 1000;
  const began = millis(uptime.longestGapTime);
  return (
    <>
      <span className="num">{percent(uptime.online?.seconds ?? 0n, uptime.observed?.seconds ?? 0n)}</span>
      <div className="cell-sub">
        {t('collector.drops', { count: Number(uptime.drops) })}
        {began !== undefined && (
          <Tooltip title={t('collector.gapSince', { time: dateTime(began) })}>
            <span> · {t('collector.longestGap', { span: span(gap, i18n.language) })}</span>
          </Tooltip>
        )}
      </div>
    </>
  );
}
