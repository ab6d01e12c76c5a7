import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printClient, printFrom, printPort, printRequests, shortGovernor } from './policy-words.ts';

const mesh = 'serviceaccount.identity.gatehouse.cluster.local';
const self = `backend.demo.${mesh}`;
const by = { kind: 'default', name: 'x' };

test('identities of the same mesh are said by what tells them apart, all others whole', () => {
  const cases: readonly (readonly [string, readonly string[], string])[] = [
    ['unauthenticated', [], 'anyone'],
    ['tls', [], 'any TLS client'],
    ['identities', ['*'], 'any identity'],
    ['identities', [`web.shop.${mesh}`], 'web.shop'],
    ['identities', [`*.shop.${mesh}`], 'any in shop'],
    [
      'identities',
      [`web.shop.serviceaccount.identity.linkerd.example.org`],
      'web.shop.serviceaccount.identity.linkerd.example.org',
    ],
    ['identities', ['*.example.org'], '*.example.org'],
    ['identities', ['spiffe://root/vm'], 'spiffe://root/vm'],
    ['identities', ['a', 'b', 'c', 'd'].map((name) => `${name}.shop.${mesh}`), 'a.shop, b.shop and 2 more'],
  ];
  assert.equal(cases.length, 9);
  for (const [authentication, identities, text] of cases)
    assert.equal(printClient({ authentication, identities: [...identities], by }, self, 'few'), text);
  const all = { authentication: 'identities', identities: [`web.shop.${mesh}`], by };
  assert.equal(printClient(all, self, 'all'), `web.shop.${mesh}`);
  // Where nobody knows the mesh, no part of a name is left out.
  assert.equal(printClient(all, null, 'few'), `web.shop.${mesh}`);
});

test('addresses are said by what they were found by, networks as they are', () => {
  const network = (cidr: string, ...except: string[]) => ({ cidr, except });
  const labelled = (labels: Record<string, string>) => ({ matchLabels: labels, matchExpressions: [] });
  const pods = { podSelector: labelled({ app: 'web' }), namespaceSelector: null, selectedPods: 3 };
  const everywhere = [network('0.0.0.0/0'), network('::/0')];
  assert.equal(printFrom({ networks: everywhere, source: null }, 'few'), 'anywhere');
  assert.equal(printFrom({ networks: everywhere, source: null }, 'all'), 'anywhere');
  assert.equal(printFrom({ networks: everywhere.slice(0, 1), source: null }, 'few'), '0.0.0.0/0');
  const two = [network('10.0.0.7/32'), network('fd00::7/128')];
  assert.equal(printFrom({ networks: two, source: pods }, 'few'), 'pods app=web (2)');
  assert.equal(printFrom({ networks: two, source: pods }, 'all'), '10.0.0.7, fd00::7');
  const abroad = { ...pods, podSelector: null, namespaceSelector: labelled({}) };
  assert.equal(printFrom({ networks: two, source: abroad }, 'few'), 'all pods, all ns (2)');
  const tier = { key: 'tier', operator: 'In', values: ['a', 'b'] };
  const chosen = {
    ...pods,
    podSelector: { matchLabels: {}, matchExpressions: [tier] },
    namespaceSelector: labelled({ team: 'x' }),
  };
  assert.equal(printFrom({ networks: two, source: chosen }, 'few'), 'pods tier In a|b, ns team=x (2)');
  assert.equal(
    printFrom({ networks: [network('10.0.0.0/8', '10.1.0.0/16')], source: null }, 'few'),
    '10.0.0.0/8 not 10.1.0.0/16',
  );
});

test('requests, ports and governors are short', () => {
  const texts = ['GET /a', 'GET /b', 'GET /c', 'GET /d'].map((text) => ({ text }));
  assert.equal(printRequests({ requests: null }, 'few'), 'all');
  assert.equal(printRequests({ requests: texts.slice(0, 3) }, 'few'), 'GET /a | GET /b | GET /c');
  assert.equal(printRequests({ requests: texts }, 'few'), 'GET /a | GET /b and 2 more');
  assert.equal(printRequests({ requests: texts }, 'all'), 'GET /a | GET /b | GET /c | GET /d');
  assert.equal(printPort({ port: { first: 8080, last: 8080 }, names: ['http', 'web'] }), '8080/http/web');
  assert.equal(printPort({ port: { first: 1, last: 99 }, names: [] }), '1-99');
  const governor = { objects: [], base: 'deny', from: null, text: 'a manifest that cannot be read' };
  assert.equal(shortGovernor({ ...governor, kind: 'unreadable-manifest' }), 'a manifest that cannot be read');
  assert.equal(shortGovernor({ ...governor, kind: 'default-policy', from: 'pod' }), 'default deny (pod)');
});
