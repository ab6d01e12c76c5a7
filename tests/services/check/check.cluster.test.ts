import assert from 'node:assert/strict';
import { after, suite, test } from 'node:test';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { CliCluster } from '../../../cli/testing/cli-cluster.ts';
import type { CheckedItem } from './healthy-cluster.ts';

const { assets, skip } = realApiServerAssets();

suite('gatehouse check on a real API server', { skip }, () => {
  let opened: Promise<CliCluster> | undefined;
  const cluster = (): Promise<CliCluster> => {
    opened ??= RealCluster.start(assets, { authorization: 'RBAC' }).then((real) =>
      CliCluster.on({ cluster: real }),
    );
    return opened;
  };
  after(async () => (await opened)?.[Symbol.asyncDispose]());

  const checked = async (args: readonly string[], kubeconfig?: string) => {
    const { code, out, err } = await (await cluster()).run(['check', '-o', 'json', ...args], kubeconfig);
    assert.equal(err, '');
    const { verdict, checks } = JSON.parse(out) as { verdict: string; checks: readonly CheckedItem[] };
    return { code, verdict, of: (name: string) => checks.filter((one) => one.name === name) };
  };

  test('before an installation an administrator is told that all is ready', async () => {
    const { code, verdict, of } = await checked(['--pre']);
    assert.deepEqual([code, verdict], [0, 'ok']);
    assert.match(of('CustomResourceDefinitions')[0]?.found ?? '', /^all \d+ kinds are installed/);
    assert.match(of('Permissions to install')[0]?.found ?? '', /^you may create all/);
  });

  test('a caller with few permissions is told what is missing, and what could not be looked at', async () => {
    const kubeconfig = await (await cluster()).personWith('jane');
    const { code, of } = await checked(['--pre'], kubeconfig);
    assert.equal(code, 1);
    assert.match(
      of('Permissions to install')[0]?.found ?? '',
      /^you may not create customresourcedefinitions\.\S+, namespaces, /,
    );
    assert.equal(of('CustomResourceDefinitions')[0]?.status, 'skipped');
    assert.match(
      of('CustomResourceDefinitions')[0]?.found ?? '',
      /^you may not look: .*customresourcedefinitions/,
    );
  });

  test('without an installation it says so, and what to do', async () => {
    const { code, verdict, of } = await checked([]);
    assert.deepEqual([code, verdict], [1, 'failed']);
    assert.deepEqual(
      of('Deployments').map(({ found }) => found),
      ['identity', 'destination', 'policy'].map(
        (name) => `there is no Deployment gatehouse/gatehouse-${name}`,
      ),
    );
    assert.match(
      of('Trust roots')[0]?.found ?? '',
      /ConfigMap gatehouse\/gatehouse-trust-roots has no certificates/,
    );
    assert.match(
      of('Readiness')[0]?.found ?? '',
      /there is no Service gatehouse-(?:identity-headless|dst-headless|policy) in the namespace/,
    );
  });
});
