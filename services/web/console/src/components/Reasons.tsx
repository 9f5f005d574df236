// Why items of a run failed: each reason in words with its number, most frequent first.
import { useTranslation } from 'react-i18next';
import { reasonText } from '@/api/errors';
import { groupCount } from '@/format/decimal';
import { Tag } from './Tag';

export function Reasons({ failures, most = 3 }: { failures: Record<string, bigint>; most?: number }) {
  const { t } = useTranslation();
  const sorted = Object.entries(failures).sort(([, a], [, b]) => Number(b - a));
  if (sorted.length === 0) return <span className="quiet">–</span>;
  const rest = sorted.slice(most).reduce((sum, [, count]) => sum + count, 0n);
  return (
    <span className="reasons">
      {sorted.slice(0, most).map(([reason, count]) => (
        <Tag key={reason} tone="bad" plain>
          {reasonText(t, reason)} <span className="num">{groupCount(count)}</span>
        </Tag>
      ))}
      {rest > 0n && (
        <Tag plain>
          +<span className="num">{groupCount(rest)}</span>
        </Tag>
      )}
    </span>
  );
}
