// Whether a collector is connected, in words.
import type { TFunction } from 'i18next';
import type { Tone } from '@/components/Tag';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';

export function presenceOf(collector: Collector | undefined): { key: string; tone: Tone } {
  if (collector?.presence?.online) return { key: 'collector.online', tone: 'good' };
  if (collector?.presence?.sinceTime) return { key: 'collector.offline', tone: 'bad' };
  return { key: 'collector.neverOnline', tone: 'idle' };
}

// The gateways' words for why a session ended; new ones are shown as they are.
export function offlineReason(t: TFunction, reason: string): string {
  if (!reason) return t('collector.offline');
  return t(`collector.reasons.${reason}`, { defaultValue: reason });
}
