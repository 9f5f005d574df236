// One meter: its latest values, read now, history as a line and as a table, and what it is.
import { Drawer } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useLatest } from '@/api/queries';
import { ReadingValue } from '@/components/ReadingValue';
import { EmptyState, Loading } from '@/components/States';
import { Age } from '@/components/TimeText';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { History } from './History';
import { useLatestOf } from './latest';
import { MeterInfo } from './MeterInfo';
import { CollectorState, KindText } from './MeterTable';
import { ReadNowPanel } from './ReadNowPanel';
import { Relay } from './Relay';
import type { MeterRow } from './useMeterRows';
import './meters.css';

const drawerWidth = 760;

interface TilesProps {
  readings: Reading[];
  chosen: string;
  choose: (register: string) => void;
}

// A press shows that register's history.
function Tiles({ readings, chosen, choose }: TilesProps) {
  const { titleOf } = useRegisterTitles();
  return (
    <div className="reading-grid">
      {readings.map((reading) => (
        <button
          key={reading.register}
          type="button"
          className="reading-tile"
          aria-pressed={reading.register === chosen}
          onClick={() => choose(reading.register)}
        >
          <div className="title">{titleOf(reading.register)}</div>
          <div className="value">
            <ReadingValue reading={reading} live />
          </div>
          <div className="age">
            <Age time={reading.time} />
          </div>
        </button>
      ))}
    </div>
  );
}

function Content({ row }: { row: MeterRow }) {
  const { t } = useTranslation();
  const answered = useLatest([row.meter.name]);
  const latest = useLatestOf(row.meter.name, answered.data?.filter(({ meter }) => meter === row.meter.name));
  const [picked, setPicked] = useState<string>();
  const register = picked ?? latest[0]?.register;
  return (
    <>
      <ReadNowPanel meter={row.meter} latest={latest} offline={row.collector?.presence?.online === false} />
      <section className="drawer-section">
        <header>
          <h2>{t('meter.latest')}</h2>
        </header>
        {latest.length > 0 ? (
          <Tiles readings={latest} chosen={register ?? ''} choose={setPicked} />
        ) : answered.isPending ? (
          <Loading rows={2} />
        ) : (
          <EmptyState title={t('meter.never')} hint={t('meter.readingsNoneHint')} />
        )}
      </section>
      {register && (
        <History
          meter={row.meter.name}
          register={register}
          newest={latest.find((reading) => reading.register === register)}
        />
      )}
      <Relay meter={row.meter.name} />
      <MeterInfo row={row} />
    </>
  );
}

export function MeterDrawer({ name, row, close }: { name: string | undefined; row: MeterRow | undefined; close: () => void }) {
  const { t } = useTranslation();
  return (
    <Drawer
      open={name !== undefined}
      onClose={close}
      size={drawerWidth}
      destroyOnHidden
      title={row?.meter.displayName ?? t('meter.title')}
      extra={
        row && (
          <span style={{ display: 'flex', gap: 10, alignItems: 'center' }}>
            <KindText meter={row.meter} />
            <CollectorState row={row} />
          </span>
        )
      }
    >
      {row ? <Content key={row.meter.name} row={row} /> : <EmptyState title={t('meter.notFound')} />}
    </Drawer>
  );
}
