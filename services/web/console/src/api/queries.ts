// What the pages ask for and keep: one hook for each list. The live stream merges its news into the same cache entries.
import { useQuery as useConnectQuery } from '@connectrpc/connect-query';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Protocol, type Register } from '@/gen/voltwell/codec/v1/codec_pb';
import { SessionService } from '@/gen/voltwell/registry/v1/session_service_pb';
import { useClients } from './clients';
import { pageSizeMax, readPages } from './pages';

export const keys = {
  collectors: ['collectors'] as const,
  uptimes: ['uptimes'] as const,
  meters: ['meters'] as const,
  sites: ['sites'] as const,
  schedules: ['schedules'] as const,
  runs: ['runs'] as const,
  latest: ['latest'] as const,
  readings: ['readings'] as const,
  runItems: ['run-items'] as const,
  registers: ['registers'] as const,
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

const uptimeStaleMs = 600_000;

// How long each collector was online in the last days. Seldom asked again: a week changes slowly, and it costs the server work.
export function useUptimes(days: number) {
  const { collectors } = useClients();
  return useQuery({
    queryKey: [...keys.uptimes, days],
    queryFn: ({ signal }) =>
      readPages(
        (pageToken) =>
          collectors.listCollectorUptimes({ period: { seconds: BigInt(days * 86_400) }, pageSize: pageSizeMax, pageToken }, { signal }),
        (page) => page.uptimes,
      ),
    staleTime: uptimeStaleMs,
    refetchInterval: uptimeStaleMs,
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

// Members of patterns that people choose and see often. The server's tables have patterns in their place, and drop from this list
// what a protocol does not have.
const commonRegisters: string[] = [
  ...['1', '2', '3', '4', '15'].flatMap((c) => ['0', '1', '2', '3', '4'].map((t) => `1-0:${c}.8.${t}`)),
  ...['1-0:1.8.0*1', '1-0:1.6.0'],
  ...['32', '52', '72', '31', '51', '71', '1', '21', '41', '61', '3', '9', '13', '14'].map((c) => `1-0:${c}.7.0`),
  ...['8-0:1.0.0', '8-0:1.2.0', '8-0:2.0.0', '8-0:1.0.0*1', '9-0:1.0.0', '9-0:1.2.0', '7-0:3.0.0', '7-0:3.2.0'],
  ...['6-0:1.0.0', '6-0:1.2.0', '6-0:2.0.0', '6-0:8.0.0', '6-0:9.0.0', '6-0:10.0.0', '6-0:11.0.0'],
];

const protocols = [Protocol.DLT645_2007, Protocol.CJT188, Protocol.MBUS, Protocol.DLT645_1997] as const;

// Titles and units of the registers of all protocols, where they share one that of the first; patterns are left out. They change
// with a release only.
export function useRegisterTable(): Register[] {
  const { line } = useClients();
  const table = useQuery({
    queryKey: keys.registers,
    queryFn: async ({ signal }) => {
      const asked = protocols.flatMap((protocol) => [
        line.listRegisters({ protocol, registers: commonRegisters }, { signal }),
        line.listRegisters({ protocol }, { signal }),
      ]);
      const rows = (await Promise.all(asked)).flatMap(({ registers }) => registers);
      return rows.filter(({ register, readable }) => readable && !register.includes('{'));
    },
    staleTime: Infinity,
    retry: 1,
  });
  return table.data ?? noRegisters;
}

const noRegisters: Register[] = [];
