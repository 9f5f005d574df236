// A state in words; colour only helps.
import type { ReactNode } from 'react';

export type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'idle';

export function Tag({ tone = 'idle', plain = false, children }: { tone?: Tone; plain?: boolean; children: ReactNode }) {
  return <span className={`tag ${tone} ${plain ? 'plain' : ''}`}>{children}</span>;
}
