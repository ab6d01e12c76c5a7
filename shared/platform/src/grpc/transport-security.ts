import { isLoopback } from '@gatehouse/core/host-port';

/**
 * Whether a service bound to `host` speaks TLS. Plaintext is for loopback only, where proxies insist on it; `always` is
 * the production path on loopback too, for the demo and for tests (design §13).
 */
export const servesTls = (mode: 'auto' | 'always', host: string): boolean =>
  mode === 'always' || !isLoopback(host);
