import assert from 'node:assert/strict';
import test from 'node:test';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { everywhere } from '@gatehouse/core/ip-network';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { noPorts } from '@gatehouse/core/port-set';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import {
  aGatewayHttpRoute,
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aPod,
  aRejected,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { compileFromIndex } from '../compile-from-index.ts';
import type { ClusterConfig } from '../model.ts';
import { defaultRowBudgets } from '../row-budgets.ts';
import { type InboundKind, type InboundKinds, inboundKinds, watchedForInbound } from './inbound-kinds.ts';
import { InboundRows } from './inbound-rows.ts';
import { RowCompiler } from './row-compiler.ts';
import type { EncodedRow, RowUpdate } from './watched-row.ts';
import type { InboundWatch } from './workload-class.ts';

const cluster: ClusterConfig = {
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  defaultPolicy: 'deny',
  clusterNetworks: [],
  probeNetworks: everywhere,
  defaultOpaquePorts: noPorts,
  detectTimeoutMs: 10_000,
  rowBudgets: defaultRowBudgets,
};
const matchesRegex = (): boolean => false;

const print = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}n` : inner));
const encode = (server: InboundServer): EncodedRow => ({
  bytes: Buffer.from(print(server)),
  version: print(server),
  refresh: true,
});

/** Everything is compiled at once. */
const never = (): boolean => false;
/** One row is. */
const always = (): boolean => true;

/** A reader that remembers what it was told. */
interface Reader {
  readonly pod: string;
  readonly versions: string[];
  ended: boolean;
}

/** The rows behind an index, with readers that hear what the streams of a service would. */
class Bench {
  readonly index = new ResourceIndex();
  readonly compiler: RowCompiler;
  readonly rows: InboundRows<Reader>;
  readonly watches = new Map<Reader, InboundWatch<Reader>>();

  constructor(kinds: InboundKinds = inboundKinds) {
    const { index } = this;
    this.compiler = new RowCompiler({ index, cluster, matchesRegex, encode, kinds });
    this.rows = new InboundRows<Reader>({ index, compiler: this.compiler, mesh: cluster.mesh });
  }

  apply(...changes: readonly Change[]): void {
    this.take(...changes);
    this.compile(never);
  }

  /** As `apply`, but what it concerns waits. */
  take(...changes: readonly Change[]): void {
    this.#tell(this.rows.apply(this.index.apply(changes)));
  }

  compile(isOver: () => boolean): void {
    this.#tell(this.rows.compile(isOver));
  }

  #tell({ sends, gone }: RowUpdate<Reader>): void {
    for (const { encoded, watches } of sends)
      for (const { reader } of watches) reader.versions.push(encoded.version);
    for (const reader of gone) {
      reader.ended = true;
      this.watches.delete(reader);
    }
  }

  put(...objects: readonly KubeObject[]): void {
    this.apply(...objects.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change));
  }

  remove(...objects: readonly KubeObject[]): void {
    this.apply(...objects.map(({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as Change));
  }

  watch(namespace: string, pod: string, port: number): Reader {
    const reader: Reader = { pod: `${namespace}/${pod}`, versions: [], ended: false };
    const watch = this.rows.watch({ namespace, pod, port }, reader);
    assert.ok(watch, `${namespace}/${pod} is expected to be known`);
    const first = this.rows.first(watch);
    if (first !== undefined) reader.versions.push(first.version);
    this.watches.set(reader, watch);
    this.compile(never);
    return reader;
  }

  /** Ends the watch at that place among all; beyond the last it ends none. */
  unwatch(at: number): void {
    const [reader, watch] = [...this.watches][at] ?? [];
    if (reader === undefined || watch === undefined) return;
    this.rows.unwatch(watch);
    this.watches.delete(reader);
  }
}

const namespaceName = fc.constantFrom('demo', 'demo', 'demo', 'other');
const objectName = fc.constantFrom('a', 'b');
const labels = fc.record(
  { app: fc.constantFrom('front', 'back'), tier: fc.constantFrom('x', 'y') },
  { requiredKeys: [], noNullPrototype: true },
);
const selector = fc.oneof(
  labels.map(labelled),
  fc.constant({ matchLabels: {}, matchExpressions: [{ key: 'tier', operator: 'Exists' as const }] }),
);
const portSelector = fc.oneof(
  fc.constantFrom(8080, 9000).map((port) => ({ kind: 'range' as const, first: port, last: port })),
  fc.constant({ kind: 'name' as const, name: 'http' }),
);
const named = { namespace: namespaceName, name: objectName };
const createdAt = fc.constantFrom(0, 1);
const plain = { noNullPrototype: true };

const anyPod = fc
  .record(
    {
      namespace: namespaceName,
      name: fc.constantFrom('a', 'b', 'c'),
      labels,
      age: fc.constantFrom({}, { startedAt: 1 }, { startedAt: 2 }, { startedAt: 2, deletedAt: 3 }),
      uid: fc.constantFrom('one', 'two'),
      ips: fc.subarray(['10.0.0.1', '10.0.0.2', 'fd00::1']),
      serviceAccount: fc.constantFrom('default', 'web'),
      phase: fc.constantFrom('Running' as const, 'Running' as const, 'Succeeded' as const),
      hostNetwork: fc.constantFrom(false, false, false, true),
      ready: fc.boolean(),
      meshed: fc.constantFrom(true, true, true, false),
      ports: fc.constantFrom([], [{ name: 'http', port: 8080 }]),
      probes: fc.constantFrom([], [{ kind: 'http' as const, port: 8080, path: '/live' }]),
      unopened: fc.constantFrom([], [{ kind: 'hook' as const, port: 8080, path: '/stop' }]),
      proxyPorts: fc.constantFrom(usualProxyPorts, usualProxyPorts, { ...usualProxyPorts, admin: 8080 }),
    },
    plain,
  )
  .map(({ age, ...pod }) => aPod({ ...pod, ...age }));

const anySource = fc.oneof(
  fc.record({ podSelector: selector }, plain),
  fc.record({ namespaceSelector: fc.constantFrom(labelled({ team: 'red' }), labelled({})) }, plain),
  fc.record({ podSelector: selector, namespaceSelector: fc.constant(labelled({ team: 'red' })) }, plain),
  fc.record({ networks: fc.constant(everywhere) }, plain),
);

const rejected = <
  K extends 'NetworkAuthenticationPolicy' | 'Server' | 'AuthorizationPolicy' | 'MeshTLSAuthentication',
>(
  kind: K,
) =>
  fc
    .record({ ...named, selector })
    .map(({ selector: closed, ...meta }) =>
      aRejected(kind, { closes: { selector: closed, ports: 'all' }, ...meta }),
    );

const rejectedRoute = <K extends 'HTTPRoute' | 'GatewayHTTPRoute'>(kind: K) =>
  fc
    .record({ ...named, attachedTo: fc.constantFrom('all' as const, ['a']) })
    .map(({ attachedTo, ...meta }) => aRejected(kind, { attachedTo, ...meta }));

const usually = <T>(usual: fc.Arbitrary<T>, rare: fc.Arbitrary<T>): fc.Arbitrary<T> =>
  fc.oneof({ weight: 5, arbitrary: usual }, { weight: 1, arbitrary: rare });

const route = fc.record({ ...named, servers: fc.subarray(['a', 'b']) }, plain);

/** Random objects of each kind that rows can depend on. A kind without a row here does not compile. */
const objects = {
  Pod: anyPod,
  Namespace: fc
    .record(
      {
        name: namespaceName,
        labels: fc.constantFrom({}, { team: 'red' }),
        annotations: fc.constantFrom(
          {},
          { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
        ),
      },
      plain,
    )
    .map(aNamespace),
  NetworkAuthenticationPolicy: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          createdAt,
          target: selector,
          ports: fc.oneof(
            fc.constant('all' as const),
            fc.array(portSelector, { minLength: 1, maxLength: 2 }),
          ),
          sources: fc.array(anySource, { minLength: 1, maxLength: 2 }),
          rules: fc.constantFrom(undefined, undefined, [{ methods: ['GET'] }]),
        },
        plain,
      )
      .map(aNetworkAuthenticationPolicy),
    rejected('NetworkAuthenticationPolicy'),
  ),
  Server: usually<KubeObject>(
    fc
      .record(
        { ...named, createdAt, podSelector: fc.option(selector, { nil: undefined }), port: portSelector },
        plain,
      )
      .map(aServer),
    rejected('Server'),
  ),
  AuthorizationPolicy: usually<KubeObject>(
    fc
      .record(
        {
          ...named,
          target: fc.oneof(
            fc.constant({ kind: 'Namespace' as const }),
            fc.record(
              {
                kind: fc.constantFrom('Server' as const, 'HTTPRoute' as const, 'GatewayHTTPRoute' as const),
                name: objectName,
              },
              plain,
            ),
          ),
          authentications: fc.array(
            fc.record(
              {
                kind: fc.constantFrom('MeshTLSAuthentication' as const, 'NetworkAuthentication' as const),
                namespace: namespaceName,
                name: objectName,
              },
              plain,
            ),
            { maxLength: 1 },
          ),
        },
        plain,
      )
      .map(anAuthorizationPolicy),
    rejected('AuthorizationPolicy'),
  ),
  MeshTLSAuthentication: usually<KubeObject>(
    fc
      .record({ ...named, identities: fc.constantFrom([], [{ kind: 'suffix' as const, parts: [] }]) }, plain)
      .map(aMeshTlsAuthentication),
    rejected('MeshTLSAuthentication'),
  ),
  NetworkAuthentication: fc
    .record({ ...named, networks: fc.constantFrom([], everywhere) }, plain)
    .map(aNetworkAuthentication),
  HTTPRoute: usually<KubeObject>(route.map(anHttpRoute), rejectedRoute('HTTPRoute')),
  GatewayHTTPRoute: usually<KubeObject>(route.map(aGatewayHttpRoute), rejectedRoute('GatewayHTTPRoute')),
} satisfies { readonly [K in InboundKind]: fc.Arbitrary<KubeObject> };

/** How often each is drawn; pods and our own policies matter most. */
const weights: Partial<Record<InboundKind, number>> = { Pod: 8, NetworkAuthenticationPolicy: 6, Server: 2 };

const anyObject: fc.Arbitrary<KubeObject> = fc.oneof(
  ...watchedForInbound.map((kind) => ({
    weight: weights[kind] ?? 1,
    arbitrary: objects[kind] as fc.Arbitrary<KubeObject>,
  })),
);

const noProblem = { field: '', found: '', fix: '' };

const anyChange: fc.Arbitrary<Change> = fc.oneof(
  {
    weight: 30,
    arbitrary: anyObject.map((object) => ({ type: 'apply', kind: object.kind, object }) as Change),
  },
  {
    weight: 10,
    arbitrary: anyObject.map(({ kind, meta }) => ({ type: 'delete', kind, ...meta }) as unknown as Change),
  },
  anyObject.map(({ kind }) => ({ type: 'reset', kind, objects: [] }) as Change),
  fc
    .constantFrom<readonly (readonly string[] | 'all')[]>([], [], ['all'], [['demo']], [['other'], ['demo']])
    .map(
      (about): Change => ({
        type: 'unreadable',
        manifests: about.map((namespaces) => ({ path: 'a.yaml', problem: noProblem, namespaces })),
      }),
    ),
);

/** After any batches, once nothing waits, every watched row is what a look at everything would compile, and its readers have it. */
const neverStale = (kinds: InboundKinds) =>
  fc.property(
    fc.array(
      fc.record({
        changes: fc.array(anyChange, { minLength: 1, maxLength: 5 }),
        // How many rows are compiled before the next batch comes.
        slices: fc.constantFrom(0, 1, 'all', 'all', 'all'),
        // Which watches end before it, and which ports are watched from then on, in which order.
        ends: fc.array(fc.nat(100), { maxLength: 4 }),
        ports: fc.shuffledSubarray([8080, 9000, 9001, 4191]),
      }),
      { minLength: 1, maxLength: 25, size: 'max' },
    ),
    (batches) => {
      const bench = new Bench(kinds);
      for (const { changes, slices, ends, ports } of batches) {
        for (const at of ends) bench.unwatch(at);
        bench.take(...changes);
        if (slices === 1) bench.compile(always);
        if (slices !== 'all') continue;
        bench.compile(never);
        for (const [reader, watch] of bench.watches) {
          const pod = bench.index.get('Pod', watch.pod.namespace, watch.pod.name);
          assert.equal(pod?.meta.uid, watch.pod.uid, 'a watch outlived its pod');
          if (pod === undefined) continue;
          const { answer, port } = watch.row;
          const expected = (of: number) => compileFromIndex(bench.index, pod, of, { cluster, matchesRegex });
          // Only sentences name the port, and those are of the one that stands for all that share the row.
          assert.deepEqual(answer?.compiled, expected(port));
          assert.equal(answer.encoded.version, print(expected(watch.port).server));
          assert.equal(reader.versions.at(-1), answer.encoded.version);
        }
        for (const { meta } of bench.index.all('Pod')) {
          if (meta.labels['linkerd.io/control-plane-ns'] === undefined) continue;
          for (const port of ports) {
            const { namespace, name: pod } = meta;
            const watched = [...bench.watches.values()].some(
              (watch) => watch.pod.namespace === namespace && watch.pod.name === pod && watch.port === port,
            );
            if (!watched) bench.watch(namespace, pod, port);
          }
        }
      }
      for (const watch of bench.watches.values()) bench.rows.unwatch(watch);
      assert.deepEqual(bench.rows.size, { classes: 0, rows: 0, waiting: 0 });
    },
  );

test('after any batches every watched row is what a look at everything would compile, and its readers have it', () => {
  fc.assert(neverStale(inboundKinds), { numRuns: 150 });
});

test('each kind of the table is needed: struck out, rows go stale and the property notices', () => {
  assert.equal(watchedForInbound.length, 9);
  for (const kind of watchedForInbound) {
    const { failed } = fc.check(neverStale({ ...inboundKinds, [kind]: () => {} }), {
      numRuns: 3_000,
      endOnFailure: true,
    });
    assert.equal(failed, true, `nothing notices that ${kind} is not taken in`);
  }
});

const app = (name: string, fields = {}) => aPod({ name, labels: { app: name }, ...fields });
const toApp = (name: string, caller: string, port = 8080) =>
  aNetworkAuthenticationPolicy({
    name: `to-${name}`,
    target: labelled({ app: name }),
    ports: [{ kind: 'range', first: port, last: port }],
    sources: [{ podSelector: labelled({ app: caller }) }],
  });

test('a change compiles the rows that depend on it and no others', () => {
  const bench = new Bench();
  const apps = Array.from({ length: 20 }, (_, at) => `app-${at}`);
  bench.put(
    aNamespace(),
    ...apps.map((name, at) => app(name, { ips: [`10.0.0.${at}`] })),
    ...apps.map((name, at) => toApp(name, `app-${(at + 1) % apps.length}`)),
    aServer({
      name: 'web',
      podSelector: labelled({ app: 'app-3' }),
      port: { kind: 'range', first: 9000, last: 9000 },
    }),
  );
  for (const name of apps) for (const port of [8080, 9000, 4191]) bench.watch('demo', name, port);
  assert.deepEqual(bench.rows.size, { classes: 20, rows: 60, waiting: 0 });
  const costs: readonly (readonly [string, () => void, number])[] = [
    ['one policy', () => bench.put(toApp('app-5', 'app-9')), 1],
    ['the same policy again', () => bench.put(toApp('app-5', 'app-9')), 1],
    ['a policy that moves to another port', () => bench.put(toApp('app-5', 'app-9', 9000)), 2],
    [
      'a policy in another namespace',
      () => bench.put({ ...toApp('app-5', 'x'), meta: { ...toApp('app-5', 'x').meta, namespace: 'other' } }),
      0,
    ],
    ['a calling pod that two policies select', () => bench.put(app('app-9', { ips: ['10.0.1.9'] })), 2],
    [
      'a calling pod that is no longer ready',
      () => bench.put(app('app-9', { ips: ['10.0.1.9'], ready: false })),
      0,
    ],
    ['a pod that nobody selects', () => bench.put(app('stranger')), 0],
    [
      'an authorization for a Server',
      () => bench.put(anAuthorizationPolicy({ target: { kind: 'Server', name: 'web' } })),
      1,
    ],
    ['the authentication that it refers to', () => bench.put(aMeshTlsAuthentication()), 1],
    ['one that nobody refers to', () => bench.put(aMeshTlsAuthentication({ name: 'unused' })), 0],
    ['a route of that Server', () => bench.put(anHttpRoute({ servers: ['web'] })), 1],
    ['labels of the namespace', () => bench.put(aNamespace({ labels: { team: 'red' } })), 0],
  ];
  assert.equal(costs.length, 12);
  for (const [what, change, cost] of costs) {
    const before = bench.compiler.compiled;
    change();
    assert.equal(bench.compiler.compiled - before, cost, what);
  }
});

test('pods that agree in what matters share one row, and part when a selector looks at where they differ', () => {
  const bench = new Bench();
  bench.put(
    aNamespace(),
    ...['blue', 'green'].map((tier) =>
      aPod({ name: tier, labels: { app: 'web', tier, 'pod-template-hash': tier } }),
    ),
  );
  const [blue, green] = [bench.watch('demo', 'blue', 8080), bench.watch('demo', 'green', 8080)];
  assert.deepEqual(bench.rows.size, { classes: 1, rows: 1, waiting: 0 });
  const policy = aNetworkAuthenticationPolicy({
    target: labelled({ tier: 'blue' }),
    sources: [{ networks: everywhere }],
  });
  bench.put(policy);
  assert.deepEqual(bench.rows.size, { classes: 2, rows: 2, waiting: 0 });
  assert.equal(blue.versions.length, 2);
  // The base was deny already: another class, the same bytes, not a word.
  assert.equal(green.versions.length, 1);
  bench.remove(policy);
  assert.deepEqual(bench.rows.size, { classes: 1, rows: 1, waiting: 0 });
  assert.equal(blue.versions.at(-1), green.versions.at(-1));
});

test('a row of a quiet namespace waits for a turn among namespaces, not for all rows of a busy one', () => {
  const bench = new Bench();
  const busy = Array.from({ length: 100 }, (_, at) =>
    aPod({ name: `busy-${at}`, namespace: 'busy', labels: { app: `${at}` } }),
  );
  const allOfThem = (name: string, namespace: string) =>
    aNetworkAuthenticationPolicy({
      name,
      namespace,
      target: { matchLabels: {}, matchExpressions: [{ key: 'app', operator: 'Exists' }] },
      ports: 'all',
      sources: [{ networks: everywhere }],
    });
  const quiet = aPod({ name: 'quiet', namespace: 'quiet', labels: { app: 'quiet' } });
  bench.put(aNamespace({ name: 'busy' }), aNamespace({ name: 'quiet' }), ...busy, quiet);
  for (const { meta } of busy) bench.watch('busy', meta.name, 8080);
  const reader = bench.watch('quiet', 'quiet', 8080);
  bench.take(
    ...[allOfThem('open', 'busy'), allOfThem('open', 'quiet')].map(
      (object): Change => ({ type: 'apply', kind: object.kind, object }) as Change,
    ),
  );
  assert.equal(bench.rows.size.waiting, 101);
  let slices = 0;
  while (reader.versions.length === 1 && slices < 101) {
    bench.compile(always);
    slices += 1;
  }
  assert(slices <= 30, `after ${slices} rows`);
  bench.compile(never);
  assert.equal(bench.rows.size.waiting, 0);
});

test('a new watch is told at once what its row is, unless that waits: then with it, and no old bytes', () => {
  const bench = new Bench();
  const policy = toApp('a', 'b');
  bench.put(aNamespace(), app('a'), app('b', { ips: ['10.0.0.2'] }), policy);
  const first = bench.watch('demo', 'a', 8080);
  const watch = bench.rows.watch({ namespace: 'demo', pod: 'a', port: 8080 }, first);
  assert(watch !== undefined);
  assert.equal(bench.rows.first(watch)?.version, first.versions.at(-1));
  bench.rows.unwatch(watch);
  bench.take({ type: 'delete', kind: 'NetworkAuthenticationPolicy', ...policy.meta });
  const late = bench.watch('demo', 'a', 8080);
  assert.equal(late.versions.length, 1);
  assert.equal(late.versions[0], first.versions.at(-1));
  assert.equal(first.versions.length, 2);
});

test('a row is compiled again when the port that it was compiled for is watched no more and a policy names another', () => {
  const bench = new Bench();
  const policy = toApp('a', 'b', 9000);
  bench.put(aNamespace(), app('a'), app('b', { ips: ['10.0.0.2'] }), toApp('a', 'b', 8080));
  const left = bench.watch('demo', 'a', 9001);
  const stays = bench.watch('demo', 'a', 9000);
  assert.equal(bench.rows.size.rows, 1);
  bench.unwatch([...bench.watches.keys()].indexOf(left));
  bench.put(policy);
  assert.equal(stays.versions.length, 2);
});

test('nobody is sent what lies between two changes of one batch, even where a port leaves its row twice', () => {
  const bench = new Bench();
  const open = { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' };
  bench.put(
    aNamespace({ annotations: open }),
    aPod({ name: 'a', labels: { app: 'a', tier: 'x' } }),
    toApp('a', 'b'),
  );
  const openToAll = bench.watch('demo', 'a', 9001);
  const restricted = bench.watch('demo', 'a', 8080);
  assert.notEqual(restricted.versions.at(-1), openToAll.versions.at(-1));
  // The old policy goes, and one that selects by a label at which nothing has looked before comes.
  const successor = aNetworkAuthenticationPolicy({
    name: 'successor',
    target: labelled({ tier: 'x' }),
    ports: [{ kind: 'range', first: 8080, last: 8080 }],
    sources: [{ podSelector: labelled({ app: 'b' }) }],
  });
  bench.apply({ type: 'delete', kind: 'NetworkAuthenticationPolicy', ...toApp('a', 'b').meta }, {
    type: 'apply',
    kind: 'NetworkAuthenticationPolicy',
    object: successor,
  } as Change);
  assert.equal(restricted.versions.includes(openToAll.versions[0] ?? ''), false);
});
