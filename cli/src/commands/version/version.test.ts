import assert from 'node:assert/strict';
import { test } from 'node:test';
import { release } from '@gatehouse/core/release';
import { ask, startedAdmin, token } from '@gatehouse/testing/started-admin';
import { runToEnd } from '../../../testing/run-cli.ts';
import { exitCode } from '../../exit-code.ts';

test('the client alone says its version, and asks nothing', async () => {
  const { code, out, err } = await runToEnd(['version', '--client']);
  assert.deepEqual([code, err], [exitCode.ok, '']);
  assert.equal(out, `WHAT                      VERSION  SKEW\ngatehouse (this command)  ${release}    -`);
  const json = await runToEnd(['version', '--client', '-o', 'json']);
  assert.deepEqual(JSON.parse(json.out), { client: { version: release }, services: [] });
});

test('a service that answers has its version and no skew; health and metrics say the same', async (t) => {
  const { url } = await startedAdmin(t);
  const { code, out } = await runToEnd(['version', '--address', url, '--token', token, '-o', 'json']);
  assert.equal(code, exitCode.ok);
  assert.deepEqual(JSON.parse(out).services, [
    { service: 'policy', version: release, skew: 'none', error: null },
  ]);
  assert.equal((await ask(`${url}/v1/health`, { token })).json.version, release);
  const metrics = (await ask(`${url}/metrics`)).text;
  assert.match(
    metrics,
    new RegExp(`^gatehouse_build_info\\{version="${release}",service="policy"\\} 1$`, 'm'),
  );
});

test('a service that cannot be asked is shown as such, and fails the command once all is shown', async (t) => {
  const { url } = await startedAdmin(t);
  const { code, out, err } = await runToEnd(['version', '--address', url, '--token', 'wrong']);
  assert.equal(code, exitCode.failed);
  assert.match(out, /\nidentity +unknown +not asked$/);
  assert.match(err, /does not accept the token/);
  const noMesh = await runToEnd(['version'], { env: { KUBECONFIG: '/nonexistent/kubeconfig' } });
  assert.equal(noMesh.code, exitCode.failed);
  assert.match(noMesh.out, new RegExp(`gatehouse \\(this command\\) +${release}`));
});
