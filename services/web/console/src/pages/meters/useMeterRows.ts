// Meters with what belongs to them (place, collector), filtered by what stands in the address.
import { useMemo } from 'react';
import { useCollectors, useMeters, useSites } from '@/api/queries';
import { siteNames } from '@/format/sites';
import type { Collector } from '@/gen/voltwell/registry/v1/collector_pb';
import { type Meter, Meter_Kind } from '@/gen/voltwell/registry/v1/meter_pb';

export interface MeterRow {
  meter: Meter;
  site: string;
  collector: Collector | undefined;
}

export interface MeterFilter {
  q?: string;
  kind?: string;
  collector?: string;
}

const kinds: Record<string, Meter_Kind> = {
  electricity: Meter_Kind.ELECTRICITY,
  water: Meter_Kind.WATER,
  heat: Meter_Kind.HEAT,
  gas: Meter_Kind.GAS,
};

export function matches(row: MeterRow, filter: MeterFilter): boolean {
  if (filter.collector && row.meter.collector !== filter.collector) return false;
  if (filter.kind && row.meter.kind !== kinds[filter.kind]) return false;
  const sought = filter.q?.trim().toLowerCase();
  return !sought || `${row.meter.displayName} ${row.meter.address} ${row.site}`.toLowerCase().includes(sought);
}

export function useMeterRows() {
  const query = useMeters();
  const collectors = useCollectors();
  const sites = useSites();
  const rows = useMemo(() => {
    const names = siteNames(sites.data?.items ?? []);
    const byName = new Map(collectors.data?.items.map((collector) => [collector.name, collector]));
    return (query.data?.items ?? [])
      .map((meter): MeterRow => ({ meter, site: names.get(meter.site) ?? '', collector: byName.get(meter.collector) }))
      .sort((a, b) => a.meter.displayName.localeCompare(b.meter.displayName, 'zh', { numeric: true }));
  }, [query.data, collectors.data, sites.data]);
  return { query, rows, collectors: collectors.data?.items ?? [] };
}
