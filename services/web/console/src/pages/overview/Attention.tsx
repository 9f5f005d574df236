// What a person should look at: collectors that went offline, and meters that the newest run could not read.
import { CheckCircleOutlined } from '@ant-design/icons';
import { Link } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { ErrorState, Loading } from '@/components/States';
import { Reasons } from '@/components/Reasons';
import { Tag } from '@/components/Tag';
import { Age } from '@/components/TimeText';
import { millis } from '@/format/time';
import { Run_State } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { offlineReason } from '../collectors/presence';
import type { OverviewQueries } from './Stats';

const shown = 5;

export function Attention({ collectors, runs }: Pick<OverviewQueries, 'collectors' | 'runs'>) {
  const { t } = useTranslation();
  const error = collectors.error ?? runs.error;
  if (!collectors.data || !runs.data) return error ? <ErrorState error={error} /> : <Loading rows={2} />;

  const offline = collectors.data.items
    .filter((collector) => !collector.presence?.online && collector.presence?.sinceTime)
    .sort((a, b) => (millis(b.presence?.sinceTime) ?? 0) - (millis(a.presence?.sinceTime) ?? 0));
  const ended = runs.data.find((run) => run.state === Run_State.DONE);
  const failed = ended && ended.itemsFailed > 0n ? ended : undefined;

  if (offline.length === 0 && !failed) {
    return (
      <div className="all-well">
        <CheckCircleOutlined aria-hidden />
        <div>
          <div className="cell-main">{t('overview.attentionNone')}</div>
          <div className="cell-sub">{t('overview.attentionNoneHint')}</div>
        </div>
      </div>
    );
  }
  return (
    <div className="attention">
      {offline.slice(0, shown).map((collector) => (
        <Link key={collector.name} className="attention-row" to="/collectors" search={{ q: collector.registrationId }}>
          <div>
            <div className="cell-main">{collector.displayName}</div>
            <div className="cell-sub">
              <Age time={collector.presence?.sinceTime} /> · {offlineReason(t, collector.presence?.reason ?? '')}
            </div>
          </div>
          <Tag tone="bad">{t('collector.offline')}</Tag>
        </Link>
      ))}
      {offline.length > shown && (
        <Link className="attention-row" to="/collectors">
          {t('overview.offlineCount', { n: offline.length })} · {t('overview.seeAll')}
        </Link>
      )}
      {failed && (
        <Link className="attention-row" to="/runs" search={{ run: failed.name }}>
          <div>
            <div className="cell-main">{t('overview.failedReads', { n: failed.itemsFailed.toString() })}</div>
            <div className="cell-sub" style={{ marginTop: 4 }}>
              <Reasons failures={failed.failures} />
            </div>
          </div>
        </Link>
      )}
    </div>
  );
}
