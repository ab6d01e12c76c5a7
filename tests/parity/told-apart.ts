import { setTimeout as sleep } from 'node:timers/promises';
import type { Meta } from '@gatehouse/core/inbound/inbound-server';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import type { Described } from './differences.ts';
import { aNamespace } from './parity-run.ts';
import { here } from './random-parts.ts';
import {
  type Answer,
  externalWorkload,
  podWorkload,
  type Side,
  type TwoControllers,
  whyNoRow,
} from './two-controllers.ts';

/** A difference that would spread too far in random clusters, so that it stands by itself. */
export interface ToldApart extends Described {
  /** Written one after the other; all of it is removed afterwards. */
  readonly writes: readonly (readonly WireObject[])[];
  /** Whose port; the pod's, unless it says otherwise. */
  readonly workload?: string;
  /** Who governs port 8080, whom it admits and by which routes. */
  readonly said: Readonly<Record<Side, string>>;
}

const group = 'policy.linkerd.io';
const gateway = 'gateway.networking.k8s.io';
const metadata = (name: string): WireObject => ({ namespace: here, name });
const serverRef = { group, kind: 'Server', name: 'web' };

const pod: WireObject = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { ...metadata('backend'), labels: { 'linkerd.io/control-plane-ns': 'gatehouse' } },
  spec: { containers: [{ name: 'main', image: 'image' }] },
};
const server: WireObject = {
  apiVersion: `${group}/v1beta3`,
  kind: 'Server',
  metadata: metadata('web'),
  spec: { podSelector: {}, port: 8080, accessPolicy: 'all-authenticated' },
};
const httpRoute = (spec: WireObject): WireObject => ({
  apiVersion: `${gateway}/v1`,
  kind: 'HTTPRoute',
  metadata: metadata('pages'),
  spec: { parentRefs: [serverRef], ...spec },
});
const authorization = (spec: WireObject): WireObject => ({
  apiVersion: `${group}/v1alpha1`,
  kind: 'AuthorizationPolicy',
  metadata: metadata('everybody'),
  spec: { targetRef: serverRef, requiredAuthenticationRefs: [], ...spec },
});

const routesTest = {
  file: 'shared/platform/src/kube/parse/http-route.test.ts',
  title: 'every mistake is refused with its path; the route stays attached',
};
const closedByRoute = {
  linkerd: 'server web, detect; admits all-authenticated; routes default',
  gatehouse: 'server web, detect; admits all-authenticated; routes HTTPRoute pages',
};

export const toldApart: readonly ToldApart[] = [
  {
    name: 'An HTTPRoute on a Server that has a GRPCRoute too',
    reason:
      'stays, where the Server speaks HTTP; Linkerd takes it from the Server, and requests that only the route restricted are open',
    shownBy: {
      file: 'services/policy/src/core/inbound/attached-grpc-routes.test.ts',
      title: 'a route of another protocol than the port’s',
    },
    writes: [
      [
        pod,
        server,
        httpRoute({ rules: [{ matches: [{ path: { value: '/pages' } }] }] }),
        {
          apiVersion: `${gateway}/v1`,
          kind: 'GRPCRoute',
          metadata: metadata('calls'),
          spec: { parentRefs: [serverRef] },
        },
      ],
    ],
    said: closedByRoute,
  },
  {
    name: 'A match of a GRPCRoute without a method',
    reason:
      'is about every call with its headers; Linkerd leaves a required field out of its message, and a proxy refuses the whole port',
    shownBy: {
      file: 'shared/platform/src/kube/parse/grpc-route.test.ts',
      title: 'it names services, methods and headers, and changes headers',
    },
    writes: [
      [
        pod,
        { ...server, spec: { ...(server.spec as WireObject), proxyProtocol: 'gRPC' } },
        {
          apiVersion: `${gateway}/v1`,
          kind: 'GRPCRoute',
          metadata: metadata('calls'),
          spec: { parentRefs: [serverRef], rules: [{ matches: [{}] }] },
        },
      ],
    ],
    said: {
      linkerd: 'a message that no proxy can read: protocol.grpc.routes[0].rules[0].matches[0].rpc',
      gatehouse: 'server web, grpc; admits all-authenticated; routes GRPCRoute calls',
    },
  },
  {
    name: "The default policy of a pod's Namespace",
    reason:
      'is read while the pod runs; in Linkerd it is copied when the pod is made, and what changes later is not',
    shownBy: {
      file: 'services/policy/src/core/inbound/default-policy.test.ts',
      title: 'the namespace',
    },
    writes: [[pod], [aNamespace(here, { 'config.linkerd.io/default-inbound-policy': 'audit' })]],
    said: {
      linkerd: 'default cluster-unauthenticated, detect; admits cluster-unauthenticated; routes default',
      gatehouse: 'default audit, detect; admits audit; routes default',
    },
  },
  {
    name: 'The default policy of the Namespace of an ExternalWorkload',
    reason:
      'counts where the workload has no annotation of its own; in Linkerd it does not, as no injector copies it',
    shownBy: {
      file: 'services/policy/src/ports/inbound/external-workload.test.ts',
      title: 'that of its Namespace',
    },
    writes: [
      [
        aNamespace(here, { 'config.linkerd.io/default-inbound-policy': 'audit' }),
        {
          apiVersion: 'workload.linkerd.io/v1beta1',
          kind: 'ExternalWorkload',
          metadata: metadata('vm'),
          spec: { meshTLS: { identity: 'vm.example', serverName: 'vm.example' } },
        },
      ],
    ],
    workload: externalWorkload(here, 'vm'),
    said: {
      linkerd: 'default cluster-unauthenticated, detect; admits cluster-unauthenticated; routes default',
      gatehouse: 'default audit, detect; admits audit; routes default',
    },
  },
  {
    name: 'A route with a filter that the proxy cannot honour',
    reason: 'is rejected and closes its requests; Linkerd ignores the route',
    shownBy: routesTest,
    writes: [
      [
        pod,
        server,
        httpRoute({
          rules: [
            {
              matches: [{ path: { value: '/pages' } }],
              filters: [{ type: 'URLRewrite', urlRewrite: { hostname: 'a' } }],
            },
          ],
        }),
      ],
    ],
    said: closedByRoute,
  },
  {
    name: 'A route whose parentRef names a port or a section of a Server',
    reason: 'is rejected and closes its requests; Linkerd ignores the route',
    shownBy: routesTest,
    writes: [
      [
        pod,
        server,
        httpRoute({
          parentRefs: [{ ...serverRef, port: 8080 }],
          rules: [{ matches: [{ path: { value: '/pages' } }] }],
        }),
      ],
    ],
    said: closedByRoute,
  },
  {
    name: 'A policy object that is changed into one that cannot be read',
    reason:
      'grants nothing from then on; in Linkerd the old one stays in force until the controller restarts',
    shownBy: {
      file: 'services/policy/src/core/inbound/authorize.test.ts',
      title: 'a rejected policy grants nothing',
    },
    writes: [
      [pod, server, authorization({})],
      [authorization({ targetRef: { group: 'apps', kind: 'Deployment', name: 'web' } })],
    ],
    said: {
      linkerd: 'server web, detect; admits all-authenticated, authorizationpolicy everybody; routes default',
      gatehouse: 'server web, detect; admits all-authenticated; routes default',
    },
  },
  {
    name: 'A MeshTLSAuthentication with a name that no certificate can have',
    reason:
      'is rejected, as by the admission of Linkerd, and grants nothing; without that webhook Linkerd takes the other names',
    shownBy: {
      file: 'shared/platform/src/kube/parse/mesh-tls-authentication.test.ts',
      title: 'what no certificate can bear is not a valid identity',
    },
    writes: [
      [
        pod,
        server,
        {
          apiVersion: `${group}/v1alpha1`,
          kind: 'MeshTLSAuthentication',
          metadata: metadata('names'),
          spec: { identities: ['a.*.example', 'web.example'] },
        },
        authorization({
          requiredAuthenticationRefs: [{ group, kind: 'MeshTLSAuthentication', name: 'names' }],
        }),
      ],
    ],
    said: {
      linkerd: 'server web, detect; admits all-authenticated, authorizationpolicy everybody; routes default',
      gatehouse: 'server web, detect; admits all-authenticated; routes default',
    },
  },
];

const saidWithinMs = 15_000;

/** What a controller says otherwise than the table has it. */
export const tellApart = async (controllers: TwoControllers): Promise<readonly string[]> => {
  const wrong: string[] = [];
  for (const { name, writes, workload = podWorkload(here, 'backend'), said } of toldApart) {
    for (const put of writes) await controllers.write({ put });
    const deadline = Date.now() + saidWithinMs;
    for (const side of ['linkerd', 'gatehouse'] as const) {
      for (;;) {
        const answers = await controllers.ask(workload, 8080);
        const found = summaryOf(answers[side]);
        if (found === said[side]) break;
        if (Date.now() > deadline) {
          wrong.push(`${name}: ${side} says “${found}”`);
          break;
        }
        await sleep(50);
      }
    }
    const objects = writes.flat();
    await controllers.write({
      put: [aNamespace(here)],
      remove: objects.filter(({ kind }) => kind !== 'Namespace'),
    });
  }
  return wrong;
};

const nameOf = (meta: Meta): string =>
  meta.kind === 'default' ? meta.name : `${meta.resource.kind} ${meta.resource.name}`;

const summaryOf = (answer: Answer): string => {
  if (answer.kind !== 'row') return whyNoRow(answer);
  const { meta, protocol, authorizations } = answer.server;
  const governor = meta.kind === 'default' ? `default ${meta.name}` : nameOf(meta);
  const admits = authorizations.map((one) => nameOf(one.meta)).sort();
  const routes = 'routes' in protocol ? protocol.routes.map((one) => nameOf(one.meta)) : ['none'];
  return `${governor}, ${protocol.kind}; admits ${admits.join(', ')}; routes ${routes.join(', ')}`;
};
