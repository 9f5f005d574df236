// Four numbers on top of the overview.
import { Link } from '@tanstack/react-router';
import { Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '@/api/errors';
import { useCollectors, useMeters, useRuns, useSchedules } from '@/api/queries';
import { PlanBar } from '@/components/PlanBar';
import { RunTag } from '@/components/RunTag';
import { Tag } from '@/components/Tag';
import { useNow } from '@/components/useNow';
import { groupCount, percent } from '@/format/decimal';
import { clock, countdown, millis } from '@/format/time';
import { Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import { Run_State, type Schedule } from '@/gen/voltwell/scheduler/v1/schedule_pb';

export interface OverviewQueries {
  collectors: ReturnType<typeof useCollectors>;
  meters: ReturnType<typeof useMeters>;
  runs: ReturnType<typeof useRuns>;
  schedules: ReturnType<typeof useSchedules>;
}

interface StatProps {
  title: string;
  tag?: ReactNode;
  to: '/collectors' | '/meters' | '/runs' | '/schedules';
  query: { isPending: boolean; error: unknown; data: unknown };
  value: ReactNode;
  foot: ReactNode;
}

function Stat({ title, tag, to, query, value, foot }: StatProps) {
  const { t } = useTranslation();
  return (
    <Link to={to} className="panel stat">
      <span className="stat-title">
        {title}
        {tag}
      </span>
      {query.data !== undefined ? (
        <>
          <span className="stat-value">{value}</span>
          <span className="stat-foot">{foot}</span>
        </>
      ) : query.error ? (
        <span className="stat-foot" role="alert">
          {errorText(t, query.error)}
        </span>
      ) : (
        <Skeleton active title={false} paragraph={{ rows: 2 }} />
      )}
    </Link>
  );
}

function CollectorsStat({ collectors }: Pick<OverviewQueries, 'collectors'>) {
  const { t } = useTranslation();
  const items = collectors.data?.items ?? [];
  const online = items.filter((collector) => collector.presence?.online).length;
  const never = items.filter((collector) => !collector.presence?.online && !collector.presence?.sinceTime).length;
  const offline = items.length - online - never;
  return (
    <Stat
      title={t('overview.collectorsOnline')}
      to="/collectors"
      query={collectors}
      value={
        <>
          {groupCount(online)}
          <small>{t('overview.ofTotal', { total: groupCount(items.length) })}</small>
        </>
      }
      foot={
        <>
          {offline > 0 && <Tag tone="bad">{t('overview.offlineCount', { n: offline })}</Tag>}
          {never > 0 && <Tag>{t('overview.neverSeen', { n: never })}</Tag>}
          {items.length > 0 && online === items.length && <Tag tone="good">{t('overview.allOnline')}</Tag>}
          {items.length === 0 && t('collector.empty')}
        </>
      }
    />
  );
}

function MetersStat({ meters }: Pick<OverviewQueries, 'meters'>) {
  const { t } = useTranslation();
  const items = meters.data?.items ?? [];
  const of = (kind: Meter_Kind) => items.filter((meter) => meter.kind === kind).length;
  const parts = [
    t('overview.electricity', { n: groupCount(of(Meter_Kind.ELECTRICITY)) }),
    t('overview.water', { n: groupCount(of(Meter_Kind.WATER)) }),
    ...(of(Meter_Kind.HEAT) > 0 ? [t('overview.heat', { n: groupCount(of(Meter_Kind.HEAT)) })] : []),
    ...(of(Meter_Kind.GAS) > 0 ? [t('overview.gas', { n: groupCount(of(Meter_Kind.GAS)) })] : []),
  ];
  return (
    <Stat
      title={t('overview.meters')}
      to="/meters"
      query={meters}
      value={groupCount(items.length) + (meters.data?.truncated ? '+' : '')}
      foot={parts.join(' · ')}
    />
  );
}

function LastRunStat({ runs }: Pick<OverviewQueries, 'runs'>) {
  const { t } = useTranslation();
  // The newest one that has ended tells how well it goes; one at work is shown only while there is no other.
  const run = runs.data?.find((candidate) => candidate.state === Run_State.DONE) ?? runs.data?.[0];
  return (
    <Stat
      title={t('overview.lastRun')}
      to="/runs"
      query={runs}
      tag={run && <RunTag run={run} />}
      value={
        run ? (
          <>
            {percent(run.itemsStored, run.itemsTotal)}
            <small>
              {t('overview.lastRunDone', { stored: groupCount(run.itemsStored), total: groupCount(run.itemsTotal) })}
            </small>
          </>
        ) : (
          '–'
        )
      }
      foot={run ? <PlanBar run={run} numbers={false} /> : t('overview.noRun')}
    />
  );
}

function soonest(schedules: readonly Schedule[]): Schedule | undefined {
  let first: Schedule | undefined;
  for (const schedule of schedules) {
    const time = millis(schedule.nextFireTime);
    if (schedule.paused || time === undefined) continue;
    if (!first || time < (millis(first.nextFireTime) ?? Infinity)) first = schedule;
  }
  return first;
}

function NextFireStat({ schedules }: Pick<OverviewQueries, 'schedules'>) {
  const { t } = useTranslation();
  const now = useNow(1000);
  const next = soonest(schedules.data?.items ?? []);
  const time = millis(next?.nextFireTime);
  return (
    <Stat
      title={t('overview.nextFire')}
      to="/schedules"
      query={schedules}
      value={time === undefined ? '–' : clock(time)}
      foot={
        next && time !== undefined ? (
          <>
            <span className="num">{time > now ? t('overview.inTime', { time: countdown(time - now) }) : t('overview.due')}</span>
            <span className="ellipsis">{next.displayName}</span>
          </>
        ) : (
          t('overview.noNext')
        )
      }
    />
  );
}

export function Stats({ collectors, meters, runs, schedules }: OverviewQueries) {
  return (
    <div className="stats">
      <CollectorsStat collectors={collectors} />
      <MetersStat meters={meters} />
      <LastRunStat runs={runs} />
      <NextFireStat schedules={schedules} />
    </div>
  );
}
