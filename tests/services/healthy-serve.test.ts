import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { suite, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ServeRecord } from '@gatehouse/dev/serve/served';
import { serviceNames } from '@gatehouse/dev/serve/service-addresses';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { documentedAlerts, fires, parseAlert, valuesOf } from './alerts.ts';

const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url));
const demoManifests = fileURLToPath(new URL('../../dev/demo/manifests/', import.meta.url));
const metricsPage = new URL('../../docs/reference/metrics.md', import.meta.url);

/** What lies in most folders beside what a mesh reads. */
const otherManifests = ['v1 Secret', 'v1 ConfigMap', 'batch/v1 CronJob', 'networking.k8s.io/v1 Ingress']
  .map((written) => written.split(' '))
  .map(([apiVersion, kind]) =>
    JSON.stringify({ apiVersion, kind, metadata: { name: 'x', namespace: 'demo' } }),
  )
  .join('\n---\n');

interface LogLine {
  readonly level: string;
  readonly msg: string;
}

/** `gatehouse serve` as a user starts it; resolves once it says that all is ready, and ends with the test. */
const serve = async (t: TestContext, env: Readonly<Record<string, string>> = {}) => {
  const folder = await temporaryFolder(t);
  const manifests = join(folder, 'manifests');
  await mkdir(manifests);
  for (const file of ['demo.yaml', 'frontend-can-talk-to-backend.yaml'])
    await copyFile(join(demoManifests, file), join(manifests, file));
  await writeFile(join(manifests, 'others.yaml'), otherManifests);
  await writeFile(join(manifests, 'values.yaml'), 'replicas: 3\n');
  const child = spawn(
    execPath,
    [main, 'serve', '--dir', manifests, '--state', join(folder, 'state'), '--port-base', '0', '-o', 'json'],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  const closed = once(child, 'close');
  t.after(async () => {
    child.kill('SIGTERM');
    await closed;
  });
  const [record] = await Promise.race([
    once(child.stdout.setEncoding('utf8'), 'data'),
    closed.then(() => Promise.reject(new Error(`serve ended: ${log}`))),
  ]);
  const served = JSON.parse(record as string) as ServeRecord;
  const texts = serviceNames.map(async (service) => {
    const answer = await fetch(`${served[service]?.admin}/metrics`);
    return answer.text();
  });
  return {
    metrics: (await Promise.all(texts)).join('\n'),
    lines: log.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as LogLine])),
  };
};

suite('a healthy mesh', () => {
  for (const [what, env] of [
    ['in plaintext on loopback', {}],
    ['with TLS', { GATEHOUSE_GRPC_TLS: 'always' }],
  ] as const) {
    test(`fires no documented alert and warns of nothing ${what}`, async (t) => {
      const { metrics, lines } = await serve(t, env);
      const alerts = await documentedAlerts();
      assert.ok(alerts.length >= 10, `only ${alerts.length} alerts were found`);
      assert.deepEqual(
        alerts.filter((alert) => fires(alert, metrics)).map(({ expression }) => expression),
        [],
      );
      const certificates = valuesOf('gatehouse_serving_certificate_life_left_ratio', metrics);
      assert.equal(certificates.length, what === 'with TLS' ? 3 : 0);
      assert.deepEqual(
        lines.filter(({ level }) => level !== 'info'),
        [],
      );
      const ofKinds = lines.filter(({ msg }) => /not read|ignored/.test(msg)).map(({ msg }) => msg);
      assert.deepEqual(ofKinds, [
        'values.yaml: no document says its apiVersion and kind, so the file is ignored',
        'these kinds are not read, and nothing of them is used: ConfigMap, CronJob, Ingress, Secret',
      ]);
    });
  }

  test('would be told by the alerts if it were not healthy', () => {
    const metrics = 'a{service="x"} 0.9\na{service="y"} 0.1\nb_total 1\nc 0\n';
    const firing = (expression: string): boolean => fires(parseAlert(expression), metrics);
    assert.deepEqual(
      ['a < 0.2', 'a < 0.1', 'a > 0.8', 'increase(b_total[1h]) > 0', 'c == 0', 'c == 1', 'd == 0'].map(
        firing,
      ),
      [true, false, true, true, true, false, false],
    );
  });

  test('has every metric that an alert names', async () => {
    const reference = await readFile(metricsPage, 'utf8');
    for (const { metric } of await documentedAlerts())
      assert.ok(reference.includes(`| \`${metric}\` `), `docs/reference/metrics.md has no ${metric}`);
  });
});
