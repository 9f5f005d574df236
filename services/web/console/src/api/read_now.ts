// Reads a meter now: one operation with one request_id, made before the first try, waited for until it is final.
import type { Client } from '@connectrpc/connect';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type Operation, Operation_State } from '@/gen/voltwell/scheduler/v1/operation_pb';
import type { OperationService } from '@/gen/voltwell/scheduler/v1/operation_service_pb';
import { useClients } from './clients';
import { isRetryable } from './errors';
import { keys } from './queries';
import { newRequestId } from './request_id';

export const triesMax = 3;
export const firstPauseMs = 800;
// The server answers shortly before its own limit of 60 s; afterwards the operation is asked for until this has passed.
export const waitMaxMs = 120_000;
export const pollEveryMs = 1500;
// OBIS ids in one operation.
export const registersMax = 32;

export interface ReadNowRequest {
  meter: string;
  registers: string[];
  requestId: string;
}

export interface Waiting {
  now(): number;
  sleep(ms: number): Promise<void>;
}

const realWaiting: Waiting = {
  now: Date.now,
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

export function isFinal(operation: Operation): boolean {
  return operation.state === Operation_State.SUCCEEDED || operation.state === Operation_State.FAILED;
}

async function start(client: Client<typeof OperationService>, request: ReadNowRequest, waiting: Waiting): Promise<Operation> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.executeOperation({
        requestId: request.requestId,
        operation: { meter: request.meter, kind: { case: 'readNow', value: { registers: request.registers } } },
        wait: true,
      });
    } catch (error) {
      if (attempt >= triesMax || !isRetryable(error)) throw error;
      await waiting.sleep(firstPauseMs * 2 ** (attempt - 1));
    }
  }
}

// Answers the operation when it is final, or as it stands after waitMaxMs.
export async function readNow(
  client: Client<typeof OperationService>,
  request: ReadNowRequest,
  waiting: Waiting = realWaiting,
): Promise<Operation> {
  const deadline = waiting.now() + waitMaxMs;
  let operation = await start(client, request, waiting);
  while (!isFinal(operation) && waiting.now() < deadline) {
    await waiting.sleep(pollEveryMs);
    operation = await client.getOperation({ name: operation.name });
  }
  return operation;
}

export function useReadNow() {
  const { operations } = useClients();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: ({ meter, registers }: { meter: string; registers: string[] }) =>
      readNow(operations, { meter, registers: registers.slice(0, registersMax), requestId: newRequestId() }),
    onSuccess: (operation) => {
      if (operation.state !== Operation_State.SUCCEEDED) return;
      void queryClient.invalidateQueries({ queryKey: keys.latest });
      void queryClient.invalidateQueries({ queryKey: [...keys.readings, operation.meter] });
    },
  });
}
