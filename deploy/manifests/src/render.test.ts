import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { suite, test } from 'node:test';
import { parseProxySettings } from '@gatehouse/core/injection/proxy-settings';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { parseAllDocuments } from 'yaml';
import { fixedTrust } from '../testing/fixed-trust.ts';
import { type GoldenCase, goldenCases } from '../testing/golden-cases.ts';
import { controlPlane } from './objects/control-plane.ts';
import { imageOf } from './objects/deployment.ts';
import type { Variable } from './objects/environment.ts';
import { type KubeObject, printObjectName } from './objects/kube-object.ts';
import { printList, printObjects } from './print-objects.ts';
import { renderControlPlane, renderCrds } from './render.ts';
import { readShippedRbac } from './shipped-rbac.ts';
import { readValues } from './values/read-values.ts';

const shippedRbac = await readShippedRbac();

const render = (values: object, trust = fixedTrust): readonly KubeObject[] =>
  renderControlPlane({ ...readValues([{ ...values }]), trust, shippedRbac });

/** Without what other folders' changes would change: roles, and the settings of proxies. */
const printGolden = ({ values, trust }: GoldenCase): string => {
  const objects = renderControlPlane({ ...readValues([values]), trust, shippedRbac: [] });
  return printObjects(
    objects.map((object) =>
      object.metadata.name === 'gatehouse-config'
        ? { ...object, data: { ...(object.data as object), 'proxy.json': '(left out here)' } }
        : object,
    ),
  );
};

const find = (objects: readonly KubeObject[], kind: string, name: string): KubeObject => {
  const found = objects.filter((object) => object.kind === kind && object.metadata.name === name);
  assert.equal(found.length, 1, `${kind} ${name}`);
  return found[0] as KubeObject;
};

/** Fields of an object that has no type here. */
// biome-ignore lint/suspicious/noExplicitAny: manifests are what they are.
const specOf = (object: KubeObject): any => object.spec;

const environment = (objects: readonly KubeObject[], name: string): readonly Variable[] =>
  specOf(find(objects, 'Deployment', name)).template.spec.containers[0].env;

const golden = new URL('../golden/', import.meta.url);

suite('the manifests in deploy/manifests/golden', () => {
  test('are those that are compared', async () => {
    assert.deepEqual(
      (await readdir(golden)).sort(),
      Object.keys(goldenCases)
        .map((name) => `${name}.yaml`)
        .sort(),
    );
  });

  for (const [name, each] of Object.entries(goldenCases)) {
    test(`${name} is what is rendered; GOLDEN=write node --test deploy/manifests/src/render.test.ts brings it up to date`, async () => {
      const file = new URL(`${name}.yaml`, golden);
      const printed = printGolden(each);
      if (process.env.GOLDEN === 'write') await writeFile(file, printed);
      assert.equal(printed, await readFile(file, 'utf8'));
      assert.equal(printGolden(each), printed);
    });
  }
});

test('both printed forms are the objects that were rendered', () => {
  const objects = [...renderCrds(), ...render({})];
  const documents = parseAllDocuments(printObjects(objects)).map((document) => document.toJS());
  assert.deepEqual(documents, JSON.parse(JSON.stringify(objects)));
  assert.deepEqual(JSON.parse(printList(objects)).items, documents);
});

test('every object has a name of its own, the label of the installation, and a namespace unless its kind has none', () => {
  const clusterWide = [
    'Namespace',
    'ClusterRole',
    'ClusterRoleBinding',
    'MutatingWebhookConfiguration',
    'ValidatingWebhookConfiguration',
  ];
  for (const { values, trust } of Object.values(goldenCases)) {
    const objects = render(values, trust);
    assert.equal(new Set(objects.map(printObjectName)).size, objects.length);
    for (const object of objects) {
      const namespace = readValues([values]).values.namespace;
      assert.equal(object.metadata.namespace, clusterWide.includes(object.kind) ? undefined : namespace);
      assert.equal(
        object.metadata.labels?.['app.kubernetes.io/part-of'],
        'gatehouse',
        printObjectName(object),
      );
    }
  }
});

test('the Services that proxies resolve have one port each, as they call every port of an SRV answer', () => {
  const objects = render({});
  const headless = controlPlane.map(({ headless: name }) => specOf(find(objects, 'Service', name)));
  assert.deepEqual(
    headless.map(({ clusterIP, ports }) => [clusterIP, ports.map((port: { port: number }) => port.port)]),
    [
      ['None', [8080]],
      ['None', [8086]],
      ['None', [8090]],
    ],
  );
});

test('each service starts with the environment that it gets, and knows every variable in it', () => {
  for (const { values, trust } of Object.values(goldenCases)) {
    const objects = render(values, trust);
    for (const { name, readConfig } of controlPlane) {
      const variables = environment(objects, name).map((one) =>
        'value' in one ? [one.name, one.value] : [one.name, 'a-pod'],
      );
      assert.deepEqual(readConfig(Object.fromEntries(variables)).warnings, [], name);
    }
  }
});

test('one value reaches all that must agree on it', () => {
  const objects = render({ namespace: 'mesh', trustDomain: 'corp.example', defaultInboundPolicy: 'audit' });
  const { data } = find(objects, 'ConfigMap', 'gatehouse-config') as unknown as {
    data: Record<string, string>;
  };
  const settings = parseProxySettings(JSON.parse(data['proxy.json'] ?? ''));
  assert.ok(settings.ok);
  const variables = environment(objects, 'gatehouse-policy').flatMap((one) =>
    'value' in one ? [[one.name, one.value]] : [],
  );
  const config = readPolicyConfig(Object.fromEntries(variables));
  const expected = ['mesh', 'corp.example', 'audit'];
  const { controlPlaneNamespace, trustDomain, defaultInboundPolicy } = settings.value;
  assert.deepEqual([controlPlaneNamespace, trustDomain, defaultInboundPolicy], expected);
  assert.deepEqual([config.namespace, config.trustDomain, config.defaultInboundPolicy], expected);
  assert.deepEqual(JSON.parse(data['values.json'] ?? ''), {
    namespace: 'mesh',
    trustDomain: 'corp.example',
    defaultInboundPolicy: 'audit',
  });
});

test('a setting with which a service would not start is an error that names it', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [
      { identity: { env: { GATEHOUSE_TOKEN_REVIEW_RATE: 'many' } } },
      /GATEHOUSE_TOKEN_REVIEW_RATE of identity: `many`/,
    ],
    [
      { identity: { env: { GATEHOUSE_ON_STALE: 'deny' } } },
      /identity\.env\.GATEHOUSE_ON_STALE: identity reads no such variable/,
    ],
    [
      { policy: { env: { GATEHOUSE_LOG_LEVEL: 'warn' } } },
      /policy\.env\.GATEHOUSE_LOG_LEVEL: another value says it/,
    ],
    [
      { identity: { issuer: { issuanceLifetime: '1s' } } },
      /GATEHOUSE_ISSUANCE_LIFETIME of identity: it is shorter/,
    ],
    [{ proxy: { ports: { admin: 4143 } } }, /proxy\.ports\.admin: 4143 is the inbound port, too/],
  ];
  assert.equal(cases.length, 5);
  for (const [values, message] of cases)
    assert.throws(() => render(values), { code: 'invalid-argument', message });
});

test('in another namespace the same permissions are given to the ServiceAccounts of that one, and to nobody else', () => {
  const objects = render({ namespace: 'mesh', identity: { tokenReviewer: 'jwks' } });
  const rules = (all: readonly KubeObject[]) =>
    all.filter(({ kind }) => kind.endsWith('Role')).map((role) => role.rules);
  assert.deepEqual(rules(objects), rules(shippedRbac));
  const subjects = objects.flatMap(
    (object) => (object.subjects ?? []) as readonly { readonly namespace: string }[],
  );
  assert.equal(subjects.length, 10);
  for (const subject of subjects) assert.equal(subject.namespace, 'mesh');
});

test('no value of an installation in its ConfigMap is secret', () => {
  const { data } = find(render({}), 'ConfigMap', 'gatehouse-config') as unknown as {
    data: Record<string, string>;
  };
  assert.ok(fixedTrust.issuer !== undefined);
  for (const text of Object.values(data)) assert.ok(!text.includes('PRIVATE KEY'));
  assert.deepEqual(Object.keys(data), ['values.json', 'proxy.json']);
});

test('the webhook refuses pods only in namespaces with the label, each namespace is asked about once, and ours never', () => {
  const { webhooks } = find(
    render({ namespace: 'mesh', injector: { enabled: true } }),
    'MutatingWebhookConfiguration',
    'gatehouse-injector',
  );
  const asked = (labels: Readonly<Record<string, string>>): readonly string[] =>
    // biome-ignore lint/suspicious/noExplicitAny: manifests are what they are.
    (webhooks as readonly any[])
      .filter(({ rules }) => rules[0].resources.includes('pods'))
      .filter(({ namespaceSelector }) =>
        namespaceSelector.matchExpressions.every(
          ({ key, operator, values }: { key: string; operator: string; values: readonly string[] }) =>
            values.includes(labels[key] ?? '') === (operator === 'In'),
        ),
      )
      .map(({ failurePolicy }) => failurePolicy);
  const metadata = 'kubernetes.io/metadata.name';
  assert.deepEqual(asked({ [metadata]: 'demo', 'linkerd.io/inject': 'enabled' }), ['Fail']);
  assert.deepEqual(asked({ [metadata]: 'demo' }), ['Ignore']);
  assert.deepEqual(asked({ [metadata]: 'demo', 'linkerd.io/inject': 'disabled' }), ['Ignore']);
  for (const name of ['mesh', 'kube-system']) {
    assert.deepEqual(asked({ [metadata]: name, 'linkerd.io/inject': 'enabled' }), []);
    assert.deepEqual(asked({ [metadata]: name }), []);
  }
  const optedOut = { [metadata]: 'demo', 'config.linkerd.io/admission-webhooks': 'disabled' };
  assert.deepEqual(asked({ ...optedOut, 'linkerd.io/inject': 'enabled' }), []);
});

test('by default the image is that of npm run image in this checkout', async () => {
  const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
  assert.equal(imageOf(readValues([]).values), `localhost/gatehouse:${version}`);
});
