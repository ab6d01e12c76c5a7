import type { TestContext } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import { type AdminOptions, type AdminServer, startAdmin } from '@gatehouse/platform/admin/admin-server';
import { tokenAuthenticator } from '@gatehouse/platform/http/authenticator';
import { pageOf, pageQuery, paginate } from '@gatehouse/platform/http/page';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { alone } from '@gatehouse/platform/replicas/replicas';
import { Type } from 'typebox';

export const token = 'sesame';
export const now = Date.parse('2026-05-01T12:00:00Z');

export const startedAdmin = async (
  t: TestContext,
  more: Partial<AdminOptions> = {},
): Promise<AdminServer> => {
  const admin = await startAdmin({
    service: 'policy',
    address: { host: '127.0.0.1', port: 0 },
    authenticator: tokenAuthenticator(token),
    log: silentLog,
    metrics: new Metrics('policy'),
    source: { health: () => [{ kind: 'Pod', synced: true, staleMs: 0 }] },
    reasons: () => [],
    streams: () => [],
    replicas: alone({ name: 'policy-0', instance: 'the only one' }),
    now: () => now,
    ...more,
  });
  t.after(() => admin.close());
  return admin;
};

/** Routes as a service has them. */
export const things: NonNullable<AdminOptions['routes']> = (app) => {
  const items = ['a', 'b', 'c', 'd'].map((name) => ({ name }));
  const schema = {
    params: Type.Object({ namespace: Type.String() }),
    querystring: Type.Object(pageQuery),
    response: { 200: pageOf(Type.Object({ name: Type.String() })) },
  };
  app.get('/v1/things/:namespace', { config: { access: { reads: 'services' } }, schema }, async ({ query }) =>
    paginate(items, ({ name }) => name, query),
  );
  app.post(
    '/v1/things',
    { config: { access: 'mesh' }, schema: { body: Type.Object({ size: Type.Integer() }) } },
    async ({ body }) => body,
  );
  app.get('/v1/broken', { config: { access: 'mesh' } }, async () => {
    throw new Error('the password is 1234');
  });
  app.get('/v1/missing', { config: { access: 'mesh' } }, async () => {
    throw new GatehouseError('not-found', 'no pod demo/x', { details: { table: 'internal' } });
  });
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads from JSON is checked by its assertions
  readonly json: any;
  readonly text: string;
}

export const ask = async (
  url: string,
  init: RequestInit & { readonly token?: string } = {},
): Promise<Answer> => {
  const authorization = init.token === undefined ? {} : { authorization: `Bearer ${init.token}` };
  const response = await fetch(url, { ...init, headers: { ...authorization, ...(init.headers ?? {}) } });
  const text = await response.text();
  const isJson = /json/.test(response.headers.get('content-type') ?? '') && text !== '';
  return {
    status: response.status,
    headers: response.headers,
    text,
    json: isJson ? JSON.parse(text) : undefined,
  };
};
