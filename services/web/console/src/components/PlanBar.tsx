// Plan versus done: how much of what was planned is stored, failed, or still open. The numbers stand beside the bar.
import { useTranslation } from 'react-i18next';
import type { Run } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { groupCount } from '@/format/decimal';

export function PlanBar({ run, numbers = true }: { run: Run; numbers?: boolean }) {
  const { t } = useTranslation();
  const total = Number(run.itemsTotal);
  const width = (part: bigint) => `${total > 0 ? (Number(part) * 100) / total : 0}%`;
  const words = [
    `${t('run.stored')} ${run.itemsStored}`,
    `${t('run.failed')} ${run.itemsFailed}`,
    `${t('run.open')} ${run.itemsTotal - run.itemsStored - run.itemsFailed}`,
  ].join(' · ');
  return (
    <div className="plan" title={words}>
      <div className="plan-track" role="img" aria-label={words}>
        <span className="plan-stored" style={{ width: width(run.itemsStored) }} />
        {run.itemsFailed > 0n && <span className="plan-failed" style={{ width: width(run.itemsFailed), minWidth: 3 }} />}
      </div>
      {numbers && (
        <span className="plan-numbers num">
          {groupCount(run.itemsStored)} <span className="quiet">/ {groupCount(run.itemsTotal)}</span>
        </span>
      )}
    </div>
  );
}
