// Puts news of the stream into the lists that the pages hold, so that they change without asking again.
import type { QueryClient } from '@tanstack/react-query';
import { keys, runsShown } from '@/api/queries';
import type { Listing } from '@/api/pages';
import type { WatchResponse } from '@/gen/voltwell/front/v1/live_service_pb';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import { type Run, Run_State } from '@/gen/voltwell/scheduler/v1/schedule_pb';
import { millis } from '@/format/time';

interface Named {
  name: string;
}

function replaceOrAdd<T extends Named>(items: readonly T[], news: readonly T[]): T[] {
  const byName = new Map(news.map((item) => [item.name, item]));
  const kept = items.map((item) => {
    const fresh = byName.get(item.name);
    byName.delete(item.name);
    return fresh ?? item;
  });
  return [...kept, ...byName.values()];
}

export function mergeCollectors(listing: Listing<Collector>, news: readonly Collector[]): Listing<Collector> {
  return { ...listing, items: replaceOrAdd(listing.items, news) };
}

// News of a run bear its counts, not the reasons of its failures.
function lacksReasons(run: Run): boolean {
  return run.itemsFailed > 0n && Object.keys(run.failures).length === 0;
}

// Latest fire time first, as the server lists them. Reasons that are known stay until the list is read again.
export function mergeRuns(runs: readonly Run[], news: readonly Run[]): Run[] {
  const known = new Map(runs.map((run) => [run.name, run.failures]));
  const fuller = news.map((run) => (lacksReasons(run) ? { ...run, failures: known.get(run.name) ?? {} } : run));
  return replaceOrAdd(runs, fuller)
    .sort((a, b) => (millis(b.fireTime) ?? 0) - (millis(a.fireTime) ?? 0))
    .slice(0, runsShown);
}

export function mergeNews(client: QueryClient, news: WatchResponse): void {
  if (news.collectors.length > 0) {
    client.setQueryData<Listing<Collector>>(keys.collectors, (old) => old && mergeCollectors(old, news.collectors));
  }
  if (news.runs.length > 0) {
    const known = client.getQueryData<Run[]>(keys.runs);
    client.setQueryData<Run[]>(keys.runs, (old) => old && mergeRuns(old, news.runs));
    if (news.runs.some((run) => run.state === Run_State.DONE && lacksReasons(run))) {
      void client.invalidateQueries({ queryKey: keys.runs });
    }
    // A run that was not known means that a schedule fired: its next fire time is another now.
    const names = new Set(known?.map((run) => run.name));
    if (news.runs.some((run) => !names.has(run.name))) void client.invalidateQueries({ queryKey: keys.schedules });
  }
}
