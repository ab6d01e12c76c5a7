import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatehouseError } from '@gatehouse/core/error';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { linkerdNames } from './linkerd-names.ts';
import { readValues } from './read-values.ts';
import { allValues } from './value-fields.ts';
import { readAssignments, readValuesFile } from './written-values.ts';

const set = (...texts: readonly string[]): readonly WireObject[] =>
  texts.map((text) => {
    const outcome = readAssignments(text);
    assert.ok(outcome.ok, text);
    return outcome.value;
  });

const problemsOf = (layers: readonly WireObject[]): readonly string[] => {
  try {
    readValues(layers);
  } catch (thrown) {
    assert.ok(thrown instanceof GatehouseError);
    assert.equal(thrown.code, 'invalid-argument');
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  return [];
};

test('without anything written every value has its default, and nothing counts as given', () => {
  const { values, given } = readValues([]);
  assert.equal(values.replicas, 2);
  assert.equal(values.identity.issuer.issuanceLifetime, '24h');
  assert.equal(values.proxy.ports.admin, 4191);
  assert.deepEqual(given, {});
});

test('what the tutorial sets is accepted, and can say nothing else', () => {
  assert.equal(readValues(set('policyController.enabled=true')).values.policyController.enabled, true);
  assert.deepEqual(problemsOf(set('policyController.enabled=false')), [
    'policyController.enabled: `false` is not true: the policy service is part of every installation',
  ]);
});

test('null in a group takes nothing back where the group says nothing, and is not a value', () => {
  assert.deepEqual(readValues(set('injector.namespaces=null')).given, {});
  assert.deepEqual(
    readValues([{ injector: { namespaces: 'claimed' } }, ...set('injector.namespaces=null')]).given,
    {},
  );
});

test('later layers win value by value, and null takes a value back', () => {
  const layers = [
    { replicas: 4, image: { name: 'a.example/x', version: '1' }, podLabels: { team: 'mesh' } },
    { image: { version: '2' }, logLevel: 'debug' },
    ...set('image.version=3', 'logLevel=null', 'podLabels.tier=core'),
  ];
  const { values, given } = readValues(layers);
  assert.deepEqual(values.image, { name: 'a.example/x', version: '3', pullPolicy: 'IfNotPresent' });
  assert.equal(values.logLevel, 'info');
  assert.deepEqual(given, {
    replicas: 4,
    image: { name: 'a.example/x', version: '3' },
    podLabels: { team: 'mesh', tier: 'core' },
  });
});

test('what was given is read again as the same', () => {
  const written = set(
    'highAvailability=true,metrics.namespaces={monitoring,prometheus}',
    'proxy.ports.admin=5191',
  );
  const first = readValues(written);
  assert.deepEqual(readValues([JSON.parse(JSON.stringify(first.given))]), first);
});

test('high availability changes defaults only', () => {
  const high = readValues([{ highAvailability: true }]).values;
  assert.deepEqual([high.replicas, high.podAntiAffinity], [3, 'required']);
  const own = readValues([{ highAvailability: true, replicas: 5 }]);
  assert.deepEqual([own.values.replicas, own.values.podAntiAffinity], [5, 'required']);
  assert.deepEqual(own.given, { highAvailability: true, replicas: 5 });
});

test('assignments are read as Helm reads them, but lists need no quoting', () => {
  const cases: readonly (readonly [string, unknown, unknown])[] = [
    ['clusterNetworks=10.0.0.0/8,fd00::/8', 'clusterNetworks', '10.0.0.0/8,fd00::/8'],
    ['clusterNetworks=10.0.0.0/8\\,fd00::/8', 'clusterNetworks', '10.0.0.0/8,fd00::/8'],
    ['replicas=3,logLevel=debug', 'replicas', 3],
    ['imagePullSecrets={a,b}', 'imagePullSecrets', ['a', 'b']],
    ['imagePullSecrets=a,b', 'imagePullSecrets', ['a', 'b']],
    ['nodeSelector.disk\\.example/kind=ssd', 'nodeSelector', { 'disk.example/kind': 'ssd' }],
    ['podAnnotations.a=b=c', 'podAnnotations', { a: 'b=c' }],
    ['podLabels.__proto__=x', 'podLabels', JSON.parse('{"__proto__":"x"}')],
  ];
  assert.equal(cases.length, 8);
  for (const [text, name, expected] of cases) {
    const values: Readonly<Record<string, unknown>> = { ...readValues(set(text)).values };
    assert.deepEqual(values[String(name)], expected, text);
  }
  for (const text of ['replicas', '=3', 'a..b=1']) {
    const outcome = readAssignments(text);
    assert.ok(!outcome.ok, text);
    assert.match(outcome.problems[0]?.found ?? '', /is not an assignment/);
  }
});

test('all mistakes are told at once, each by its path, with what is meant', () => {
  const written = {
    replica: 3,
    image: 'a:1',
    identity: { issuer: { shceme: 'x' }, tokenReviewer: 'jwt' },
    identityTrustDomain: 'x',
    proxyInit: { ignoreInboundPorts: '25' },
    proxy: { ports: { admin: 0 } },
    tolerations: [{ effekt: 'NoSchedule' }],
    podLabels: { a: 1 },
    zzz: 1,
  };
  assert.deepEqual(problemsOf([written]), [
    'replica: unknown value: replicas is meant?',
    "identityTrustDomain: unknown value: Linkerd's identityTrustDomain is trustDomain here",
    "proxyInit.ignoreInboundPorts: unknown value: Linkerd's proxyInit.ignoreInboundPorts is init.skipInboundPorts here",
    'zzz: unknown value: docs/reference/values.md lists all values',
    'image: `a:1` cannot be its value: set one of image.name, image.version, image.pullPolicy',
    'tolerations[0].effekt: unknown field: effect is meant?',
    'podLabels.a: the number 1 is not text: write it in quotes',
    'identity.issuer.shceme: unknown value: identity.issuer.scheme is meant?',
    'identity.tokenReviewer: `jwt` is not known: use one of token-review, jwks',
    'proxy.ports.admin: 0 is not a valid value: write a port from 1 to 65535',
  ]);
});

test("each of Linkerd's names leads to a value, a group of values or an option, and is no value itself", () => {
  const paths = allValues.map(({ path }) => path);
  const entries = Object.entries(linkerdNames);
  assert.ok(entries.length > 20);
  for (const [theirs, ours] of entries) {
    assert.ok(!paths.includes(theirs), theirs);
    const leads =
      paths.some((path) => path === ours || path.startsWith(`${ours}.`)) || ours.startsWith('--identity-');
    assert.ok(leads, ours);
  }
});

test('a file of values is one object of YAML or JSON', () => {
  assert.deepEqual(readValuesFile('replicas: 3\n', 'v.yaml'), { ok: true, value: { replicas: 3 } });
  assert.deepEqual(readValuesFile('', 'v.yaml'), { ok: true, value: {} });
  const bad: readonly (readonly [string, RegExp])[] = [
    ['- a', /^v\.yaml: holds a list/],
    ['a: 1\n---\nb: 2\n', /^v\.yaml: holds several YAML documents/],
    ['a: 1\na: 2\n', /^v\.yaml, line 2/],
  ];
  for (const [text, expected] of bad) {
    const outcome = readValuesFile(text, 'v.yaml');
    assert.ok(!outcome.ok);
    const [first] = outcome.problems;
    assert.match(`${first?.field}: ${first?.found}`, expected);
  }
});

test('every value has a path of its own, a form, a sentence, and a default that its form reads', () => {
  assert.ok(allValues.length > 80, `${allValues.length}`);
  assert.equal(new Set(allValues.map(({ path }) => path)).size, allValues.length);
  for (const { path, field } of allValues) {
    assert.match(field.sentence, /^\S.*\.$/, path);
    assert.deepEqual(field.form.readJson(field.fallback, path), { ok: true, value: field.fallback }, path);
  }
});
