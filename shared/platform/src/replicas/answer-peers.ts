import { type TSchema, Type } from 'typebox';
import type { AdminApp } from '../http/admin-app.ts';
import type { ReplicaName } from './replicas.ts';

/** Where replicas ask each other. Whatever is below it is served to them alone (`require-peer.ts`). */
export const internalPrefix = '/internal';

/**
 * Serves `/internal/v1/PATH` to other replicas. The answer is about this process alone: a replica that is asked by another
 * never asks a third.
 */
export const answerPeers = (
  app: AdminApp,
  self: ReplicaName,
  route: {
    readonly path: string;
    readonly querystring: TSchema;
    readonly answer: TSchema;
    /** Gets the query once it fits its schema. */
    readonly own: (query: unknown) => unknown;
  },
): void => {
  const { path, querystring, answer, own } = route;
  app.get(
    `${internalPrefix}/v1/${path}`,
    {
      config: { access: 'replicas' },
      schema: {
        hide: true,
        querystring,
        response: { 200: Type.Object({ replica: Type.String(), instance: Type.String(), answer }) },
      },
    },
    async ({ query }) => ({ replica: self.name, instance: self.instance, answer: own(query) }),
  );
};
