import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { replicasContract } from '../testing/replicas-contract.ts';

const { assets, skip } = realApiServerAssets();
const hosts = ['10.77.0.1', '10.77.0.2', '10.77.0.3'] as const;
const { env, platform } = process;

/** Set in the process that has a network of its own. */
const inside = 'OWN_NETWORK';

/** An API server takes no loopback address for an EndpointSlice, and nobody else's may be used: so there is a network without a way out. */
const inOwnNetwork = async (): Promise<string> => {
  const addresses = hosts.map((host) => `ip address add ${host}/32 dev lo`);
  const steps = ['ip link set lo up', ...addresses, `exec "${process.execPath}" "$0"`].join(' && ');
  // The runner would take the process inside for a part of its own.
  const { NODE_TEST_CONTEXT: _, ...rest } = env;
  const file = fileURLToPath(import.meta.url);
  const options = { env: { ...rest, [inside]: 'yes' } };
  const { stdout } = await promisify(execFile)('unshare', ['--net', 'sh', '-c', steps, file], options).catch(
    (failed: { readonly stdout?: string; readonly stderr?: string }) =>
      assert.fail(`${failed.stdout}${failed.stderr}`),
  );
  return stdout;
};

const whyNot = (): string | false => {
  if (skip !== false) return skip;
  return platform === 'linux' && process.geteuid?.() === 0
    ? false
    : 'a network of its own needs Linux and root';
};

if (env[inside] === 'yes') {
  const open = (): Promise<RealCluster> => RealCluster.start(assets, { authorization: 'RBAC' });
  replicasContract('a real API server', { hosts, listen: 'everywhere', open });
} else {
  test('several replicas of identity answer as one on a real API server, in a network of their own', {
    skip: whyNot(),
    timeout: 600_000,
  }, async (t) => {
    const said = await inOwnNetwork();
    t.diagnostic(said);
    assert.match(said, /pass 6\b/);
    assert.match(said, /fail 0\b/);
  });
}
