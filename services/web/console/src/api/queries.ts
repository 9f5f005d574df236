// What the pages ask for and keep: one hook for each list. The live stream merges its news into the same cache entries.
import { useQuery as useConnectQuery } from '@connectrpc/connect-query';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Protocol } from '@/gen/voltwell/codec/v1/codec_pb';
import { SessionService } from '@/gen/voltwell/registry/v1/session_service_pb';
import { LineService } from '@/gen/voltwell/scheduler/v1/line_service_pb';
import { useClients } from './clients';
import { pageSizeMax, readPages } from './pages';

export const keys = {
  collectors: ['collectors'] as const,
  meters: ['meters'] as const,
  sites: ['sites'] as const,
  schedules: ['schedules'] as const,
  runs: ['runs'] as const,
  latest: ['latest'] as const,
  readings: ['readings'] as const,
  runItems: ['run-items'] as const,
};

// Runs shown at once; older ones are asked for page by page.
export const runsShown = 100;

export function useMe() {
  return useConnectQuery(SessionService.method.getMe, {}, { retry: false, staleTime: 60_000 });
}

export function useCollectors() {
  const { collectors } = useClients();
  return useQuery({
    queryKey: keys.collectors,
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) => collectors.listCollectors({ pageSize: pageSizeMax, pageToken }, { signal }),
        (page) => page.collectors,
      ),
  });
}

export function useMeters() {
  const { meters } = useClients();
  return useQuery({
    queryKey: keys.meters,
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) => meters.listMeters({ pageSize: pageSizeMax, pageToken }, { signal }),
        (page) => page.meters,
      ),
  });
}

export function useSites() {
  const { sites } = useClients();
  return useQuery({
    queryKey: keys.sites,
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) => sites.listSites({ pageSize: pageSizeMax, pageToken }, { signal }),
        (page) => page.sites,
      ),
  });
}

export function useSchedules() {
  const { schedules } = useClients();
  return useQuery({
    queryKey: keys.schedules,
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) => schedules.listSchedules({ pageSize: pageSizeMax, pageToken }, { signal }),
        (page) => page.schedules,
      ),
  });
}

export function useRuns() {
  const { schedules } = useClients();
  return useQuery({
    queryKey: keys.runs,
    queryFn: async ({ signal }) => (await schedules.listRuns({ pageSize: runsShown }, { signal })).runs,
  });
}

// Latest value of each register of the meters that are on the screen.
export function useLatest(meterNames: string[]) {
  const { readings } = useClients();
  return useQuery({
    queryKey: [...keys.latest, meterNames],
    queryFn: async ({ signal }) => {
      const listing = await readPages(
        (pageToken) => readings.getLatestReadings({ meters: meterNames, pageToken }, { signal }),
        (page) => page.readings,
        pageSizeMax * 32,
      );
      return listing.items;
    },
    enabled: meterNames.length > 0,
    placeholderData: keepPreviousData,
  });
}

// Titles and units of a protocol's registers. They change with a release only.
export function useRegisterTable() {
  return useConnectQuery(
    LineService.method.listRegisters,
    { protocol: Protocol.DLT645_2007 },
    { staleTime: Infinity, retry: 1 },
  );
}
