// Readings as they arrive, and how many each minute brought since the page was opened.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Bars } from '@/components/Bars';
import { ReadingValue } from '@/components/ReadingValue';
import { Instant } from '@/components/TimeText';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import type { Meter } from '@/gen/voltwell/registry/v1/meter_pb';
import { useLiveFeed, useLiveMinutes } from '@/live/LiveProvider';

const shown = 7;
const minutesShown = 20;

export function LiveFeed({ meters }: { meters: readonly Meter[] }) {
  const { t } = useTranslation();
  const feed = useLiveFeed();
  const minutes = useLiveMinutes();
  const { titleOf } = useRegisterTitles();
  const names = useMemo(() => new Map(meters.map((meter) => [meter.name, meter.displayName])), [meters]);
  if (feed.length === 0) return <p className="quiet">{t('live.feedEmpty')}</p>;
  return (
    <>
      <div className="cell-sub card-line" style={{ marginBottom: 6 }}>
        <span>{t('live.perMinute')}</span>
        <span className="num">{t('live.thisMinute', { n: minutes.at(-1)?.count ?? 0 })}</span>
      </div>
      <Bars minutes={minutes} slots={minutesShown} label={t('live.perMinute')} />
      <div className="feed">
        {feed.slice(0, shown).map((reading) => (
          <div key={`${reading.meter}/${reading.register}/${String(reading.storeTime?.seconds)}`} className="feed-row">
            <Link className="cell-main" to="/meters" search={{ meter: reading.meter }}>
              {names.get(reading.meter) ?? reading.meter}
            </Link>
            <span className="right cell-main">
              <ReadingValue reading={reading} live />
            </span>
            <span className="cell-sub">{titleOf(reading.register)}</span>
            <span className="cell-sub right">
              <Instant time={reading.time} />
            </span>
          </div>
        ))}
      </div>
    </>
  );
}
