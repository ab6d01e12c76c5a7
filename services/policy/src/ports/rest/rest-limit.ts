import type { InboundProtocol } from '@gatehouse/core/inbound/inbound-server';
import { rateLimitOf } from '@gatehouse/core/inbound/rate-limit';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { Type } from 'typebox';
import { Behind, behind, nullable } from './rest-object.ts';

/** How far the requests of a port are limited, in each proxy by itself. */
export const LimitItem = Type.Object({
  by: nullable(Behind),
  total: nullable(Type.Integer(), { description: 'Requests a second of all clients together' }),
  identity: nullable(Type.Integer(), {
    description: 'Requests a second of each identity; all clients without one count as one',
  }),
  overrides: Type.Array(
    Type.Object({ requestsPerSecond: Type.Integer(), identities: Type.Array(Type.String()) }),
    { description: 'In place of `identity`, for the clients of each together' },
  ),
});
export type LimitItem = Type.Static<typeof LimitItem>;

export const limitItem = (protocol: InboundProtocol, namespace: string): LimitItem | null => {
  const limit = rateLimitOf(protocol);
  if (limit === undefined) return null;
  const { meta, total = null, identity = null, overrides } = limit;
  return {
    by: meta === undefined ? null : behind(meta, namespace),
    total,
    identity,
    overrides: overrides.map(({ requestsPerSecond, identities }) => ({
      requestsPerSecond,
      identities: identities.map(printIdentity),
    })),
  };
};
