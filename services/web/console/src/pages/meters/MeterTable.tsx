// Meters as rows, for wide screens.
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { ReadingValue } from '@/components/ReadingValue';
import { Tag } from '@/components/Tag';
import { Age } from '@/components/TimeText';
import { mainRegisters, totalRegisters } from '@/components/useRegisterTitles';
import { type Meter, Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { presenceOf } from '../collectors/presence';
import { defaultRegisters, newestTime, useLatestOf } from './latest';
import { ReadNowButton } from './ReadNowButton';
import type { MeterRow } from './useMeterRows';

export interface MeterListProps {
  rows: MeterRow[];
  readings: Map<string, Reading[]>;
  open: (name: string) => void;
}

interface CellProps {
  meter: Meter;
  answered: Reading[] | undefined;
}

export function Total({ meter, answered }: CellProps) {
  const latest = useLatestOf(meter.name, answered);
  const main = latest.find(({ register }) => totalRegisters.includes(register));
  return <ReadingValue reading={main ?? latest[0]} live />;
}

export function Power({ meter, answered }: CellProps) {
  const latest = useLatestOf(meter.name, answered);
  return <ReadingValue reading={latest.find(({ register }) => register === mainRegisters.power)} live />;
}

export function ReadAge({ meter, answered }: CellProps) {
  const { t } = useTranslation();
  return <Age time={newestTime(useLatestOf(meter.name, answered))} empty={t('meter.never')} />;
}

export function RowAction({ meter, answered }: CellProps) {
  const latest = useLatestOf(meter.name, answered);
  return <ReadNowButton meter={meter} registers={defaultRegisters(meter, latest)} />;
}

const kindNames: Partial<Record<Meter_Kind, 'electricity' | 'water' | 'heat' | 'gas'>> = {
  [Meter_Kind.ELECTRICITY]: 'electricity',
  [Meter_Kind.WATER]: 'water',
  [Meter_Kind.HEAT]: 'heat',
  [Meter_Kind.GAS]: 'gas',
};

export function KindText({ meter }: { meter: Meter }) {
  const { t } = useTranslation();
  const kind = kindNames[meter.kind] ?? 'electricity';
  return <span style={{ color: kind === 'electricity' ? 'var(--electric)' : 'var(--water)' }}>{t(`meter.${kind}`)}</span>;
}

export function CollectorState({ row }: { row: MeterRow }) {
  const { t } = useTranslation();
  const { key, tone } = presenceOf(row.collector);
  return <Tag tone={tone}>{t(key)}</Tag>;
}

export function MeterTable({ rows, readings, open }: MeterListProps) {
  const { t } = useTranslation();
  const columns: TableColumnsType<MeterRow> = [
    {
      title: t('meter.name'),
      render: (_, row) => (
        <>
          <button
            type="button"
            className="link-button cell-main"
            onClick={(event) => {
              event.stopPropagation();
              open(row.meter.name);
            }}
          >
            {row.meter.displayName}
          </button>
          <div className="cell-sub">{row.site}</div>
        </>
      ),
    },
    {
      title: t('meter.address'),
      render: (_, { meter }) => (
        <>
          <div className="mono">{meter.address}</div>
          <div className="cell-sub">
            <KindText meter={meter} />
          </div>
        </>
      ),
    },
    {
      title: t('meter.collector'),
      render: (_, row) => (
        <>
          <CollectorState row={row} />
          <div className="cell-sub" style={{ marginTop: 2 }}>
            {row.collector?.displayName}
          </div>
        </>
      ),
    },
    {
      title: t('meter.total'),
      align: 'right',
      render: (_, { meter }) => (
        <span className="cell-main">
          <Total meter={meter} answered={readings.get(meter.name)} />
        </span>
      ),
    },
    {
      title: t('meter.power'),
      align: 'right',
      render: (_, { meter }) => <Power meter={meter} answered={readings.get(meter.name)} />,
    },
    {
      title: t('meter.readTime'),
      width: 130,
      render: (_, { meter }) => <ReadAge meter={meter} answered={readings.get(meter.name)} />,
    },
    {
      title: <span className="visually-hidden">{t('read.now')}</span>,
      width: 130,
      align: 'right',
      render: (_, { meter }) => <RowAction meter={meter} answered={readings.get(meter.name)} />,
    },
  ];
  return (
    <Table
      rowKey={({ meter }) => meter.name}
      columns={columns}
      dataSource={rows}
      pagination={false}
      size="middle"
      rowClassName="row-link"
      onRow={({ meter }) => ({ onClick: () => open(meter.name) })}
    />
  );
}
