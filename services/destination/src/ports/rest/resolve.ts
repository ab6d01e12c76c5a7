import { GatehouseError } from '@gatehouse/core/error';
import {
  type Authority,
  completeServiceName,
  parseAuthority,
  printAuthority,
} from '@gatehouse/core/mesh/service-authority';
import { printProblem } from '@gatehouse/core/problem';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Cluster } from '../../core/cluster.ts';
import { compileEndpointSet } from '../../core/endpoints/endpoint-set.ts';
import { type ClientPlace, endpointsFor } from '../../core/endpoints/filter.ts';
import { leftOut } from '../../core/endpoints/left-out.ts';
import { compileProfile } from '../../core/profile/profile.ts';
import { compileClientPlace } from '../../core/target/client-place.ts';
import { profileItem } from './profile-item.ts';
import type { Resolution } from './resolution.ts';
import { endpointItem } from './rest-items.ts';

/** The question and its client; read without a look at the cluster, since the caller may not be allowed to see it. */
export interface Question {
  readonly target: Authority;
  /** A Service that is named in short, without a port, is meant by the only one that it has. */
  readonly port: 'said' | 'the only one';
  readonly from: { readonly namespace: string; readonly pod: string } | undefined;
}

export interface Asked {
  readonly authority: string;
  readonly from?: string | undefined;
}

export const readQuestion = ({ authority, from }: Asked, clusterDomain: string): Question => {
  const client = readFrom(from);
  const short = inShort(authority);
  const whole =
    short === undefined
      ? authority
      : `${completeServiceName(short.host, { namespace: client?.namespace ?? 'default', clusterDomain })}${short.port}`;
  const parsed = parseAuthority(whole, clusterDomain);
  if (!parsed.ok) {
    const problems = parsed.problems.map((problem) => printProblem({ ...problem, field: 'authority' }));
    throw new GatehouseError('invalid-argument', problems.join('; '));
  }
  return { target: parsed.value, port: short?.port === '' ? 'the only one' : 'said', from: client };
};

/** `backend`, `backend.demo`, `backend.demo.svc`, with or without a port; undefined for what is said in full. */
const inShort = (text: string): { readonly host: string; readonly port: string } | undefined => {
  const [, host = '', port = ''] = /^([a-z0-9-]+(?:\.[a-z0-9-]+)?(?:\.svc)?)(:\d+)?$/i.exec(text) ?? [];
  return host === '' || /^\d+(?:\.\d+)?$/.test(host) ? undefined : { host, port };
};

const readFrom = (from: string | undefined): Question['from'] => {
  if (from === undefined) return undefined;
  const [namespace = '', pod = '', ...rest] = from.split('/');
  if (namespace === '' || pod === '' || rest.length > 0) {
    throw new GatehouseError('invalid-argument', `\`from\` must be namespace/pod, not \`${from}\``);
  }
  return { namespace, pod };
};

const withPort = ({ index }: Cluster, { target, port }: Question): Authority => {
  if (port === 'said' || target.kind === 'address') return target;
  const service = index.get('Service', target.namespace, target.name);
  return service === undefined ? target : { ...target, port: onlyPort(service) };
};

export const onlyPort = ({ meta, spec }: KubeObject<'Service'>): number => {
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

/** As the schema has it. */
const mostLeftOut = 100;

/** What Get and GetProfile would tell the client now. Throws where the client, or the port that is meant, is not known. */
export const resolve = (cluster: Cluster, question: Question): Resolution => {
  const { clusterDomain } = cluster.settings;
  const { from } = question;
  const target = withPort(cluster, question);
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
  // A question about one instance does not expect the others.
  const others = target.instance === undefined ? leftOut(cluster, asked, { set, given }) : [];
  return { ...answer, get: { kind: set.kind, endpoints, leftOut: others.slice(0, mostLeftOut) } };
};

const placeOf = (cluster: Cluster, from: Question['from']): ClientPlace => {
  if (from === undefined) return { nodeName: '', zone: '' };
  const { namespace, pod } = from;
  if (cluster.index.get('Pod', namespace, pod) === undefined) {
    throw new GatehouseError('not-found', `\`from\`: the pod ${namespace}/${pod} is not found`);
  }
  return compileClientPlace(cluster, { namespace, nodeName: '', pod }).value;
};
