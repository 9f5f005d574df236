// The search for the meters of one bus: how far it is, what was found, and the way of each into the register.
import { RadarChartOutlined } from '@ant-design/icons';
import { Link } from '@tanstack/react-router';
import { App, Button, Drawer, Progress, Table } from 'antd';
import { useTranslation } from 'react-i18next';
import { errorText, reasonText } from '@/api/errors';
import { useCan } from '@/api/permissions';
import { kindOf, useLatestScan, useScanActions } from '@/api/scan';
import { EmptyState, Loaded } from '@/components/States';
import { Tag, type Tone } from '@/components/Tag';
import { Protocol } from '@/gen/voltwell/codec/v1/codec_pb';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import { Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import { type Scan, Scan_State, type ScannedMeter } from '@/gen/voltwell/scheduler/v1/scan_pb';

const drawerWidth = 720;

const tones: Record<Scan_State, Tone> = {
  [Scan_State.UNSPECIFIED]: 'idle',
  [Scan_State.RUNNING]: 'busy',
  [Scan_State.DONE]: 'good',
  [Scan_State.FAILED]: 'bad',
  [Scan_State.CANCELLED]: 'idle',
};

function useStateNames(): Record<Scan_State, string> {
  const { t } = useTranslation();
  return {
    [Scan_State.UNSPECIFIED]: '–',
    [Scan_State.RUNNING]: t('scan.running'),
    [Scan_State.DONE]: t('scan.done'),
    [Scan_State.FAILED]: t('scan.failed'),
    [Scan_State.CANCELLED]: t('scan.cancelled'),
  };
}

function Standing({ scan }: { scan: Scan }) {
  const { t } = useTranslation();
  const names = useStateNames();
  const running = scan.state === Scan_State.RUNNING;
  return (
    <section className="drawer-section">
      <div className="card-line">
        <Tag tone={tones[scan.state]}>{names[scan.state]}</Tag>
        <span>{t('scan.questions', { n: String(scan.questions) })}</span>
      </div>
      {running && <Progress percent={Math.floor(scan.donePerMille / 10)} size="small" aria-label={t('scan.progress')} />}
      {running && scan.pattern && (
        <div className="cell-sub">
          {t('scan.asking', { protocol: Protocol[scan.protocol] ?? '', pattern: scan.pattern })}
        </div>
      )}
      {scan.reason && <div className="cell-sub">{reasonText(t, scan.reason)}</div>}
      {scan.failures.map((failure) => (
        <div key={failure.protocol} className="cell-sub">
          {Protocol[failure.protocol]}: {reasonText(t, failure.reason)}
        </div>
      ))}
    </section>
  );
}

function useKindNames(): Record<Meter_Kind, string> {
  const { t } = useTranslation();
  return {
    [Meter_Kind.UNSPECIFIED]: '–',
    [Meter_Kind.ELECTRICITY]: t('meter.electricity'),
    [Meter_Kind.WATER]: t('meter.water'),
    [Meter_Kind.HEAT]: t('meter.heat'),
    [Meter_Kind.GAS]: t('meter.gas'),
  };
}

interface FoundProps {
  scan: Scan;
  adding: string | undefined;
  add: (found: ScannedMeter) => void;
}

function Found({ scan, adding, add }: FoundProps) {
  const { t } = useTranslation();
  const kinds = useKindNames();
  const mayAdd = useCan('meter.write');
  const way = (found: ScannedMeter) => {
    if (found.unresolved) return <Tag tone="warn">{t('scan.unresolved')}</Tag>;
    if (found.meter) {
      return (
        <Link to="/meters" search={{ meter: found.meter }}>
          {t('scan.inRegister')}
        </Link>
      );
    }
    if (!mayAdd) return <Tag>{t('scan.notInRegister')}</Tag>;
    return (
      <Button size="small" loading={adding === found.address} onClick={() => add(found)}>
        {t('scan.add')}
      </Button>
    );
  };
  if (scan.meters.length === 0) return <EmptyState title={t('scan.nothing')} />;
  return (
    <Table<ScannedMeter>
      size="small"
      rowKey={(found) => `${found.protocol} ${found.address} ${String(found.unresolved)}`}
      dataSource={scan.meters}
      pagination={{ pageSize: 50, hideOnSinglePage: true }}
      columns={[
        {
          title: t('meter.address'),
          render: (_, found) => (
            <>
              <div className="cell-main mono">{found.address}</div>
              <div className="cell-sub mono">{found.aliases.join(' ')}</div>
            </>
          ),
        },
        {
          title: t('meter.protocol'),
          render: (_, found) => (
            <>
              <div>{found.protocol}</div>
              <div className="cell-sub">{found.manufacturer}</div>
            </>
          ),
        },
        { title: t('meter.kind'), render: (_, found) => (found.unresolved ? '–' : kinds[kindOf(found)]) },
        { title: t('scan.register'), align: 'right', render: (_, found) => way(found) },
      ]}
    />
  );
}

interface Props {
  collector: Collector;
  bus: number;
  close: () => void;
}

export function ScanDrawer({ collector, bus, close }: Props) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const query = useLatestScan(collector.name, bus);
  const { start, cancel, add } = useScanActions(collector, bus);
  const mayScan = useCan('bus.scan');
  const scan = query.data ?? undefined;
  const running = scan?.state === Scan_State.RUNNING;
  const failed = (error: unknown) => void message.error(errorText(t, error));
  const button = !mayScan ? undefined : running ? (
    <Button loading={cancel.isPending} onClick={() => cancel.mutate(scan, { onError: failed })}>
      {t('scan.cancel')}
    </Button>
  ) : (
    <Button
      type="primary"
      icon={<RadarChartOutlined aria-hidden />}
      loading={start.isPending}
      onClick={() => start.mutate(undefined, { onError: failed })}
    >
      {t('scan.start')}
    </Button>
  );
  const put = (found: ScannedMeter) =>
    add.mutate(found, { onError: failed, onSuccess: () => void message.success(t('scan.added', { address: found.address })) });
  return (
    <Drawer open size={drawerWidth} onClose={close} title={`${collector.displayName} · ${t('collector.bus', { n: bus })}`} extra={button}>
      <Loaded query={query}>
        {() =>
          scan ? (
            <>
              <Standing scan={scan} />
              <Found scan={scan} adding={add.isPending ? add.variables.address : undefined} add={put} />
            </>
          ) : (
            <EmptyState title={t('scan.never')} hint={t('scan.neverHint')} action={button} />
          )
        }
      </Loaded>
    </Drawer>
  );
}
