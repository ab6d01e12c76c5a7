import assert from 'node:assert/strict';
import test from 'node:test';
import { everywhere, parseNetwork } from '@gatehouse/core/ip-network';
import type { Change } from '@gatehouse/core/resources/changes';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aPod,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import { InboundRowsFixture } from '../../../../testing/inbound-rows-fixture.ts';

const app = (name: string, fields = {}) => aPod({ name, labels: { app: name }, ...fields });
const toApp = (name: string, caller: string, port = 8080) =>
  aNetworkAuthenticationPolicy({
    name: `to-${name}`,
    target: labelled({ app: name }),
    ports: [{ kind: 'range', first: port, last: port }],
    sources: [{ podSelector: labelled({ app: caller }) }],
  });

test('a change compiles the rows that depend on it and no others', () => {
  const fixture = new InboundRowsFixture();
  const apps = Array.from({ length: 20 }, (_, at) => `app-${at}`);
  fixture.put(
    aNamespace(),
    ...apps.map((name, at) => app(name, { ips: [`10.0.0.${at}`] })),
    ...apps.map((name, at) => toApp(name, `app-${(at + 1) % apps.length}`)),
    aServer({
      name: 'web',
      podSelector: labelled({ app: 'app-3' }),
      port: { kind: 'range', first: 9000, last: 9000 },
    }),
  );
  for (const name of apps) for (const port of [8080, 9000, 4191]) fixture.watch('demo', name, port);
  assert.deepEqual(fixture.rows.size, { classes: 20, rows: 60, waiting: 0 });
  const costs: readonly (readonly [string, () => void, number])[] = [
    ['one policy', () => fixture.put(toApp('app-5', 'app-9')), 1],
    ['the same policy again', () => fixture.put(toApp('app-5', 'app-9')), 1],
    ['a policy that moves to another port', () => fixture.put(toApp('app-5', 'app-9', 9000)), 2],
    [
      'a policy in another namespace',
      () =>
        fixture.put({ ...toApp('app-5', 'x'), meta: { ...toApp('app-5', 'x').meta, namespace: 'other' } }),
      0,
    ],
    ['a calling pod that two policies select', () => fixture.put(app('app-9', { ips: ['10.0.1.9'] })), 2],
    [
      'a calling pod that is no longer ready',
      () => fixture.put(app('app-9', { ips: ['10.0.1.9'], ready: false })),
      0,
    ],
    ['a pod that nobody selects', () => fixture.put(app('stranger')), 0],
    [
      'an authorization for a Server',
      () => fixture.put(anAuthorizationPolicy({ target: { kind: 'Server', name: 'web' } })),
      1,
    ],
    ['the authentication that it refers to', () => fixture.put(aMeshTlsAuthentication()), 1],
    ['one that nobody refers to', () => fixture.put(aMeshTlsAuthentication({ name: 'unused' })), 0],
    ['a route of that Server', () => fixture.put(anHttpRoute({ servers: ['web'] })), 1],
    ['labels of the namespace', () => fixture.put(aNamespace({ labels: { team: 'red' } })), 0],
  ];
  assert.equal(costs.length, 12);
  for (const [what, change, cost] of costs) {
    const before = fixture.compiler.compiled;
    change();
    assert.equal(fixture.compiler.compiled - before, cost, what);
  }
});

test('pods that agree in what matters share one row, and part when a selector looks at where they differ', () => {
  const fixture = new InboundRowsFixture();
  fixture.put(
    aNamespace(),
    ...['blue', 'green'].map((tier) =>
      aPod({ name: tier, labels: { app: 'web', tier, 'pod-template-hash': tier } }),
    ),
  );
  const [blue, green] = [fixture.watch('demo', 'blue', 8080), fixture.watch('demo', 'green', 8080)];
  assert.deepEqual(fixture.rows.size, { classes: 1, rows: 1, waiting: 0 });
  const policy = aNetworkAuthenticationPolicy({
    target: labelled({ tier: 'blue' }),
    sources: [{ networks: everywhere }],
  });
  fixture.put(policy);
  assert.deepEqual(fixture.rows.size, { classes: 2, rows: 2, waiting: 0 });
  assert.equal(blue.versions.length, 2);
  // The base was deny already: another class, the same bytes, not a word.
  assert.equal(green.versions.length, 1);
  fixture.remove(policy);
  assert.deepEqual(fixture.rows.size, { classes: 1, rows: 1, waiting: 0 });
  assert.equal(blue.versions.at(-1), green.versions.at(-1));
});

test('a row of a quiet namespace waits for a turn among namespaces, not for all rows of a busy one', () => {
  const fixture = new InboundRowsFixture();
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
  fixture.put(aNamespace({ name: 'busy' }), aNamespace({ name: 'quiet' }), ...busy, quiet);
  for (const { meta } of busy) fixture.watch('busy', meta.name, 8080);
  const reader = fixture.watch('quiet', 'quiet', 8080);
  fixture.take(
    ...[allOfThem('open', 'busy'), allOfThem('open', 'quiet')].map(
      (object): Change => ({ type: 'apply', kind: object.kind, object }) as Change,
    ),
  );
  assert.equal(fixture.rows.size.waiting, 101);
  let slices = 0;
  while (reader.versions.length === 1 && slices < 101) {
    fixture.compile('one');
    slices += 1;
  }
  assert(slices <= 30, `after ${slices} rows`);
  fixture.compile('all');
  assert.equal(fixture.rows.size.waiting, 0);
});

test('a row that is ready is sent before one is compiled that may take long', () => {
  const fixture = new InboundRowsFixture();
  const manyNetworks = (namespace: string, second: number, count: number) =>
    aNetworkAuthenticationPolicy({
      name: 'networks',
      namespace,
      target: labelled({ app: 'web' }),
      ports: 'all',
      sources: [
        {
          networks: Array.from({ length: count }, (_, at) => {
            const parsed = parseNetwork(`10.${second}.${at >> 8}.${at & 255}/32`);
            assert(parsed.ok);
            return { net: parsed.value, except: [] };
          }),
        },
      ],
    });
  const place = (namespace: string) => [
    aNamespace({ name: namespace }),
    aPod({ name: 'web', namespace, labels: { app: 'web' } }),
  ];
  fixture.put(...place('large'), ...place('small'));
  const [large, small] = ['large', 'small'].map((namespace) => fixture.watch(namespace, 'web', 8080));
  assert(large !== undefined && small !== undefined);
  const change = (second: number): readonly Change[] =>
    [manyNetworks('large', second, 4_096), manyNetworks('small', second, 1)].map(
      (object): Change => ({ type: 'apply', kind: object.kind, object }),
    );
  fixture.apply(...change(1));
  assert.deepEqual([large.versions.length, small.versions.length], [2, 2]);
  fixture.take(...change(2));
  fixture.compileSlice();
  assert.deepEqual([large.versions.length, small.versions.length], [2, 3]);
  assert.equal(fixture.rows.isDear, true);
  fixture.compileSlice();
  assert.deepEqual([large.versions.length, small.versions.length], [3, 3]);
});

test('a new watch is told at once what its row is, unless that waits: then with it, and no old bytes', () => {
  const fixture = new InboundRowsFixture();
  const policy = toApp('a', 'b');
  fixture.put(aNamespace(), app('a'), app('b', { ips: ['10.0.0.2'] }), policy);
  const first = fixture.watch('demo', 'a', 8080);
  const watch = fixture.rows.watch({ namespace: 'demo', pod: 'a', port: 8080 }, first);
  assert(watch !== undefined);
  assert.equal(fixture.rows.first(watch)?.version, first.versions.at(-1));
  fixture.rows.unwatch(watch);
  fixture.take({ type: 'delete', kind: 'NetworkAuthenticationPolicy', ...policy.meta });
  const late = fixture.watch('demo', 'a', 8080);
  assert.equal(late.versions.length, 1);
  assert.equal(late.versions[0], first.versions.at(-1));
  assert.equal(first.versions.length, 2);
});

test('a row is compiled again when the port that it was compiled for is watched no more and a policy names another', () => {
  const fixture = new InboundRowsFixture();
  const policy = toApp('a', 'b', 9000);
  fixture.put(aNamespace(), app('a'), app('b', { ips: ['10.0.0.2'] }), toApp('a', 'b', 8080));
  const left = fixture.watch('demo', 'a', 9001);
  const stays = fixture.watch('demo', 'a', 9000);
  assert.equal(fixture.rows.size.rows, 1);
  fixture.unwatch([...fixture.watches.keys()].indexOf(left));
  fixture.put(policy);
  assert.equal(stays.versions.length, 2);
});

test('nobody is sent what lies between two changes of one batch, even where a port leaves its row twice', () => {
  const fixture = new InboundRowsFixture();
  const open = { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' };
  fixture.put(
    aNamespace({ annotations: open }),
    aPod({ name: 'a', labels: { app: 'a', tier: 'x' } }),
    toApp('a', 'b'),
  );
  const openToAll = fixture.watch('demo', 'a', 9001);
  const restricted = fixture.watch('demo', 'a', 8080);
  assert.notEqual(restricted.versions.at(-1), openToAll.versions.at(-1));
  // The old policy goes, and one that selects by a label at which nothing has looked before comes.
  const successor = aNetworkAuthenticationPolicy({
    name: 'successor',
    target: labelled({ tier: 'x' }),
    ports: [{ kind: 'range', first: 8080, last: 8080 }],
    sources: [{ podSelector: labelled({ app: 'b' }) }],
  });
  fixture.apply({ type: 'delete', kind: 'NetworkAuthenticationPolicy', ...toApp('a', 'b').meta }, {
    type: 'apply',
    kind: 'NetworkAuthenticationPolicy',
    object: successor,
  } as Change);
  assert.equal(restricted.versions.includes(openToAll.versions[0] ?? ''), false);
});
