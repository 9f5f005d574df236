// The last runs: when, which schedule, plan versus done, and why something failed.
import { Link } from '@tanstack/react-router';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { PlanBar } from '@/components/PlanBar';
import { Reasons } from '@/components/Reasons';
import { RunTag } from '@/components/RunTag';
import { EmptyState, Loaded } from '@/components/States';
import { Instant } from '@/components/TimeText';
import type { OverviewQueries } from './Stats';

const shown = 8;

export function RecentRuns({ runs, schedules }: Pick<OverviewQueries, 'runs' | 'schedules'>) {
  const { t } = useTranslation();
  const names = new Map(schedules.data?.items.map((schedule) => [schedule.name, schedule.displayName]));
  return (
    <Loaded query={runs} rows={8}>
      {(list) =>
        list.length === 0 ? (
          <EmptyState
            title={t('run.empty')}
            hint={t('run.emptyHint')}
            action={
              <Link to="/schedules" search={{ create: true }}>
                <Button type="primary">{t('overview.createFirst')}</Button>
              </Link>
            }
          />
        ) : (
          <div className="run-lines">
            {list.slice(0, shown).map((run) => (
              <Link key={run.name} className="run-line" to="/runs" search={{ run: run.name }}>
                <span className="run-time quiet">
                  <Instant time={run.fireTime} />
                </span>
                <span className="name">{names.get(run.schedule) ?? run.schedule}</span>
                <PlanBar run={run} />
                <RunTag run={run} />
                {Object.keys(run.failures).length > 0 && <Reasons failures={run.failures} />}
              </Link>
            ))}
          </div>
        )
      }
    </Loaded>
  );
}
