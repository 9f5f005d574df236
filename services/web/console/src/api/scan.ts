// The search for the meters of a bus: the latest one, looked at while it runs, and what may be done with it.
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import { Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';
import { type Scan, Scan_State, type ScannedMeter } from '@/gen/voltwell/scheduler/v1/scan_pb';
import { useClients } from './clients';
import { keys } from './queries';
import { useRequestIds } from './request_id';

// A search asks about one question a second.
export const scanEveryMs = 2000;
// Searches of a collector looked through for the latest of one bus.
const scansLooked = 100;

const scanKey = (collector: string, bus: number) => ['scan', collector, bus] as const;

// Undefined data: the bus was never searched.
export function useLatestScan(collector: string, bus: number) {
  const { operations } = useClients();
  return useQuery({
    queryKey: scanKey(collector, bus),
    queryFn: async ({ signal }): Promise<Scan | null> => {
      const { scans } = await operations.listScans({ collector, pageSize: scansLooked }, { signal });
      const latest = scans.find((scan) => scan.bus === bus);
      return latest ? operations.getScan({ name: latest.name }, { signal }) : null;
    },
    refetchInterval: (query) => (query.state.data?.state === Scan_State.RUNNING ? scanEveryMs : false),
  });
}

export function useScanActions(collector: Collector, bus: number) {
  const { operations, meters } = useClients();
  const queryClient = useQueryClient();
  const requestIds = useRequestIds();
  const settled = () => {
    requestIds.done();
    return queryClient.invalidateQueries({ queryKey: scanKey(collector.name, bus) });
  };
  const start = useMutation({
    mutationFn: () =>
      operations.scanBus({ requestId: requestIds.idFor({ scan: collector.name, bus }), scan: { collector: collector.name, bus } }),
    onSuccess: settled,
  });
  const cancel = useMutation({
    mutationFn: (scan: Scan) => operations.cancelScan({ requestId: requestIds.idFor({ cancel: scan.name }), name: scan.name }),
    onSuccess: settled,
  });
  const add = useMutation({
    mutationFn: (found: ScannedMeter) =>
      meters.createMeter({
        requestId: requestIds.idFor({ add: found.address, collector: collector.name, bus }),
        meter: {
          displayName: found.address,
          kind: kindOf(found),
          site: collector.site,
          collector: collector.name,
          bus,
          address: found.address,
          protocol: found.protocol,
          profile: found.profile,
        },
      }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: keys.meters });
      await settled();
    },
  });
  return { start, cancel, add };
}

// What a meter measures, by what it told; most that do not tell are for electricity.
export function kindOf(found: ScannedMeter): Meter_Kind {
  const kinds: Record<string, Meter_Kind> = { WATER: Meter_Kind.WATER, HEAT: Meter_Kind.HEAT, GAS: Meter_Kind.GAS };
  return kinds[found.medium] ?? Meter_Kind.ELECTRICITY;
}
