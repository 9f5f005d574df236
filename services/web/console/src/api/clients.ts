// Typed clients of the services that the console calls, made from the transport of the surrounding provider.
import { createClient, type Client, type Transport } from '@connectrpc/connect';
import { useTransport } from '@connectrpc/connect-query';
import { useMemo } from 'react';
import { CollectorService } from '@/gen/voltwell/registry/v1/collector_service_pb';
import { MeterService } from '@/gen/voltwell/registry/v1/meter_service_pb';
import { SessionService } from '@/gen/voltwell/registry/v1/session_service_pb';
import { SiteService } from '@/gen/voltwell/registry/v1/site_service_pb';
import { LineService } from '@/gen/voltwell/scheduler/v1/line_service_pb';
import { OperationService } from '@/gen/voltwell/scheduler/v1/operation_service_pb';
import { ReadingService } from '@/gen/voltwell/scheduler/v1/reading_service_pb';
import { ScheduleService } from '@/gen/voltwell/scheduler/v1/schedule_service_pb';

export interface Clients {
  session: Client<typeof SessionService>;
  collectors: Client<typeof CollectorService>;
  meters: Client<typeof MeterService>;
  sites: Client<typeof SiteService>;
  line: Client<typeof LineService>;
  operations: Client<typeof OperationService>;
  readings: Client<typeof ReadingService>;
  schedules: Client<typeof ScheduleService>;
}

export function createClients(transport: Transport): Clients {
  return {
    session: createClient(SessionService, transport),
    collectors: createClient(CollectorService, transport),
    meters: createClient(MeterService, transport),
    sites: createClient(SiteService, transport),
    line: createClient(LineService, transport),
    operations: createClient(OperationService, transport),
    readings: createClient(ReadingService, transport),
    schedules: createClient(ScheduleService, transport),
  };
}

export function useClients(): Clients {
  const transport = useTransport();
  return useMemo(() => createClients(transport), [transport]);
}
