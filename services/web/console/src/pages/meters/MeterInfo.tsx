// What a meter is and where it hangs.
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { idOf } from '@/format/names';
import type { MeterRow } from './useMeterRows';

export function MeterInfo({ row }: { row: MeterRow }) {
  const { t } = useTranslation();
  const { meter, site, collector } = row;
  const pairs: [string, ReactNode][] = [
    [t('meter.address'), <span className="mono">{meter.address}</span>],
    [t('meter.protocol'), meter.protocol],
    [t('meter.site'), site],
    [t('meter.collector'), collector ? `${collector.displayName} (${collector.registrationId})` : idOf(meter.collector)],
    [t('meter.bus'), meter.bus || 1],
    [t('meter.ratio'), meter.ratio?.value || '1'],
  ];
  return (
    <section className="drawer-section">
      <header>
        <h2>{t('meter.info')}</h2>
      </header>
      <dl className="pairs">
        {pairs.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value || '–'}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
