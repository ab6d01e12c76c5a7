import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { sectionsOf } from '@gatehouse/cli/commands/check/sections';
import { beside, breakages } from './breakages.ts';
import { aHealthyCluster, type HealthyCluster } from './healthy-cluster.ts';
import { judgementCases } from './judgement-cases.ts';

suite('gatehouse check', () => {
  test('every check has a test in which it is not ok', () => {
    const judged = judgementCases.filter(([, , status]) => status === 'failed' || status === 'warning');
    const notOk = [...breakages.map(([, , name]) => name), ...judged.map(([name]) => name)];
    const all = [...sectionsOf({}), ...sectionsOf({ pre: true })].flatMap(({ checks }) => checks);
    // What is not installed of it is said, and no fault.
    const without = new Set(all.map(({ name }) => name)).difference(new Set([...notOk, 'Gateway API']));
    assert.deepEqual([...without], []);
  });

  test('before an installation says what is in the way', async (t) => {
    const { check } = await aHealthyCluster(t);
    const { code, out } = await check('--pre');
    assert.equal(code, 0, out);
    assert.match(out, /^cluster\nok +the API server is Kubernetes v/);
    assert.match(out, /you may create all that install prints/);
    assert.match(out, /are not\s+installed: those of policy\.linkerd\.io work without/);
  });

  test('waits until nothing fails, and no longer than it was told', async (t) => {
    const cluster = await aHealthyCluster(t);
    const restore = cluster.remove('Deployment', 'gatehouse-policy');
    assert.equal((await cluster.check('--wait', '100ms')).code, 1);
    const waiting = cluster.check('--wait', '60s', '-o', 'short');
    setTimeout(restore, 500);
    const { code, out } = await waiting;
    assert.equal(code, 0);
    assert.match(out, /^All is well: \d+ ok\.$/);
  });

  test('says of Linkerd beside us that all is well, when each namespace is of one of them', async (t) => {
    const cluster = await aHealthyCluster(t);
    beside(() => () => undefined)(cluster);
    assert.deepEqual(await cluster.troubles(), []);
    const { out } = await cluster.check('-o', 'json');
    assert.match(
      out,
      /"Linkerd runs here too \(MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config\): 2 namespaces of ours, /,
    );
  });

  test('looks at one namespace when told to', async (t) => {
    const cluster = await aHealthyCluster(t);
    const restore = cluster.change('Pod', 'backend-0', (pod) => {
      pod.status.initContainerStatuses[0].ready = false;
    });
    assert.equal((await cluster.check('--proxy', '-n', 'demo')).code, 1);
    const elsewhere = await cluster.check('--proxy', '-n', 'gatehouse', '-o', 'json');
    assert.equal(elsewhere.code, 0, elsewhere.out);
    assert.ok(!elsewhere.out.includes('"section":"cluster"'));
    restore();
  });

  test('says where there is no installation that there is none', async (t) => {
    const cluster = await aHealthyCluster(t);
    const { code, out } = await cluster.check('--control-plane-namespace', 'elsewhere', '-o', 'short');
    assert.equal(code, 1);
    assert.match(out, /^failed +there is no Deployment elsewhere\/gatehouse-identity$/m);
    assert.match(out, /\nThe mesh needs you: \d+ failed/);
  });

  test('says that all is well where it is, and what is wrong where something is', async (t) => {
    const cluster = await aHealthyCluster(t);
    assert.deepEqual(await cluster.troubles(), []);
    const healthy = await cluster.check();
    assert.deepEqual([healthy.code, healthy.err], [0, '']);
    assert.match(healthy.out, /\n\nAll is well: \d+ ok\.$/);

    for (const [what, breakIt, name, status, found] of breakages) {
      await t.test(what, async () => {
        const restore = breakIt(cluster);
        try {
          const troubles = await untilSaid(cluster, name);
          const [said] = troubles.filter((one) => one.name === name);
          assert.equal(said?.status, status, JSON.stringify(troubles));
          assert.match(said.found, found);
          assert.ok(said.fix !== undefined && said.fix !== '');
          const others = troubles.map((one) => one.name).filter((other) => other !== name);
          // Roots that are added or lost also concern the proxies, which have those of before.
          const also = name === 'Trust roots' ? ['Trust roots of the proxies'] : [];
          assert.deepEqual(
            others.filter((other) => !also.includes(other)),
            [],
          );
          assert.equal((await cluster.check('-o', 'short')).code, status === 'failed' ? 1 : 0);
        } finally {
          restore();
        }
      });
    }
  });
});

/** Services hear of a change a moment later. */
const untilSaid = async (cluster: HealthyCluster, name: string) => {
  const until = performance.now() + 5_000;
  for (;;) {
    const troubles = await cluster.troubles();
    if (troubles.some((one) => one.name === name) || performance.now() > until) return troubles;
  }
};
