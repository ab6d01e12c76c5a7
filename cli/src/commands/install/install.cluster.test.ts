import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, suite, test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import {
  type RealApiServer,
  realApiServerAssets,
  startRealApiServer,
} from '@gatehouse/testing/real-api-server';
import { runToEnd } from '../../../testing/run-cli.ts';

const { assets, skip } = realApiServerAssets();
const kubectlPath = join(assets, 'kubectl');

suite('gatehouse install on a real API server', {
  skip: skip || (existsSync(kubectlPath) ? false : 'KUBEBUILDER_ASSETS holds no kubectl'),
  timeout: 600_000,
}, () => {
  let server: RealApiServer;

  before(async () => {
    server = await startRealApiServer(assets);
  });
  after(() => server?.stop());

  /** As in `gatehouse install | kubectl apply -f -`; what kubectl says on standard error are warnings. */
  const kubectl = async (args: readonly string[], input = '') => {
    const child = spawn(kubectlPath, ['--kubeconfig', server.kubeconfig, ...args]);
    child.stdin.end(input);
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, err] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { code: await ended, out, err };
  };

  const gatehouse = async (...args: readonly string[]): Promise<string> => {
    const ended = await runToEnd([...args, '--kubeconfig', server.kubeconfig]);
    assert.equal(ended.code, 0, ended.err);
    return ended.out;
  };

  const apply = async (manifest: string, ...options: readonly string[]): Promise<readonly string[]> => {
    const { code, out, err } = await kubectl(['apply', '--validate=strict', ...options, '-f', '-'], manifest);
    assert.deepEqual([code, err], [0, '']);
    return out.trimEnd().split('\n');
  };

  /** What each object's version is, which every change of it changes. */
  const versions = async (): Promise<string> => {
    const kinds =
      'deployments,services,configmaps,secrets,networkpolicies,poddisruptionbudgets,serviceaccounts,roles';
    const columns = 'custom-columns=K:.kind,N:.metadata.name,V:.metadata.resourceVersion';
    return (await kubectl(['get', kinds, '-n', 'gatehouse', '-o', columns])).out;
  };

  const configuration = 'mutatingwebhookconfiguration/gatehouse-injector';
  const caBundle = async (): Promise<string> =>
    (await kubectl(['get', configuration, '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}'])).out;

  test('it is accepted with strict validation and without a warning, and changes nothing the second time', async () => {
    const created = await apply(await gatehouse('install', '--set', 'injector.enabled=true'));
    assert.ok(created.length > 40, created.join('\n'));
    assert.deepEqual(
      created.filter((line) => !line.endsWith(' created')),
      [],
    );
    // As policy does once it has a certificate.
    const bundle = {
      op: 'add',
      path: '/webhooks/0/clientConfig/caBundle',
      value: btoa(anAuthority({ name: 'a CA' }).pem),
    };
    const patch = ['patch', configuration, '--type=json', `-p=[${JSON.stringify(bundle)}]`];
    assert.equal((await kubectl(patch)).code, 0);
    const before = await versions();
    const again = await apply(await gatehouse('install', '--set', 'injector.enabled=true'));
    assert.deepEqual(
      // kubectl sends the selector of a PodDisruptionBudget each time (its patch strategy is `replace`), which changes nothing.
      again.filter((line) => !line.endsWith(' unchanged') && !line.startsWith('poddisruptionbudget.')),
      [],
    );
    assert.equal(await versions(), before);
    const { code, out, err } = await kubectl(
      ['diff', '-f', '-'],
      await gatehouse('install', '--set', 'injector.enabled=true'),
    );
    assert.deepEqual([code, out, err], [0, '', '']);
    assert.equal(await caBundle(), bundle.value);
  });

  test('server-side apply takes it over, with any values, and changes nothing the second time', async () => {
    const values = [
      '--ha',
      '--set',
      'injector.enabled=true',
      '--set',
      'ipv6=true',
      '--set',
      'metrics.namespaces=monitoring',
    ];
    const manifest = await gatehouse('install', ...values);
    await apply(manifest, '--server-side', '--force-conflicts');
    const before = await versions();
    await apply(await gatehouse('install', ...values), '--server-side');
    assert.equal(await versions(), before);
    assert.notEqual(await caBundle(), '');
  });

  test('pods of the Deployments fit the restricted profile that their namespace enforces', async () => {
    for (const service of ['identity', 'destination', 'policy']) {
      const found = await kubectl([
        'get',
        'deployment',
        `gatehouse-${service}`,
        '-n',
        'gatehouse',
        '-o',
        'json',
      ]);
      const { template } = JSON.parse(found.out).spec;
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        ...template,
        metadata: { ...template.metadata, name: service, namespace: 'gatehouse' },
      };
      const made = await kubectl(['create', '-f', '-'], JSON.stringify(pod));
      assert.deepEqual([made.code, made.err], [0, '']);
    }
    const loose = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'loose', namespace: 'gatehouse' },
      spec: { containers: [{ name: 'a', image: 'a' }] },
    };
    const refused = await kubectl(['create', '-f', '-'], JSON.stringify(loose));
    assert.match(refused.err, /violates PodSecurity "restricted/);
  });

  test('an upgrade without changes changes nothing, prune finds nothing, and uninstall leaves nothing behind', async () => {
    const before = await versions();
    await apply(await gatehouse('upgrade'), '--server-side');
    assert.equal(await versions(), before);
    assert.equal(await gatehouse('prune'), '');

    const names = await gatehouse('uninstall', '--crds');
    // There is no controller that would end the namespace.
    const deleted = await kubectl(['delete', '--wait=false', '-f', '-'], names);
    assert.deepEqual([deleted.code, deleted.err], [0, '']);
    const kinds =
      'mutatingwebhookconfigurations,deployments,services,configmaps,secrets,networkpolicies,poddisruptionbudgets,' +
      'serviceaccounts,roles,rolebindings,clusterroles,clusterrolebindings';
    const left = await kubectl([
      'get',
      kinds,
      '-A',
      '-l',
      'app.kubernetes.io/part-of=gatehouse',
      '-o',
      'name',
    ]);
    assert.deepEqual([left.out, left.err.trim()], ['', '']);
    const crds = await kubectl(['wait', 'crd', '--all', '--for=delete', '--timeout=60s']);
    assert.equal(crds.code, 0, crds.err);
  });
});
