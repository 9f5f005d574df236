// The next times of a cron expression, or where its mistake is. The server's parser decides: there is no second one here.
import { useQuery } from '@connectrpc/connect-query';
import { keepPreviousData } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { failureOf, failureText, type Failure } from '@/api/errors';
import { Loading } from '@/components/States';
import { useNow } from '@/components/useNow';
import { dateTime, millis, relative } from '@/format/time';
import { ScheduleService } from '@/gen/voltwell/scheduler/v1/schedule_service_pb';

const settleMs = 300;
const shown = 5;

// The value, once it has not changed for a moment.
export function useSettled<T>(value: T, ms = settleMs): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

// Metadata position counts characters from 0; undefined: the server named none.
export function positionOf(failure: Failure): number | undefined {
  const { position } = failure.metadata;
  return position !== undefined && /^\d+$/.test(position) ? Number(position) : undefined;
}

function Mistake({ cron, failure }: { cron: string; failure: Failure }) {
  const { t, i18n } = useTranslation();
  const position = positionOf(failure);
  const field = failure.metadata.field;
  return (
    <div className="preview wrong" role="alert">
      <strong>{failureText(t, failure)}</strong>
      {position !== undefined && (
        <>
          <span className="caret mono" data-testid="cron-mistake">
            {cron.slice(0, position)}
            <mark>{cron.slice(position, position + 1) || '␣'}</mark>
            {cron.slice(position + 1)}
          </span>
          <span>
            {field && `${t(`schedule.fields.${field}`, { defaultValue: field })} · `}
            {t('schedule.errorAt', { position: position + 1 })}
            {/* The server's own words are English. */}
            {i18n.language === 'en' && failure.metadata.why && ` · ${failure.metadata.why}`}
          </span>
        </>
      )}
    </div>
  );
}

export function CronPreview({ cron, timeZone }: { cron: string; timeZone: string }) {
  const { t, i18n } = useTranslation();
  const now = useNow(1000);
  const settled = useSettled(cron.trim());
  const preview = useQuery(
    ScheduleService.method.previewSchedule,
    { cron: settled, timeZone, count: shown },
    { enabled: settled !== '', retry: false, staleTime: 10_000, placeholderData: keepPreviousData },
  );
  if (settled === '') return <div className="preview quiet">{t('schedule.previewEmpty')}</div>;
  if (preview.error) return <Mistake cron={settled} failure={failureOf(preview.error)} />;
  if (!preview.data) {
    return (
      <div className="preview">
        <Loading rows={2} />
      </div>
    );
  }
  return (
    <div className="preview" aria-live="polite">
      <h2>{t('schedule.preview')}</h2>
      {preview.data.fireTimes.length === 0 ? (
        t('schedule.previewNever')
      ) : (
        <ol>
          {preview.data.fireTimes.map((time) => {
            const ms = millis(time) ?? 0;
            return (
              <li key={ms} className="num">
                <span>{dateTime(ms)}</span>
                <span className="quiet">{relative(ms, now, i18n.language)}</span>
              </li>
            );
          })}
        </ol>
      )}
    </div>
  );
}
