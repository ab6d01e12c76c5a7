import { GatehouseError } from '@gatehouse/core/error';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery, paginate } from '@gatehouse/platform/http/page';
import { permittedPage, requireRead } from '@gatehouse/platform/http/permitted';
import { Type } from 'typebox';
import type { Cluster } from '../../core/cluster.ts';
import { compileEndpointSet } from '../../core/endpoints/endpoint-set.ts';
import type { ClusterWatch } from '../watch.ts';
import { Resolution } from './resolution.ts';
import { onlyPort, readQuestion, resolve } from './resolve.ts';
import { EndpointItem, endpointItem, ServiceItem, serviceItem } from './rest-items.ts';

const asked = {
  authority: Type.String({
    description:
      'As proxies ask: service.namespace.svc.DOMAIN:port, or IP:port; or in short: service:port, service.namespace:port',
  }),
  from: Type.Optional(Type.String({ description: 'The pod that asks, namespace/name; default: nowhere' })),
};

/** The REST API of destination beside what every service has (design §9). It answers from what is known now. */
export const destinationRoutes =
  (watch: Pick<ClusterWatch, 'cluster' | 'isReady'>) =>
  (app: AdminApp): void => {
    const known = (): Cluster => {
      if (watch.isReady) return watch.cluster;
      throw new GatehouseError('unavailable', 'the cluster has not been listed yet: try again');
    };
    app.get(
      '/v1/services',
      {
        config: { access: { reads: 'services' } },
        schema: {
          summary: 'Services, with the ports that Get answers for',
          querystring: Type.Object({ ...pageQuery, ...namespaceQuery }),
          response: { 200: pageOf(ServiceItem) },
        },
      },
      async (request) => {
        const { query } = request;
        const { index, settings } = known();
        const services =
          query.namespace === undefined
            ? index.all('Service')
            : index.in('Service', query.namespace).values();
        const page = await permittedPage(request, services, {
          keyOf: ({ meta }) => `${meta.namespace}/${meta.name}`,
          namespaceOf: ({ meta }) => meta.namespace,
          query,
        });
        return { ...page, items: page.items.map((service) => serviceItem(service, settings)) };
      },
    );
    app.get(
      '/v1/services/:namespace/:name/endpoints',
      {
        config: { access: { reads: 'endpoints' } },
        schema: {
          summary: "Everything behind a Service's port, before a client's node and zone choose",
          params: Type.Object({ namespace: Type.String(), name: Type.String() }),
          querystring: Type.Object({
            ...pageQuery,
            port: Type.Optional(
              Type.Integer({ minimum: 1, maximum: 65535, description: 'Default: the only one it has' }),
            ),
          }),
          response: { 200: pageOf(EndpointItem) },
        },
      },
      async ({ params: { namespace, name }, query }) => {
        const cluster = known();
        const service = cluster.index.get('Service', namespace, name);
        if (service === undefined) {
          throw new GatehouseError('not-found', `there is no Service ${namespace}/${name}`);
        }
        const port = query.port ?? onlyPort(service);
        const target = { kind: 'service', namespace, name, port, instance: undefined } as const;
        const { value: set } = compileEndpointSet(cluster, target);
        const endpoints = set.kind === 'endpoints' ? set.endpoints : [];
        const page = paginate(endpoints, ({ key }) => key, query);
        return {
          ...page,
          items: page.items.map((endpoint) => endpointItem(endpoint, { cluster, namespace })),
        };
      },
    );
    app.get(
      '/v1/resolve',
      {
        config: { access: { reads: 'endpoints' } },
        schema: {
          summary: 'What Get and GetProfile tell a client of an authority',
          querystring: Type.Object(asked),
          response: { 200: Resolution },
        },
      },
      async (request) => {
        const cluster = known();
        const question = readQuestion(request.query, cluster.settings.clusterDomain);
        // Whose an address is, is part of the answer: a caller that asks by address must be allowed to see all.
        await requireRead(
          request,
          question.target.kind === 'address' ? undefined : question.target.namespace,
        );
        if (question.from !== undefined) await requireRead(request, question.from.namespace);
        return resolve(cluster, question);
      },
    );
  };
