// Where a run stands, in words.
import { useTranslation } from 'react-i18next';
import { type Run, Run_State } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { Tag, type Tone } from './Tag';

const tones: Record<Run_State, Tone> = {
  [Run_State.UNSPECIFIED]: 'idle',
  [Run_State.PLANNING]: 'busy',
  [Run_State.RUNNING]: 'busy',
  [Run_State.DONE]: 'good',
  [Run_State.CANCELLED]: 'idle',
};

export function RunTag({ run }: { run: Run }) {
  const { t } = useTranslation();
  if (run.state === Run_State.DONE && run.itemsFailed > 0n) return <Tag tone="warn">{t('run.states.DONE_FAILED')}</Tag>;
  const name = Run_State[run.state] as keyof typeof Run_State;
  return <Tag tone={tones[run.state]}>{t(`run.states.${name}`)}</Tag>;
}
