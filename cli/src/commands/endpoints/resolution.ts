import { resolve as resolvePath } from 'node:path';
import { type Static, Type } from 'typebox';
import type { Surroundings } from '../../cli.ts';
import { withAdmin } from '../../reach/with-admin.ts';
import type { ResolveOptions } from './endpoints.ts';

/** What these commands read of `/v1/resolve`; whatever else is said goes on into json and yaml. */
const nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

const Endpoint = Type.Object({
  ip: Type.String(),
  port: Type.Integer(),
  workload: nullable(Type.String()),
  identity: nullable(Type.String()),
  protocol: nullable(Type.String()),
  inboundPort: nullable(Type.Integer()),
  nodeName: Type.String(),
  zone: Type.String(),
  zoneLocality: Type.String(),
  remarks: Type.Array(Type.String()),
});
export type Endpoint = Static<typeof Endpoint>;

const ServiceProfile = Type.Object({
  namespace: Type.String(),
  name: Type.String(),
  rejected: Type.Array(Type.String()),
  routes: Type.Array(
    Type.Object({
      name: Type.String(),
      requests: Type.String(),
      isRetryable: Type.Boolean(),
      timeoutMs: nullable(Type.Number()),
    }),
  ),
  overrides: Type.Array(Type.Object({ authority: Type.String(), weight: Type.Number() })),
});

export const Resolution = Type.Object({
  target: Type.String(),
  client: Type.Object({ nodeName: Type.String(), zone: Type.String() }),
  get: nullable(
    Type.Object({
      kind: Type.String(),
      endpoints: Type.Array(Endpoint),
      leftOut: Type.Array(Type.Object({ pod: Type.String(), address: Type.String(), why: Type.String() })),
    }),
  ),
  profile: Type.Object({
    kind: Type.String(),
    name: nullable(Type.String()),
    opaque: Type.Boolean(),
    endpoint: nullable(Endpoint),
    reason: nullable(Type.String()),
    serviceProfile: nullable(ServiceProfile),
    retryBudget: nullable(
      Type.Object({ ratio: Type.Number(), minPerSecond: Type.Number(), ttlMs: Type.Number() }),
    ),
  }),
});
export type Resolution = Static<typeof Resolution>;

/** Asks destination what it tells a client of an authority; with `--dir` what it would tell on a folder. */
export const resolve = async (
  authority: string,
  options: ResolveOptions,
  surroundings: Surroundings,
): Promise<Resolution> => {
  if (options.dir === undefined)
    return withAdmin({ service: 'destination', options, surroundings }, (api, mesh) =>
      api.json(
        Resolution,
        '/v1/resolve',
        askedIn(mesh.kind === 'cluster' ? mesh.cluster.namespace : 'default', authority, options),
      ),
    );
  const { env, workingDirectory, interrupted: signal } = surroundings;
  const { resolveOnFolder } = await import('@gatehouse/dev/folder/destination-on-folder');
  const path = resolvePath(workingDirectory, options.dir);
  return resolveOnFolder({ path, env, signal }, askedIn('default', authority, options));
};

const askedIn = (fallback: string, authority: string, { namespace = fallback, from }: ResolveOptions) => ({
  authority: qualify(authority, namespace),
  from: from === undefined || from.includes('/') ? from : `${namespace}/${from}`,
});

/** A bare name of a Service, with or without a port, is one of the namespace. */
const qualify = (authority: string, namespace: string): string =>
  authority.replace(
    /^([a-z][a-z0-9-]*)(:\d+)?$/i,
    (_, name: string, port = '') => `${name}.${namespace}${port}`,
  );
