import { GatehouseError } from '@gatehouse/core/error';
import {
  type Authority,
  completeServiceName,
  parseAuthority,
  printAuthority,
} from '@gatehouse/core/mesh/service-authority';
import { printProblem } from '@gatehouse/core/problem';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { namespaceQuery, pageOf, pageQuery, paginate } from '@gatehouse/platform/http/page';
import { permittedPage, requireRead } from '@gatehouse/platform/http/permitted';
import { Type } from 'typebox';
import type { Cluster } from '../../core/cluster.ts';
import { compileEndpointSet } from '../../core/endpoints/endpoint-set.ts';
import { type ClientPlace, endpointsFor } from '../../core/endpoints/filter.ts';
import { leftOut } from '../../core/endpoints/left-out.ts';
import { compileProfile } from '../../core/profile/profile.ts';
import { compileClientPlace } from '../../core/target/client-place.ts';
import type { ClusterWatch } from '../watch.ts';
import { profileItem } from './profile-item.ts';
import { Resolution } from './resolution.ts';
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
        const question = readQuestion(request.query, cluster);
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

const onlyPort = ({ meta, spec }: KubeObject<'Service'>): number => {
  const [only, ...others] = spec.ports;
  if (only !== undefined && others.length === 0) return only.port;
  const ports = spec.ports.map(({ port }) => port).join(', ');
  throw new GatehouseError(
    'invalid-argument',
    ports === ''
      ? `${meta.namespace}/${meta.name} declares no port: say which with \`port\``
      : `${meta.namespace}/${meta.name} has the ports ${ports}: say which with \`port\``,
  );
};

interface Question {
  readonly target: Authority;
  readonly from: { readonly namespace: string; readonly pod: string } | undefined;
}

interface Asked {
  readonly authority: string;
  readonly from?: string | undefined;
}

const readQuestion = ({ authority, from }: Asked, cluster: Cluster): Question => {
  const client = readFrom(from);
  const whole = completeAuthority(authority, client?.namespace ?? 'default', cluster);
  const parsed = parseAuthority(whole, cluster.settings.clusterDomain);
  if (!parsed.ok) {
    const problems = parsed.problems.map((problem) => printProblem({ ...problem, field: 'authority' }));
    throw new GatehouseError('invalid-argument', problems.join('; '));
  }
  return { target: parsed.value, from: client };
};

/** What people write in short, as proxies ask; without a port that of a Service which has only one. */
const completeAuthority = (text: string, namespace: string, cluster: Cluster): string => {
  const { clusterDomain } = cluster.settings;
  const [, host = '', port] = /^([a-z0-9-]+(?:\.[a-z0-9-]+)?(?:\.svc)?)(?::(\d+))?$/i.exec(text) ?? [];
  if (host === '' || /^\d+(?:\.\d+)?$/.test(host)) return text;
  const name = completeServiceName(host, { namespace, clusterDomain });
  if (port !== undefined) return `${name}:${port}`;
  const named = parseAuthority(name, clusterDomain);
  const service =
    named.ok && named.value.kind === 'service'
      ? cluster.index.get('Service', named.value.namespace, named.value.name)
      : undefined;
  return service === undefined ? name : `${name}:${onlyPort(service)}`;
};

const readFrom = (from: string | undefined): Question['from'] => {
  if (from === undefined) return undefined;
  const [namespace = '', pod = '', ...rest] = from.split('/');
  if (namespace === '' || pod === '' || rest.length > 0) {
    throw new GatehouseError('invalid-argument', `\`from\` must be namespace/pod, not \`${from}\``);
  }
  return { namespace, pod };
};

/** As the schema has it. */
const mostLeftOut = 100;

const resolve = (cluster: Cluster, { target, from }: Question): Resolution => {
  const { clusterDomain } = cluster.settings;
  const client = placeOf(cluster, from);
  const profile = compileProfile(cluster, { target, clientNamespace: from?.namespace ?? '' }).value;
  const answer = {
    target: printAuthority(target, clusterDomain),
    client: { ...client },
    profile: profileItem(profile, cluster, client.zone),
  };
  if (target.kind === 'address') return { ...answer, get: null };
  const set = compileEndpointSet(cluster, target).value;
  const service = cluster.index.get('Service', target.namespace, target.name);
  if (set.kind !== 'endpoints' || service === undefined)
    return { ...answer, get: { kind: set.kind, endpoints: [], leftOut: [] } };
  const given = endpointsFor(set.endpoints, set.rules, client);
  const { namespace } = target;
  const endpoints = given.map((endpoint) =>
    endpointItem(endpoint, { cluster, namespace, clientZone: client.zone }),
  );
  const asked = { service, port: target.port };
  // Of one instance nobody expects the others.
  const others = target.instance === undefined ? leftOut(cluster, asked, { set, given }) : [];
  return { ...answer, get: { kind: set.kind, endpoints, leftOut: others.slice(0, mostLeftOut) } };
};

const placeOf = (cluster: Cluster, from: Question['from']): ClientPlace => {
  if (from === undefined) return { nodeName: '', zone: '' };
  const { namespace, pod } = from;
  if (cluster.index.get('Pod', namespace, pod) === undefined) {
    throw new GatehouseError('not-found', `there is no pod ${namespace}/${pod}`);
  }
  return compileClientPlace(cluster, { namespace, nodeName: '', pod }).value;
};
