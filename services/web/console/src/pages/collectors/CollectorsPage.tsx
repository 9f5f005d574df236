// Collectors: online or not, since when, why not, and what hangs on them. Offline ones stand first.
import { RadarChartOutlined, SearchOutlined } from '@ant-design/icons';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Input, Table, Tooltip, type TableColumnsType } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/api/permissions';
import { useCollectors, useMeters, useSites, useUptimes } from '@/api/queries';
import { PageHead } from '@/components/Panel';
import { EmptyState, Loaded } from '@/components/States';
import { Tag } from '@/components/Tag';
import { Age } from '@/components/TimeText';
import { useNarrow } from '@/components/useNow';
import { siteNames } from '@/format/sites';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import type { CollectorUptime } from '@/gen/voltwell/registry/v1/collector_service_pb';
import { Identity } from './Identity';
import { offlineReason, presenceOf } from './presence';
import { ScanDrawer } from './ScanDrawer';
import { Uptime, uptimeDays } from './Uptime';

interface Row {
  collector: Collector;
  site: string;
  meters: number;
  uptime: CollectorUptime | undefined;
}

// Went offline, then never seen, then online; by name among equals.
function rank(collector: Collector): number {
  if (collector.presence?.online) return 2;
  return collector.presence?.sinceTime ? 0 : 1;
}

function useRows(): { query: ReturnType<typeof useCollectors>; rows: Row[] } {
  const query = useCollectors();
  const meters = useMeters();
  const sites = useSites();
  const uptimes = useUptimes(uptimeDays);
  const rows = useMemo(() => {
    const online = new Map((uptimes.data?.items ?? []).map((uptime) => [uptime.collector, uptime]));
    const names = siteNames(sites.data?.items ?? []);
    const counts = new Map<string, number>();
    for (const meter of meters.data?.items ?? []) counts.set(meter.collector, (counts.get(meter.collector) ?? 0) + 1);
    return (query.data?.items ?? [])
      .map((collector) => ({
        collector,
        site: names.get(collector.site) ?? '',
        meters: counts.get(collector.name) ?? 0,
        uptime: online.get(collector.name),
      }))
      .sort((a, b) => rank(a.collector) - rank(b.collector) || a.collector.displayName.localeCompare(b.collector.displayName, 'zh', { numeric: true }));
  }, [query.data, meters.data, sites.data, uptimes.data]);
  return { query, rows };
}

function State({ collector }: { collector: Collector }) {
  const { t } = useTranslation();
  const { key, tone } = presenceOf(collector);
  return <Tag tone={tone}>{t(key)}</Tag>;
}

function Since({ collector }: { collector: Collector }) {
  const { t } = useTranslation();
  const { presence } = collector;
  if (!presence?.sinceTime) return <span className="quiet">–</span>;
  return (
    <>
      <Age time={presence.sinceTime} />
      <div className="cell-sub">{presence.online ? presence.pod : offlineReason(t, presence.reason)}</div>
    </>
  );
}

// Each opens the search for its meters, where that may be looked at.
function Buses({ collector }: { collector: Collector }) {
  const { t } = useTranslation();
  const mayLook = useCan('operation.read');
  const [opened, setOpened] = useState<number>();
  return (
    <span className="reasons">
      {collector.buses.map((bus) => (
        <Tooltip key={bus.number} title={t('collector.baud', { baud: bus.baud || 2400 })}>
          {mayLook ? (
            <Button
              size="small"
              icon={<RadarChartOutlined aria-hidden />}
              aria-label={t('scan.open', { bus: t('collector.bus', { n: bus.number }) })}
              onClick={() => setOpened(bus.number)}
            >
              {t('collector.bus', { n: bus.number })}
            </Button>
          ) : (
            <span>
              <Tag plain>{t('collector.bus', { n: bus.number })}</Tag>
            </span>
          )}
        </Tooltip>
      ))}
      {opened !== undefined && <ScanDrawer collector={collector} bus={opened} close={() => setOpened(undefined)} />}
    </span>
  );
}

function MeterLink({ row }: { row: Row }) {
  return (
    <Link to="/meters" search={{ collector: row.collector.name }} className="num">
      {row.meters}
    </Link>
  );
}

function CollectorCard({ row }: { row: Row }) {
  const { t } = useTranslation();
  return (
    <div className="card-row">
      <div className="card-line">
        <span className="cell-main">{row.collector.displayName}</span>
        <State collector={row.collector} />
      </div>
      <div className="card-line cell-sub">
        <span className="mono">{row.collector.registrationId}</span>
        <span>{row.site}</span>
      </div>
      <div className="card-line cell-sub">
        <span>
          <Since collector={row.collector} />
        </span>
        <span>
          <Identity collector={row.collector} /> {t('collector.meters')} <MeterLink row={row} />
        </span>
      </div>
      <div className="card-line cell-sub">
        <span>{t('collector.uptime', { days: uptimeDays })}</span>
        <span>
          <Uptime uptime={row.uptime} />
        </span>
      </div>
    </div>
  );
}

export function CollectorsPage() {
  const { t } = useTranslation();
  const { query, rows } = useRows();
  const { q = '' } = useSearch({ from: '/shell/collectors' });
  const navigate = useNavigate();
  const narrow = useNarrow();
  const sought = q.trim().toLowerCase();
  const found = rows.filter(({ collector, site }) =>
    `${collector.displayName} ${collector.registrationId} ${site}`.toLowerCase().includes(sought),
  );
  const columns: TableColumnsType<Row> = [
    {
      title: t('collector.name'),
      render: (_, { collector }) => (
        <>
          <div className="cell-main">{collector.displayName}</div>
          <div className="cell-sub mono">{collector.registrationId}</div>
        </>
      ),
    },
    { title: t('collector.state'), width: 130, render: (_, { collector }) => <State collector={collector} /> },
    { title: t('collector.since'), render: (_, { collector }) => <Since collector={collector} /> },
    { title: t('collector.uptime', { days: uptimeDays }), render: (_, { uptime }) => <Uptime uptime={uptime} /> },
    { title: t('collector.site'), dataIndex: 'site' },
    { title: t('collector.identity.title'), render: (_, { collector }) => <Identity collector={collector} /> },
    { title: t('collector.buses'), render: (_, { collector }) => <Buses collector={collector} /> },
    { title: t('collector.meters'), align: 'right', width: 100, render: (_, row) => <MeterLink row={row} /> },
  ];
  return (
    <>
      <PageHead title={t('collector.title')} />
      <section className="panel">
        <div className="filters">
          <Input
            className="grow"
            name="search"
            aria-label={t('collector.search')}
            placeholder={t('collector.search')}
            prefix={<SearchOutlined aria-hidden />}
            allowClear
            value={q}
            onChange={(event) => void navigate({ to: '/collectors', search: { q: event.target.value || undefined }, replace: true })}
          />
        </div>
        <Loaded query={query}>
          {() => {
            if (found.length === 0) return <EmptyState title={t('collector.empty')} hint={t('collector.emptyHint')} />;
            if (narrow) {
              return (
                <div className="cards">
                  {found.map((row) => (
                    <CollectorCard key={row.collector.name} row={row} />
                  ))}
                </div>
              );
            }
            return (
              <Table
                rowKey={(row) => row.collector.name}
                columns={columns}
                dataSource={found}
                pagination={{ pageSize: 50, hideOnSinglePage: true }}
              />
            );
          }}
        </Loaded>
      </section>
    </>
  );
}
