// The one way to the server: Connect over fetch, same origin. The session is an HttpOnly cookie that the front door sets at
// sign-in, so nothing secret is ever held or stored here.
import { Code, ConnectError, type Interceptor, type Transport } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';

// Calls whose "unauthenticated" is an answer, not the end of a session.
const signInMethods = new Set(['Login', 'GetMe']);

type Listener = () => void;
const sessionEndListeners = new Set<Listener>();

export function onSessionEnd(listener: Listener): () => void {
  sessionEndListeners.add(listener);
  return () => void sessionEndListeners.delete(listener);
}

export function announceSessionEnd(): void {
  for (const listener of sessionEndListeners) listener();
}

export const sessionEndInterceptor: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (ConnectError.from(error).code === Code.Unauthenticated && !signInMethods.has(request.method.name)) {
      announceSessionEnd();
    }
    throw error;
  }
};

export function createWebTransport(): Transport {
  return createConnectTransport({ baseUrl: '/', interceptors: [sessionEndInterceptor] });
}
