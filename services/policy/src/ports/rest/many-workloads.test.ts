import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { aNamespace, aNetworkAuthenticationPolicy, aPod } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient, aGrpcServer, eventually } from '@gatehouse/testing/grpc';
import { ask, startedAdmin, token } from '@gatehouse/testing/started-admin';
import { aPolicy, settings } from '../../../testing/a-policy.ts';
import { watchPort } from '../../../testing/watched-port.ts';
import { pageOfWorkloads } from './page-of-workloads.ts';
import { policyRoutes } from './rest.ts';

const namespaces = ['a', 'b', 'c', 'd'];
const perNamespace = 2_500;

/** Each is a class of its own, since its name is a label at which the policy of its namespace looks. */
const pods = namespaces.flatMap((namespace) =>
  Array.from({ length: perNamespace }, (_, at) => {
    const name = `pod-${`${at}`.padStart(4, '0')}`;
    return aPod({
      namespace,
      name,
      labels: { own: name },
      ports: [
        { name: 'http', port: 8080 },
        { name: 'admin', port: 9000 },
      ],
    });
  }),
);
/** The declared two, the proxy's, and all others. */
const rowsPerPod = 4;

const policies: readonly KubeObject[] = namespaces.flatMap((namespace) => [
  aNamespace({ name: namespace }),
  aNetworkAuthenticationPolicy({
    namespace,
    target: { matchLabels: {}, matchExpressions: [{ key: 'own', operator: 'Exists' }] },
  }),
]);

const served = async (t: TestContext) => {
  const { watch, methods, follow } = aPolicy(t);
  follow(new FakeSource(...policies, ...pods));
  await eventually(() => watch.isReady);
  /** The pods of which a row was asked for, once for each row. */
  const looked: string[] = [];
  const { index, requireReady, settle, survey, surveyKey, sourcesOf, judge } = watch;
  const admin = await startedAdmin(t, {
    routes: policyRoutes({
      watch: {
        index,
        requireReady,
        settle,
        survey,
        surveyKey,
        sourcesOf,
        judge,
        look: (asked, signal) => {
          looked.push(`${asked.namespace}/${asked.pod}`);
          return watch.look(asked, signal);
        },
      },
      settings: { ...settings.cluster, clusterDomain: settings.clusterDomain },
    }),
  });
  /** Fails with the answer itself when it is another than 200, such as the 503 of a page that took ten seconds. */
  const read = async (path: string) => {
    const { status, text, json } = await ask(`${admin.url}${path}`, { token });
    assert.equal(status, 200, text);
    return json;
  };
  const client = aGrpcClient(t, await aGrpcServer(t, { methods }));
  return { read, looked, client };
};

interface Item {
  readonly workload: { readonly namespace: string; readonly name: string };
}
const nameOf = ({ workload: { namespace, name } }: Item): string => `${namespace}/${name}`;

test('of 10,000 pods a page has rows compiled for its own alone', async (t) => {
  const { read, looked } = await served(t);
  assert.equal(pods.length, 10_000);
  const first = await read('/v1/workloads');
  assert.equal(first.items.length, 100);
  assert.equal(looked.length, 100 * rowsPerPod);
  assert.deepEqual([...new Set(looked)], first.items.map(nameOf));
  looked.splice(0);
  const next = await read(`/v1/workloads?limit=7&continue=${first.continue}`);
  assert.deepEqual([...new Set(looked)], next.items.map(nameOf));
  assert.equal(nameOf(next.items[0]), 'a/pod-0100');
});

test('10,000 pods are in ten full pages, each once and in order', async () => {
  const index = new ResourceIndex();
  index.apply([{ type: 'reset', kind: 'Pod', objects: pods }]);
  const seen: string[] = [];
  let mark: string | undefined;
  for (let pages = 0; pages < 10; pages += 1) {
    const page = await pageOfWorkloads(index, 'everything', { limit: 1_000, continue: mark });
    assert.equal(page.items.length, 1_000);
    seen.push(...page.items.map(({ meta }) => `${meta.namespace}/${meta.name}`));
    mark = page.continue;
  }
  assert.equal(mark, undefined);
  assert.deepEqual(
    seen,
    pods.map(({ meta }) => `${meta.namespace}/${meta.name}`),
  );
});

test('while a page of a thousand is compiled, other callers and proxies are answered', async (t) => {
  const { read, client } = await served(t);
  const order: string[] = [];
  const page = read('/v1/workloads?limit=1000').then(({ items }) => {
    order.push('page');
    return items.length;
  });
  const others = 5;
  for (let at = 0; at < others; at += 1) {
    await read('/v1/streams');
    order.push('another caller');
    const stream = watchPort(client, { workload: `d:pod-000${at}` });
    await stream.message(0);
    order.push('a proxy');
    stream.cancel();
  }
  assert.equal(await page, 1_000);
  const meanwhile = order.slice(0, order.indexOf('page'));
  assert.deepEqual(meanwhile, Array.from({ length: others }, () => ['another caller', 'a proxy']).flat());
});
