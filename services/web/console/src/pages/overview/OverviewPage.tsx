// The day's work at a glance: who is online, how the last readings went, what needs a person, what arrives right now.
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { useCollectors, useMeters, useRuns, useSchedules } from '@/api/queries';
import { PageHead, Panel } from '@/components/Panel';
import { Attention } from './Attention';
import { LiveFeed } from './LiveFeed';
import { RecentRuns } from './RecentRuns';
import { Stats } from './Stats';
import './overview.css';

export function OverviewPage() {
  const { t } = useTranslation();
  const collectors = useCollectors();
  const meters = useMeters();
  const runs = useRuns();
  const schedules = useSchedules();
  return (
    <>
      <PageHead title={t('overview.title')} />
      <Stats collectors={collectors} meters={meters} runs={runs} schedules={schedules} />
      <div className="board">
        <div>
          <Panel title={t('overview.recentRuns')} extra={<Link to="/runs">{t('overview.seeAll')}</Link>} flush>
            <RecentRuns runs={runs} schedules={schedules} />
          </Panel>
        </div>
        <div>
          <Panel title={t('overview.attention')}>
            <Attention collectors={collectors} runs={runs} />
          </Panel>
          <Panel title={t('live.feed')}>
            <LiveFeed meters={meters.data?.items ?? []} />
          </Panel>
        </div>
      </div>
    </>
  );
}
