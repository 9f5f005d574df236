// The value of a reading: tabular numerals, its unit smaller beside it; glows when it has just arrived.
import { useTranslation } from 'react-i18next';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { groupDecimal } from '@/format/decimal';
import { millis } from '@/format/time';

const freshMs = 3000;

export function ReadingValue({ reading, live = false }: { reading: Reading | undefined; live?: boolean }) {
  const { t } = useTranslation();
  if (!reading) return <span className="quiet">–</span>;
  const text = reading.value?.value ? groupDecimal(reading.value.value) : reading.text.replace('T', ' ');
  if (!text) return <span className="quiet">{t('read.noValue')}</span>;
  const stored = millis(reading.storeTime) ?? 0;
  // The key restarts the glow with each new reading.
  return (
    <span key={stored} className={`num ${live && Date.now() - stored < freshMs ? 'fresh' : ''}`}>
      {text}
      {reading.unit && <span className="unit">{unitText(reading.unit)}</span>}
    </span>
  );
}

// The unit as people write it.
export function unitText(unit: string): string {
  return { m3: 'm³', CNY: '¥' }[unit] ?? unit;
}
