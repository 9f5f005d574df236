// The relay of a meter as it was last read back, what is wanted, and the holds that say why.
import { useQuery } from '@connectrpc/connect-query';
import { useTranslation } from 'react-i18next';
import { useCan } from '@/api/permissions';
import { Tag } from '@/components/Tag';
import { Age } from '@/components/TimeText';
import { RelayState } from '@/gen/voltwell/codec/v1/codec_pb';
import { RelayService } from '@/gen/voltwell/scheduler/v1/relay_service_pb';

const words = {
  [RelayState.UNSPECIFIED]: 'meter.relayUnknown',
  [RelayState.CLOSED]: 'meter.relayClosed',
  [RelayState.OPEN]: 'meter.relayOpen',
} as const;

export function Relay({ meter }: { meter: string }) {
  const { t } = useTranslation();
  const allowed = useCan('relay.read');
  const relay = useQuery(RelayService.method.getRelay, { meter }, { enabled: allowed, retry: false });
  // A meter without a relay, or a server without the method, has no such section.
  if (!relay.data) return null;
  const { observed, desired, observedTime, holds } = relay.data;
  const tone = { [RelayState.UNSPECIFIED]: 'idle', [RelayState.CLOSED]: 'good', [RelayState.OPEN]: 'warn' } as const;
  return (
    <section className="drawer-section">
      <header>
        <h2>{t('meter.relay')}</h2>
      </header>
      <div className="reasons" style={{ alignItems: 'center' }}>
        <Tag tone={tone[observed]}>{t(words[observed])}</Tag>
        {observedTime && (
          <span className="cell-sub">
            <Age time={observedTime} />
          </span>
        )}
        {desired !== RelayState.UNSPECIFIED && desired !== observed && (
          <span className="cell-sub">{t('meter.relayWanted', { state: t(words[desired]) })}</span>
        )}
      </div>
      {holds.length > 0 && (
        <ul>
          {holds.map((hold) => (
            <li key={hold.name}>
              {hold.reason} <span className="cell-sub">{hold.author}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
