// A failed call as the screen tells it: by its reason (docs/errors.md), in the user's language, with a fallback by code.
import { Code, ConnectError } from '@connectrpc/connect';
import type { TFunction } from 'i18next';
import { ErrorInfoSchema } from '@/gen/voltwell/rpc/v1/error_pb';

export interface Failure {
  code: Code;
  // UPPER_SNAKE_CASE; empty when the server named none (a proxy answered, or the network failed).
  reason: string;
  metadata: Record<string, string>;
  // For developers, in English.
  message: string;
}

export function failureOf(error: unknown): Failure {
  const connectError = ConnectError.from(error);
  const info = connectError.findDetails(ErrorInfoSchema)[0];
  return {
    code: connectError.code,
    reason: info?.reason ?? '',
    metadata: info ? { ...info.metadata } : {},
    message: connectError.rawMessage,
  };
}

// The words for a reason alone, as runs and operations bear it.
export function reasonText(t: TFunction, reason: string): string {
  if (!reason) return '';
  return t(`reason.${reason}`, { defaultValue: reason });
}

export function failureText(t: TFunction, failure: Failure): string {
  if (failure.reason) {
    const known = t(`reason.${failure.reason}`, { defaultValue: '', ...failure.metadata });
    if (known) return known;
  }
  const byCode = t(`code.${Code[failure.code] ?? 'Unknown'}`);
  return failure.reason ? `${byCode} (${failure.reason})` : byCode;
}

export function errorText(t: TFunction, error: unknown): string {
  return failureText(t, failureOf(error));
}

// Whether the call may not have arrived at all, so that the same request_id may be tried again.
export function isRetryable(error: unknown): boolean {
  const { code } = failureOf(error);
  // A fetch that failed on the network is "unknown" to Connect; a TypeError stands behind it.
  const network = ConnectError.from(error).cause instanceof TypeError;
  return code === Code.Unavailable || network;
}
