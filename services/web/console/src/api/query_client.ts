// How the cache behaves: lists are fresh for half a minute (the live stream keeps them current in between), reads are retried
// twice where the server was not reached, and refusals are shown at once.
import { QueryClient } from '@tanstack/react-query';
import { isRetryable } from './errors';

const readRetries = 2;

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        refetchOnWindowFocus: true,
        retry: (failures, error) => failures < readRetries && isRetryable(error),
      },
      mutations: { retry: false },
    },
  });
}
