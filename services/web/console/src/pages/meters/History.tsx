// Past readings of one register: a line for the eye, a table for the exact values. New ones join as they arrive.
import { timestampFromMs } from '@bufbuild/protobuf/wkt';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Segmented, Table } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useClients } from '@/api/clients';
import { pageSizeMax, readPages } from '@/api/pages';
import { keys } from '@/api/queries';
import type { Point } from '@/components/chart_geometry';
import { LineChart } from '@/components/LineChart';
import { ReadingValue, unitText } from '@/components/ReadingValue';
import { EmptyState, Loaded } from '@/components/States';
import { Instant } from '@/components/TimeText';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import { groupCount, groupDecimal, plotted } from '@/format/decimal';
import { millis } from '@/format/time';
import { type Reading, Reading_Source } from '@/gen/voltwell/scheduler/v1/reading_pb';

const ranges = { day: 86_400_000, week: 7 * 86_400_000, month: 30 * 86_400_000 } as const;
type Range = keyof typeof ranges;
// Readings drawn at most; the newest ones.
const readingsMax = 3000;

function useHistory(meter: string, register: string, range: Range) {
  const { readings } = useClients();
  return useQuery({
    queryKey: [...keys.readings, meter, register, range],
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) =>
          readings.listReadings(
            {
              meter,
              registers: [register],
              startTime: timestampFromMs(Date.now() - ranges[range]),
              pageSize: pageSizeMax,
              pageToken,
            },
            { signal },
          ),
        (page) => page.readings,
        readingsMax,
      ),
    placeholderData: keepPreviousData,
  });
}

// Latest first, with the live one in front when it is newer.
export function withNewest(past: readonly Reading[], newest: Reading | undefined): readonly Reading[] {
  const first = past[0];
  if (!newest || (first && first.register !== newest.register)) return past;
  return !first || (millis(newest.time) ?? 0) > (millis(first.time) ?? 0) ? [newest, ...past] : past;
}

interface Props {
  meter: string;
  register: string;
  newest: Reading | undefined;
}

function Drawn({ readings, title, truncated }: { readings: readonly Reading[]; title: string; truncated: boolean }) {
  const { t } = useTranslation();
  const drawn = useMemo(() => {
    const kept: { point: Point; text: string }[] = [];
    for (const reading of readings.toReversed()) {
      const value = plotted(reading.value?.value);
      const time = millis(reading.time);
      if (value === undefined || time === undefined) continue;
      kept.push({ point: { time, value }, text: `${groupDecimal(reading.value?.value ?? '')} ${unitText(reading.unit)}` });
    }
    return kept;
  }, [readings]);
  if (readings.length === 0) return <EmptyState title={t('meter.readingsNone')} hint={t('meter.readingsNoneHint')} />;
  return (
    <>
      {drawn.length > 0 && (
        <LineChart
          points={drawn.map(({ point }) => point)}
          unit={unitText(readings[0]?.unit ?? '')}
          label={`${title} · ${t('meter.history')}`}
          describe={(index) => drawn[index]?.text ?? ''}
        />
      )}
      {truncated && <p className="cell-sub">{t('meter.chartNote', { n: groupCount(readings.length) })}</p>}
      <Table<Reading>
        style={{ marginTop: 14 }}
        size="small"
        aria-label={t('meter.historyTable')}
        rowKey={(reading) => `${String(reading.time?.seconds)}.${reading.time?.nanos} ${reading.origin}`}
        dataSource={[...readings]}
        pagination={{ pageSize: 10, size: 'small', showSizeChanger: false, hideOnSinglePage: true }}
        columns={[
          { title: t('meter.time'), render: (_, reading) => <Instant time={reading.time} /> },
          { title: t('meter.value'), align: 'right', render: (_, reading) => <ReadingValue reading={reading} /> },
          {
            title: t('meter.source'),
            align: 'right',
            render: (_, { source }) => t(`meter.sources.${Reading_Source[source] as keyof typeof Reading_Source}`),
          },
        ]}
      />
    </>
  );
}

export function History({ meter, register, newest }: Props) {
  const { t } = useTranslation();
  const { titleOf } = useRegisterTitles();
  const [range, setRange] = useState<Range>('day');
  const history = useHistory(meter, register, range);
  const title = titleOf(register);
  return (
    <section className="drawer-section">
      <header>
        <h2>
          {t('meter.history')} · {title}
        </h2>
        <Segmented
          size="small"
          value={range}
          onChange={setRange}
          options={(Object.keys(ranges) as Range[]).map((value) => ({ value, label: t(`meter.range.${value}`) }))}
        />
      </header>
      <Loaded query={history} rows={6}>
        {(past) => <Drawn readings={withNewest(past.items, newest)} title={title} truncated={past.truncated} />}
      </Loaded>
    </section>
  );
}
