import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { eventually } from '@gatehouse/testing/grpc';
import { exitCode } from '../src/exit-code.ts';
import type { OpenedCluster } from './cli-cluster.ts';
import { PolicyCluster } from './policy-cluster.ts';

const meshed = { 'linkerd.io/control-plane-ns': 'gatehouse' };

/** `gatehouse authz` and `gatehouse policy` against a cluster, through its API server: run on the fake, and on the real one. */
export const policyCliContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<OpenedCluster> },
): void => {
  suite(`gatehouse authz and policy by way of ${name}`, { skip, timeout: 300_000 }, () => {
    let fixture: PolicyCluster;
    before(async () => {
      fixture = await PolicyCluster.start(await open());
      for (const namespace of ['demo', 'other']) {
        await fixture.apply({
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { namespace, name: 'default' },
        });
        await fixture.makePod(
          { namespace, name: 'backend', labels: { app: 'backend', ...meshed } },
          { ip: '127.99.1.1', ports: [{ name: 'http', containerPort: 8080 }] },
        );
      }
      await fixture.makePod(
        { namespace: 'demo', name: 'frontend', labels: { app: 'frontend', ...meshed } },
        { ip: '127.99.1.2' },
      );
      await fixture.makePod(
        { namespace: 'demo', name: 'bare', labels: { app: 'backend' } },
        { ip: '127.99.1.3' },
      );
      await fixture.apply({
        apiVersion: 'policy.linkerd.io/v1alpha1',
        kind: 'NetworkAuthenticationPolicy',
        metadata: { namespace: 'demo', name: 'frontend-may' },
        spec: {
          target: { selector: { matchLabels: { app: 'backend' } } },
          ports: [{ port: 'http' }],
          sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
        },
      });
      await eventually(async () =>
        (await fixture.run(['authz', 'demo/backend'])).out.includes('nap/frontend-may'),
      );
    });
    after(() => fixture[Symbol.asyncDispose]());

    test('an administrator sees who may call a pod, and what is in force on a port', async () => {
      const { code, out, err } = await fixture.run(['authz', 'backend', '-n', 'demo']);
      assert.deepEqual([code, err], [exitCode.ok, '']);
      assert.match(out, /\n8080\/http +default\.demo +pods app=frontend \(1\) +all +nap\/frontend-may\n/);
      const port = await fixture.run(['policy', 'demo/backend', 'http', '-o', 'json']);
      const [item] = JSON.parse(port.out).items;
      assert.deepEqual([item.port, item.row.governedBy.objects[0].name], [8080, 'frontend-may']);
      assert.deepEqual(item.row.clients[0].networks, [{ cidr: '127.99.1.2/32', except: [] }]);
      const bare = await fixture.run(['policy', 'demo/bare']);
      assert.match(bare.out, /^demo\/bare\nOpen, not enforced: the pod has no proxy: /);
      assert.match(bare.out, /\nWithout effect here, though the labels fit: nap\/frontend-may\.$/);
    });

    test('what an Audit policy would admit is told by the service', async () => {
      const selector = (app: string) => ({ matchLabels: { app } });
      await fixture.apply({
        apiVersion: 'policy.linkerd.io/v1alpha1',
        kind: 'NetworkAuthenticationPolicy',
        metadata: { namespace: 'demo', name: 'backends-may' },
        spec: {
          mode: 'Audit',
          target: { selector: selector('backend') },
          ports: [{ port: 8080 }],
          sources: [{ serviceAccounts: [{ name: 'default' }] }],
        },
      });
      const audited = () => fixture.run(['authz', 'demo/backend', '--audit']);
      await eventually(async () => (await audited()).out.includes('nap/backends-may'));
      const { code, out } = await audited();
      assert.equal(code, exitCode.ok);
      assert.match(out, /\n8080\/http +default\.demo +anywhere +all +- +nap\/backends-may\n/);
      assert.match(out, /\nport 8080\/http: the proxy counts nothing: the base policy admits nobody/);
    });

    test('a rollout says which generation it is of, and which pods have no connection', async () => {
      const { code, out } = await fixture.run([
        'rollout',
        'status',
        'nap/frontend-may',
        '-n',
        'demo',
        '-o',
        'json',
      ]);
      const { state, generation, notWatching } = JSON.parse(out);
      assert.deepEqual([code, state, generation], [exitCode.failed, 'Unknown', 1]);
      assert.deepEqual(
        notWatching.map(({ workload, reason }: { workload: { name: string }; reason: string }) => [
          workload.name,
          reason,
        ]),
        [['backend', 'NotConnected']],
      );
    });

    test('without -n a workload is looked for in the namespace of the kubeconfig’s context', async () => {
      const { code, err } = await fixture.run(['authz', 'backend']);
      assert.equal(code, exitCode.failed);
      assert.match(err, /no pod default\/backend: `gatehouse policy -n default` on the same mesh or folder/);
    });

    test('a team sees the workloads of its own namespace and no others', async () => {
      const team = await fixture.personWith(
        'team',
        { role: 'gatehouse-cli', kind: 'Role', namespace: 'gatehouse' },
        { role: 'gatehouse-caller' },
        { role: 'gatehouse-namespace-viewer', namespace: 'demo' },
      );
      const all = JSON.parse((await fixture.run(['policy', '-A', '-o', 'json'], team)).out);
      assert.deepEqual(
        all.items.map(({ workload }: { workload: { namespace: string; name: string } }) =>
          [workload.namespace, workload.name].join('/'),
        ),
        ['demo/backend', 'demo/bare', 'demo/frontend'],
      );
      for (const args of [
        ['authz', 'other/backend'],
        ['policy', '-n', 'other'],
        ['policy', 'other/backend', '8080'],
      ]) {
        const { code, out, err } = await fixture.run(args, team);
        assert.deepEqual([code, out], [exitCode.failed, ''], args.join(' '));
        assert.match(
          err,
          /may not get workloads\.gatehouse\.dev in the namespace other.*: an administrator can/,
        );
      }
    });
  });
};
