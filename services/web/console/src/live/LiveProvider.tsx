// Runs the page's one event stream and offers its store to the components below.
import { createClient } from '@connectrpc/connect';
import { useTransport } from '@connectrpc/connect-query';
import { useQueryClient } from '@tanstack/react-query';
import { createContext, use, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react';
import { LiveService } from '@/gen/voltwell/front/v1/live_service_pb';
import type { Reading } from '@/gen/voltwell/scheduler/v1/reading_pb';
import { announceSessionEnd } from '@/api/transport';
import { mergeNews } from './merge';
import { LiveStore, type MinuteCount } from './store';
import { browserSleep, watchForever, type LiveStatus } from './watch';

const LiveContext = createContext<LiveStore | null>(null);

export function LiveProvider({ children }: { children: ReactNode }) {
  const transport = useTransport();
  const queryClient = useQueryClient();
  const [store] = useState(() => new LiveStore());

  useEffect(() => {
    const stop = new AbortController();
    const client = createClient(LiveService, transport);
    void watchForever(
      {
        open: (signal, onOpen) => client.watch({}, { signal, onHeader: onOpen }),
        onNews: (news) => {
          store.take(news, Date.now());
          mergeNews(queryClient, news);
        },
        onStatus: (status) => {
          store.setStatus(status);
          if (status.kind === 'ended') announceSessionEnd();
        },
        onResumed: () => void queryClient.invalidateQueries(),
        now: Date.now,
        random: Math.random,
        sleep: browserSleep,
      },
      stop.signal,
    );
    return () => stop.abort();
  }, [transport, queryClient, store]);

  return <LiveContext value={store}>{children}</LiveContext>;
}

export function useLiveStore(): LiveStore {
  const store = use(LiveContext);
  if (!store) throw new Error('useLiveStore outside of LiveProvider');
  return store;
}

export function useLiveStatus(): LiveStatus {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, store.getStatus);
}

export function useLiveFeed(): readonly Reading[] {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, store.getFeed);
}

export function useLiveMinutes(): readonly MinuteCount[] {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, store.getMinutes);
}

export function useLiveTotal(): number {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, store.getTotal);
}

// Registers of one meter that the stream told of; undefined: none yet.
export function useLiveMeter(name: string): ReadonlyMap<string, Reading> | undefined {
  const store = useLiveStore();
  return useSyncExternalStore(store.subscribe, () => store.getMeter(name));
}
