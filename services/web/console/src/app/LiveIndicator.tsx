// Whether what one sees is live, in words.
import { Tooltip } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNow } from '@/components/useNow';
import { useLiveStatus, useLiveTotal } from '@/live/LiveProvider';

export function LiveIndicator() {
  const { t } = useTranslation();
  const status = useLiveStatus();
  const total = useLiveTotal();
  const now = useNow(1000, status.kind === 'waiting');
  const on = status.kind === 'live';
  const hint = on
    ? t('live.hintLive', { total })
    : status.kind === 'waiting'
      ? `${t('live.waiting', { seconds: Math.max(1, Math.ceil((status.retryAt - now) / 1000)) })} · ${t('live.hintLost')}`
      : t('live.hintLost');
  const label = { live: 'live.live', connecting: 'live.connecting', waiting: 'live.waitingShort', ended: 'live.ended' }[status.kind];
  return (
    <Tooltip title={hint}>
      <span className={`live ${on ? 'on' : status.kind === 'connecting' ? '' : 'off'}`} role="status" data-testid="live">
        <i aria-hidden />
        {t(label)}
      </span>
    </Tooltip>
  );
}
