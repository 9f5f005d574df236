// Runs of schedules: what was planned, what is stored, and why the rest is not. A row opens its book.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { useRuns, useSchedules } from '@/api/queries';
import { PageHead } from '@/components/Panel';
import { PlanBar } from '@/components/PlanBar';
import { Reasons } from '@/components/Reasons';
import { RunTag } from '@/components/RunTag';
import { EmptyState, Loaded } from '@/components/States';
import { Instant } from '@/components/TimeText';
import { useNarrow } from '@/components/useNow';
import { percent } from '@/format/decimal';
import { millis } from '@/format/time';
import type { Run } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { RunDrawer } from './RunDrawer';

export function runSeconds(run: Run): string | undefined {
  const start = millis(run.fireTime);
  const end = millis(run.endTime);
  return start !== undefined && end !== undefined ? ((end - start) / 1000).toFixed(1) : undefined;
}

interface ListProps {
  runs: Run[];
  nameOf: (schedule: string) => string;
  open: (run: string) => void;
}

function RunTable({ runs, nameOf, open }: ListProps) {
  const { t } = useTranslation();
  const columns: TableColumnsType<Run> = [
    {
      title: t('run.fireTime'),
      width: 150,
      render: (_, run) => (
        <button type="button" className="link-button" onClick={() => open(run.name)}>
          <Instant time={run.fireTime} />
        </button>
      ),
    },
    { title: t('run.schedule'), render: (_, run) => <span className="cell-main">{nameOf(run.schedule)}</span> },
    { title: t('run.state'), width: 120, render: (_, run) => <RunTag run={run} /> },
    {
      title: t('run.progress'),
      width: 280,
      render: (_, run) => (
        <>
          <PlanBar run={run} />
          <span className="visually-hidden">{percent(run.itemsStored, run.itemsTotal)}</span>
        </>
      ),
    },
    { title: t('run.reasons'), render: (_, run) => <Reasons failures={run.failures} /> },
    {
      title: t('run.duration'),
      align: 'right',
      width: 110,
      render: (_, run) => {
        const seconds = runSeconds(run);
        return <span className="num">{seconds ? t('run.seconds', { n: seconds }) : '–'}</span>;
      },
    },
  ];
  return (
    <Table
      rowKey="name"
      columns={columns}
      dataSource={runs}
      size="middle"
      pagination={{ pageSize: 20, showSizeChanger: false, hideOnSinglePage: true, style: { paddingInline: 18 } }}
      rowClassName="row-link"
      onRow={(run) => ({ onClick: () => open(run.name) })}
    />
  );
}

function RunCards({ runs, nameOf, open }: ListProps) {
  return (
    <div className="cards">
      {runs.map((run) => (
        <button key={run.name} type="button" className="card-row link" onClick={() => open(run.name)}>
          <span className="card-line">
            <span className="cell-main">{nameOf(run.schedule)}</span>
            <RunTag run={run} />
          </span>
          <span className="card-line cell-sub">
            <Instant time={run.fireTime} />
            <span style={{ flex: 1, maxWidth: 210 }}>
              <PlanBar run={run} />
            </span>
          </span>
          {Object.keys(run.failures).length > 0 && (
            <span className="card-line">
              <Reasons failures={run.failures} />
            </span>
          )}
        </button>
      ))}
    </div>
  );
}

export function RunsPage() {
  const { t } = useTranslation();
  const query = useRuns();
  const schedules = useSchedules();
  const { run: opened } = useSearch({ from: '/shell/runs' });
  const navigate = useNavigate({ from: '/runs' });
  const narrow = useNarrow();
  const names = new Map(schedules.data?.items.map((schedule) => [schedule.name, schedule.displayName]));
  const nameOf = (schedule: string) => names.get(schedule) ?? schedule;
  const open = (run: string | undefined) => void navigate({ search: { run } });
  const List = narrow ? RunCards : RunTable;
  return (
    <>
      <PageHead title={t('run.title')} />
      <section className="panel" style={{ overflow: 'hidden' }}>
        <Loaded query={query} rows={8}>
          {(runs) =>
            runs.length === 0 ? (
              <EmptyState title={t('run.empty')} hint={t('run.emptyHint')} />
            ) : (
              <List runs={runs} nameOf={nameOf} open={open} />
            )
          }
        </Loaded>
      </section>
      <RunDrawer name={opened} run={query.data?.find(({ name }) => name === opened)} nameOf={nameOf} close={() => open(undefined)} />
    </>
  );
}
