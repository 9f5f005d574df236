// Schedules: when which meters are read. Created here with a preview of the next times.
import { PlusOutlined } from '@ant-design/icons';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Button, Table, type TableColumnsType } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/api/permissions';
import { useSchedules } from '@/api/queries';
import { PageHead } from '@/components/Panel';
import { EmptyState, Loaded } from '@/components/States';
import { Tag } from '@/components/Tag';
import { Instant } from '@/components/TimeText';
import { useNarrow } from '@/components/useNow';
import { useRegisterTitles } from '@/components/useRegisterTitles';
import type { Schedule } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { CreateDrawer } from './CreateDrawer';
import { ScheduleActions } from './ScheduleActions';

const registersShown = 2;

function State({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  return schedule.paused ? <Tag>{t('schedule.paused')}</Tag> : <Tag tone="good">{t('schedule.enabled')}</Tag>;
}

function Scope({ schedule }: { schedule: Schedule }) {
  const { t } = useTranslation();
  const { sites = [], collectors = [], meters = [] } = schedule.selection ?? {};
  const parts = [
    sites.length > 0 && t('schedule.scopeSites', { n: sites.length }),
    collectors.length > 0 && t('schedule.scopeCollectors', { n: collectors.length }),
    meters.length > 0 && t('schedule.scopeMeters', { n: meters.length }),
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(' · ') : t('schedule.selectAll');
}

function Registers({ schedule }: { schedule: Schedule }) {
  const { titleOf } = useRegisterTitles();
  const rest = schedule.registers.slice(registersShown);
  return (
    <span className="reasons">
      {schedule.registers.slice(0, registersShown).map((register) => (
        <Tag key={register} plain>
          {titleOf(register)}
        </Tag>
      ))}
      {rest.length > 0 && (
        <span title={rest.map(titleOf).join('\n')}>
          <Tag plain>+{rest.length}</Tag>
        </span>
      )}
    </span>
  );
}

function ScheduleTable({ schedules }: { schedules: Schedule[] }) {
  const { t } = useTranslation();
  const columns: TableColumnsType<Schedule> = [
    {
      title: t('schedule.name'),
      render: (_, schedule) => (
        <>
          <div className="cell-main">{schedule.displayName}</div>
          <div className="cell-sub mono">{schedule.cron}</div>
        </>
      ),
    },
    { title: t('schedule.state'), width: 110, render: (_, schedule) => <State schedule={schedule} /> },
    {
      title: t('schedule.nextFire'),
      width: 150,
      render: (_, schedule) => (
        <>
          <Instant time={schedule.nextFireTime} />
          <div className="cell-sub">{schedule.timeZone}</div>
        </>
      ),
    },
    { title: t('schedule.registers'), render: (_, schedule) => <Registers schedule={schedule} /> },
    {
      title: t('schedule.selection'),
      className: 'no-wrap',
      render: (_, schedule) => <Scope schedule={schedule} />,
    },
    {
      title: <span className="visually-hidden">{t('schedule.actions')}</span>,
      align: 'right',
      render: (_, schedule) => <ScheduleActions schedule={schedule} />,
    },
  ];
  return <Table rowKey="name" columns={columns} dataSource={schedules} pagination={{ pageSize: 20, hideOnSinglePage: true }} />;
}

function ScheduleCards({ schedules }: { schedules: Schedule[] }) {
  const { t } = useTranslation();
  return (
    <div className="cards">
      {schedules.map((schedule) => (
        <div key={schedule.name} className="card-row">
          <div className="card-line">
            <span className="cell-main">{schedule.displayName}</span>
            <State schedule={schedule} />
          </div>
          <div className="card-line cell-sub">
            <span className="mono">{schedule.cron}</span>
            <span>
              <Scope schedule={schedule} />
            </span>
          </div>
          <div className="card-line cell-sub">
            <span>{t('schedule.nextFire')}</span>
            <Instant time={schedule.nextFireTime} />
          </div>
          <div className="card-line">
            <Registers schedule={schedule} />
          </div>
          <div className="card-line">
            <span />
            <ScheduleActions schedule={schedule} />
          </div>
        </div>
      ))}
    </div>
  );
}

export function SchedulesPage() {
  const { t } = useTranslation();
  const query = useSchedules();
  const { create = false } = useSearch({ from: '/shell/schedules' });
  const navigate = useNavigate({ from: '/schedules' });
  const narrow = useNarrow();
  const mayWrite = useCan('schedule.write');
  const show = (open: boolean) => void navigate({ search: { create: open || undefined } });
  const createButton = mayWrite && (
    <Button type="primary" icon={<PlusOutlined aria-hidden />} onClick={() => show(true)}>
      {t('schedule.create')}
    </Button>
  );
  return (
    <>
      <PageHead title={t('schedule.title')}>{createButton}</PageHead>
      <section className="panel" style={{ overflow: 'hidden' }}>
        <Loaded query={query}>
          {({ items }) =>
            items.length === 0 ? (
              <EmptyState title={t('schedule.empty')} hint={t('schedule.emptyHint')} action={createButton} />
            ) : narrow ? (
              <ScheduleCards schedules={items} />
            ) : (
              <ScheduleTable schedules={items} />
            )
          }
        </Loaded>
      </section>
      {mayWrite && <CreateDrawer open={create} close={() => show(false)} />}
    </>
  );
}
