import assert from 'node:assert/strict';
import { injectPod, type PodInjection } from '@gatehouse/core/injection/inject-pod';
import type { PodToInject } from '@gatehouse/core/injection/pod-to-inject';
import { parseProxySettings } from '@gatehouse/core/injection/proxy-settings';

const mesh = (settings: unknown = {}) => {
  const parsed = parseProxySettings(settings);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return {
    settings: parsed.value,
    trustAnchors: { pem: '-----BEGIN CERTIFICATE-----\n', sha256: 'a1' },
    createdBy: 'a test',
  };
};

/** What a test says of a pod; the rest is a web server that asks for a proxy, in namespace `demo`. */
export interface Said {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly namespace?: PodToInject['namespace'];
  readonly owner?: PodToInject['owner'];
  readonly policies?: NonNullable<PodToInject['policies']>;
}

const enabled = { 'linkerd.io/inject': 'enabled' };

/** What becomes of the pod. */
export const inject = (
  { annotations = {}, labels = {}, spec = {}, namespace, owner, policies }: Said,
  settings?: unknown,
) =>
  injectPod(
    {
      template: {
        metadata: { labels: { app: 'web', ...labels }, annotations: { ...enabled, ...annotations } },
        spec: {
          containers: [{ name: 'app', image: 'an/app', ports: [{ containerPort: 8080, name: 'http' }] }],
          ...spec,
        },
      },
      namespace: namespace ?? { name: 'demo', annotations: {} },
      owner,
      ...(policies === undefined ? {} : { policies }),
    },
    mesh(settings),
  );

export interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly [field: string]: unknown;
}

/** What was added, by path. */
export const additionsOf = (injection: PodInjection): ReadonlyMap<string, unknown> => {
  assert.equal(injection.kind, 'injected', JSON.stringify(injection));
  assert.ok(injection.kind === 'injected');
  return new Map(injection.patch.map(({ path, value }) => [path, value]));
};

export const containersOf = (injection: PodInjection): readonly Container[] =>
  [...additionsOf(injection)].flatMap(([path, value]) =>
    /^\/spec\/(?:initC|c)ontainers/.test(path)
      ? ((Array.isArray(value) ? value : [value]) as Container[])
      : [],
  );

export const proxyOf = (injection: PodInjection): Container => {
  const proxy = containersOf(injection).find(({ name }) => name === 'linkerd-proxy');
  assert.ok(proxy);
  return proxy;
};

/** Of the proxy. */
export const environmentOf = (injection: PodInjection): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries((proxyOf(injection).env ?? []).map(({ name, value }) => [name, value]));

/** Of proxy-init, on one line. */
export const initArgs = (injection: PodInjection): string =>
  (containersOf(injection).find(({ name }) => name === 'linkerd-init')?.args ?? []).join(' ');
