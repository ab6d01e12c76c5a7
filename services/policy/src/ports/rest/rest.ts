import { GatehouseError } from '@gatehouse/core/error';
import { parseAuthority, printAuthority } from '@gatehouse/core/mesh/service-authority';
import { printProblem } from '@gatehouse/core/problem';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery } from '@gatehouse/platform/http/page';
import { permittedPage, requireRead } from '@gatehouse/platform/http/permitted';
import { Type } from 'typebox';
import type { ClusterConfig } from '../../core/inbound/model.ts';
import type { OutboundConfig } from '../../core/outbound/compile.ts';
import type { OutboundPolicy } from '../../core/outbound/model.ts';
import { outboundFromIndex } from '../../core/outbound/outbound-from-index.ts';
import { encodedRow } from '../encoded-row.ts';
import { encodeOutbound } from '../outbound/encode-outbound.ts';
import type { PolicyWatch } from '../policy-watch.ts';
import { authorizingItems } from './authorizing-items.ts';
import { judgementRoutes } from './policy-routes.ts';
import {
  authorizingKey,
  authorizingNamespace,
  authorizingObjects,
  type KnownPolicies,
} from './rest-authorizations.ts';
import { AuthorizingObject } from './rest-authorizing-object.ts';
import { workloadRoutes } from './workload-routes.ts';

export interface RestParts {
  readonly watch: Pick<
    PolicyWatch,
    'index' | 'requireReady' | 'settle' | 'look' | 'survey' | 'surveyKey' | 'sourcesOf' | 'judge'
  >;
  readonly settings: ClusterConfig & OutboundConfig;
}

const port = Type.Integer({ minimum: 1, maximum: 65_535 });

const OutboundReport = Type.Object({
  service: Type.Object({ namespace: Type.String(), name: Type.String(), port }),
  version: Type.String({ description: 'Hash of the bytes that clients are sent' }),
  protocol: Type.String({
    description:
      '`detect`, `http1`, `http2`, `opaque`, or `forbidden` for a port that the Service does not declare',
  }),
  backends: Type.Array(Type.String(), {
    description: 'What clients balance over, as they ask destination for it',
  }),
});

/** The REST API of policy beside what every service has (design §9). It answers from what is known now. */
export const policyRoutes =
  ({ watch, settings }: RestParts) =>
  (app: AdminApp): void => {
    const { clusterDomain } = settings;
    const { index, sourcesOf, judge } = watch;
    const known: KnownPolicies = { index, cluster: settings, sourcesOf, judge };
    const settled = (): void => {
      watch.requireReady();
      watch.settle();
    };
    app.get(
      '/v1/authorizations',
      {
        config: { access: { reads: 'authorizations' } },
        schema: {
          summary: 'Who may call whom: every object that admits clients or keeps them out, and whom',
          querystring: Type.Object({ ...pageQuery, ...namespaceQuery }),
          response: { 200: pageOf(AuthorizingObject) },
        },
      },
      async (request) => {
        const { query, signal } = request;
        settled();
        const page = await permittedPage(request, authorizingObjects(known, query.namespace), {
          keyOf: authorizingKey,
          namespaceOf: authorizingNamespace,
          query,
        });
        return { ...page, items: await authorizingItems(page.items, known, signal) };
      },
    );

    judgementRoutes({ index, judge }, settled)(app);

    const { look, survey, surveyKey } = watch;
    workloadRoutes({ index, cluster: settings, look, survey, surveyKey, sourcesOf, judge }, settled)(app);

    app.get(
      '/v1/outbound',
      {
        config: { access: { reads: 'outboundpolicies' } },
        schema: {
          summary: 'How a client is told to reach a Service',
          querystring: Type.Object({
            to: Type.String({ description: 'service.namespace.svc.DOMAIN[:port], or ClusterIP[:port]' }),
            from: Type.Optional(
              Type.String({ description: 'The pod that asks, namespace/name; makes no difference yet' }),
            ),
          }),
          response: { 200: OutboundReport },
        },
      },
      async (request) => {
        const { to, from } = request.query;
        const parsed = parseAuthority(to, clusterDomain);
        if (!parsed.ok) {
          const problems = parsed.problems.map((problem) => printProblem({ ...problem, field: 'to' }));
          throw new GatehouseError('invalid-argument', problems.join('; '));
        }
        const target = parsed.value;
        // Whose an address is, is part of the answer: anyone who asks by address must be allowed to see all.
        await requireRead(request, target.kind === 'address' ? undefined : target.namespace);
        if (from !== undefined) await requireRead(request, from.split('/', 1)[0]);
        settled();
        const policy = outboundFromIndex(index, target, settings);
        if (policy !== undefined) return outboundReport(policy);
        throw new GatehouseError(
          'not-found',
          `no Service answers at ${printAuthority(target, clusterDomain)}`,
        );
      },
    );
  };

const outboundReport = (policy: OutboundPolicy) => {
  const { service, protocol } = policy;
  return {
    service: { ...service },
    version: encodedRow(encodeOutbound(policy)).version,
    protocol: protocol.kind,
    backends: protocol.kind === 'forbidden' ? [] : [protocol.backend.destination],
  };
};
