import assert from 'node:assert/strict';
import type { Attempt } from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authorization, HttpMatch, InboundServer, Meta } from '@gatehouse/core/inbound/inbound-server';
import type { HttpRequest } from '@gatehouse/core/inbound/match-request';
import { everywhere, readIp } from '@gatehouse/core/ip-network';

export const defaultMeta = (name: string): Meta => ({ kind: 'default', name });

export const ipOf = (text: string) => {
  const address = readIp(text);
  assert(address !== undefined, `${text} is not a valid address`);
  return address;
};

/** An authorization of everybody, by that name. */
export const anybody = (name: string): Authorization => ({
  networks: everywhere,
  authentication: { kind: 'unauthenticated' },
  meta: defaultMeta(name),
});

/** A row that grants nothing. */
export const aServerRow = (said: Partial<InboundServer>): InboundServer => ({
  protocol: { kind: 'detect', timeoutMs: 10_000, routes: [] },
  authorizations: [],
  meta: defaultMeta('deny'),
  ...said,
});

export const aRequest = (said: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  target: '/',
  host: 'backend.demo:8080',
  headers: [],
  ...said,
});

/** A plain GET / from 10.0.0.1, unless the test says otherwise. */
export const anAttempt = (said: Partial<Attempt> = {}): Attempt => ({
  client: ipOf('10.0.0.1'),
  tls: { kind: 'none' },
  traffic: { kind: 'http', ...aRequest() },
  ...said,
});

/** As JavaScript has it: the tables use nothing on which engines differ. */
export const matchesRegex = (pattern: string, text: string): boolean =>
  new RegExp(`^(?:${pattern})$`, 'u').test(text);

export const httpMatch = (said: Partial<HttpMatch>): HttpMatch => ({ headers: [], queryParams: [], ...said });
export const exact = (value: string) => ({ kind: 'exact', value }) as const;
export const prefix = (value: string) => ({ kind: 'prefix', value }) as const;
export const regex = (value: string) => ({ kind: 'regex', value }) as const;
export const valueMatch = (name: string, text: string, kind: 'exact' | 'regex' = 'exact') => ({
  name,
  kind,
  value: text,
});
