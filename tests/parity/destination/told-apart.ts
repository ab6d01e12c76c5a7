import type { WireObject } from '@gatehouse/testing/real-cluster';
import type { Described } from '../differences.ts';
import type { Answer, Question } from './answer.ts';
import { here } from './random-cluster.ts';

/** A difference that random clusters do not go to. */
export interface ToldApart extends Described {
  readonly objects: readonly WireObject[];
  readonly question: Question;
  readonly said: Readonly<Record<'linkerd' | 'gatehouse', string>>;
}

const endpointSet = 'services/destination/src/core/endpoints/endpoint-set.test.ts';
const metadata = (name: string, more: WireObject = {}): WireObject => ({ namespace: here, name, ...more });
const proxy = {
  name: 'linkerd-proxy',
  image: 'image',
  env: [
    { name: 'LINKERD2_PROXY_INBOUND_LISTEN_ADDR', value: '0.0.0.0:4143' },
    { name: 'LINKERD2_PROXY_ADMIN_LISTEN_ADDR', value: '0.0.0.0:4191' },
    { name: 'LINKERD2_PROXY_CONTROL_LISTEN_ADDR', value: '0.0.0.0:4190' },
  ],
};
const pod = (
  name: string,
  said: { readonly spec?: WireObject; readonly status?: WireObject } = {},
): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: metadata(name, { labels: { app: 'a', 'linkerd.io/control-plane-ns': 'gatehouse' } }),
  spec: {
    containers: [{ name: 'main', image: 'image', ports: [{ containerPort: 8080 }] }, proxy],
    ...said.spec,
  },
  status: {
    phase: 'Running',
    podIP: '10.1.0.1',
    podIPs: [{ ip: '10.1.0.1' }],
    conditions: [{ type: 'Ready', status: 'True' }],
    ...said.status,
  },
});
const service: WireObject = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadata('a'),
  spec: {
    clusterIP: '10.96.7.1',
    selector: { app: 'a' },
    ports: [{ name: 'http', port: 80, targetPort: 8080 }],
  },
};
const slice = (...endpoints: readonly WireObject[]): WireObject => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: metadata('a-1', { labels: { 'kubernetes.io/service-name': 'a' } }),
  addressType: 'IPv4',
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  endpoints,
});
const ofPod = (name: string, address = '10.1.0.1'): WireObject => ({
  addresses: [address],
  conditions: { ready: true },
  targetRef: { kind: 'Pod', namespace: here, name },
});
const server = (name: string, proxyProtocol: string): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1beta3',
  kind: 'Server',
  metadata: metadata(name),
  spec: { podSelector: {}, port: 8080, proxyProtocol },
});
const get: Question = { method: 'Get', path: `a.${here}.svc.cluster.local:80`, contextToken: '' };
const profile: Question = { method: 'GetProfile', path: '10.1.0.1:8080', contextToken: '' };
const name = `dns default.${here}.serviceaccount.identity.gatehouse.cluster.local`;

export const destinationToldApart: readonly ToldApart[] = [
  {
    name: 'Several Servers on one port, of which a younger one is opaque',
    reason:
      'the oldest decides whether clients send bytes, as it decides in policies; in Linkerd any opaque one is enough',
    shownBy: {
      file: 'shared/core/src/mesh/opaque-port.test.ts',
      title: 'a port is opaque to clients by its oldest Server, else its annotation, else the default list',
    },
    // Equally old by the second, so that the name decides.
    objects: [
      service,
      pod('p'),
      slice(ofPod('p')),
      server('a-first', 'HTTP/1'),
      server('b-second', 'opaque'),
    ],
    question: get,
    said: { linkerd: `10.1.0.1:8080 ${name} opaque 4143`, gatehouse: `10.1.0.1:8080 ${name} h2 4143` },
  },
  {
    name: 'A meshed pod on the network of its node',
    reason: 'is plaintext, as no proxy stands before it; in Linkerd an identity is demanded of it',
    shownBy: { file: endpointSet, title: 'a pod on its host network, before which no proxy stands' },
    objects: [service, pod('p', { spec: { hostNetwork: true } }), slice(ofPod('p'))],
    question: get,
    said: { linkerd: `10.1.0.1:8080 ${name} h2 4143`, gatehouse: '10.1.0.1:8080 plaintext' },
  },
  {
    name: 'An ExternalWorkload whose identity no proxy can use',
    reason: 'is no endpoint; Linkerd sends it, and proxies speak plaintext to it',
    shownBy: {
      file: 'services/destination/src/core/endpoints/external-workload.test.ts',
      title:
        'one without an identity that a proxy can demand is left out, for it would be spoken to in plaintext',
    },
    objects: [
      service,
      {
        apiVersion: 'workload.linkerd.io/v1beta1',
        kind: 'ExternalWorkload',
        metadata: metadata('vm'),
        spec: {
          meshTLS: { identity: 'no identity', serverName: 'vm.example' },
          workloadIPs: [{ ip: '172.16.0.9' }],
        },
      },
      slice({
        addresses: ['172.16.0.9'],
        conditions: { ready: true },
        targetRef: { kind: 'ExternalWorkload', namespace: here, name: 'vm' },
      }),
    ],
    question: get,
    said: { linkerd: '172.16.0.9:8080 uri no identity as vm.example h2 4143', gatehouse: 'no endpoints' },
  },
  {
    name: 'An address that several pods have',
    reason: 'is that of the pod whose kubelet took it up last, if that is known; Linkerd refuses to answer',
    shownBy: {
      file: 'services/destination/src/core/profile/profile.test.ts',
      title: 'an address that two pods claim: the one started last has it',
    },
    objects: [
      pod('p', { status: { startTime: '2026-01-01T00:00:00Z' } }),
      pod('q', { status: { startTime: '2026-01-02T00:00:00Z' } }),
    ],
    question: profile,
    said: { linkerd: 'failed-precondition', gatehouse: `10.1.0.1:8080 ${name} h2 4143` },
  },
  {
    name: 'The profile of a pod that is Pending',
    reason: 'has its identity: its proxy may listen already; in Linkerd only once the pod runs',
    shownBy: {
      file: 'services/destination/src/core/profile/profile.test.ts',
      title: 'a pod that is still Pending, whose proxy may listen already',
    },
    objects: [pod('p', { status: { phase: 'Pending' } })],
    question: profile,
    said: { linkerd: '10.1.0.1:8080 plaintext', gatehouse: `10.1.0.1:8080 ${name} h2 4143` },
  },
  {
    name: 'The opaque ports of a Service whose last client has left',
    reason: 'are told to the next one; in Linkerd the first who follows it again hears of none',
    shownBy: {
      file: 'services/destination/src/core/profile/profile.test.ts',
      title: 'a Service whose annotation lists the port',
    },
    objects: [
      { ...service, metadata: metadata('a', { annotations: { 'config.linkerd.io/opaque-ports': '80' } }) },
    ],
    question: { method: 'GetProfile', path: `a.${here}.svc.cluster.local:80`, contextToken: '' },
    said: { linkerd: 'no endpoint', gatehouse: 'no endpoint, opaque' },
  },
];

/** In one line. */
export const summaryOf = (answer: Answer): string => {
  switch (answer.kind) {
    case 'refused':
      return answer.code;
    case 'endpoints':
      return (
        Object.entries(answer.endpoints)
          .map(
            ([address, { identity, hint }]) =>
              `${address} ${identity === '' ? 'plaintext' : `${identity} ${hint}`}`,
          )
          .join(', ') || 'no endpoints'
      );
    case 'profile': {
      const { endpoint, opaque } = answer;
      if (endpoint === undefined) return opaque ? 'no endpoint, opaque' : 'no endpoint';
      const { address, identity, hint } = endpoint;
      return `${address} ${identity === '' ? 'plaintext' : `${identity} ${hint}`}`;
    }
  }
};
