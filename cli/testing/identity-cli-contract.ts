import assert from 'node:assert/strict';
import type { AddressInfo } from 'node:net';
import { after, before, suite, test } from 'node:test';
import { createServer } from 'node:tls';
import { aKey, anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';
import { exitCode } from '../src/exit-code.ts';
import type { OpenedCluster } from './cli-cluster.ts';
import { IdentityCluster } from './identity-cluster.ts';

/** `gatehouse identity` against a cluster, through its API server: run on the fake, and on the real one. */
export const identityCliContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<OpenedCluster> },
): void => {
  suite(`gatehouse identity by way of ${name}`, { skip, timeout: 300_000 }, () => {
    let fixture: IdentityCluster;
    before(async () => {
      fixture = await IdentityCluster.start(await open());
      await fixture.certify('demo', 'web-0');
      await fixture.certify('other', 'web-0');
    });
    after(() => fixture[Symbol.asyncDispose]());

    const podsListed = async (kubeconfig?: string): Promise<readonly string[]> => {
      const { code, out, err } = await fixture.run(['identity', 'list', '-o', 'json'], kubeconfig);
      assert.equal(code, exitCode.ok, err);
      return JSON.parse(out).items.map(
        ({ pod }: { pod: { namespace: string; name: string } }) => `${pod.namespace}/${pod.name}`,
      );
    };

    test('an administrator sees a pod’s certificate, who signs, and what was issued', async () => {
      const { code, out, err } = await fixture.run(['identity', 'web-0', '-n', 'demo']);
      assert.deepEqual([code, err], [exitCode.ok, '']);
      assert.match(
        out,
        /^demo\/web-0\n {2}identity +web\.demo\.serviceaccount\.identity\.gatehouse\.cluster\.local\n/,
      );
      assert.match(out, /\n {2}state +valid\n/);
      assert.deepEqual(await podsListed(), ['other/web-0', 'demo/web-0']);
      const issuer = await fixture.run(['identity', 'issuer']);
      assert.match(issuer.out, /\nissuer +CN=issuer.*\nroot +CN=root/);
    });

    test('a user who may make tokens of gatehouse-viewer speaks as it, and needs no permission of the REST API', async () => {
      await fixture.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { namespace: 'gatehouse', name: 'viewer-tokens' },
        rules: [
          {
            apiGroups: [''],
            resources: ['serviceaccounts/token'],
            resourceNames: ['gatehouse-viewer'],
            verbs: ['create'],
          },
        ],
      });
      const helper = await fixture.personWith(
        'helper',
        { role: 'gatehouse-cli', kind: 'Role', namespace: 'gatehouse' },
        { role: 'viewer-tokens', kind: 'Role', namespace: 'gatehouse' },
      );
      assert.deepEqual(await podsListed(helper), ['other/web-0', 'demo/web-0']);
    });

    test('without -n a pod is looked for in the namespace of the kubeconfig’s context', async () => {
      const { code, err } = await fixture.run(['identity', 'web-0']);
      assert.equal(code, exitCode.failed);
      assert.match(err, /no certificate of default\/web-0: is the name right/);
    });

    test('a team that may not speak as the viewer is known by its own token, and sees its own namespace', async () => {
      const team = await fixture.personWith(
        'team',
        { role: 'gatehouse-cli', kind: 'Role', namespace: 'gatehouse' },
        { role: 'gatehouse-caller' },
        { role: 'gatehouse-namespace-viewer', namespace: 'demo' },
      );
      assert.deepEqual(await podsListed(team), ['demo/web-0']);
      const elsewhere = await fixture.run(['identity', 'list', '-n', 'other'], team);
      assert.equal(elsewhere.code, exitCode.failed);
      assert.match(
        elsewhere.err,
        /^error: system:serviceaccount:people:team may not get certificates\.gatehouse\.dev in the namespace other.*: an administrator can allow it/,
      );
    });

    test('a user who lacks a permission on the way is told which', async () => {
      const nobody = await fixture.personWith('nobody');
      const atService = await fixture.run(['identity', 'list'], nobody);
      assert.equal(atService.code, exitCode.failed);
      assert.match(
        atService.err,
        /answers 403 to \/api\/v1\/namespaces\/gatehouse\/services\/.*cannot get resource/,
      );
      const stranger = await fixture.personWith('stranger', {
        role: 'gatehouse-cli',
        kind: 'Role',
        namespace: 'gatehouse',
      });
      const atRest = await fixture.run(['identity', 'list'], stranger);
      assert.equal(atRest.code, exitCode.failed);
      assert.match(
        atRest.err,
        /people:stranger may not get \/v1\/certificates.*an administrator can allow it/,
      );
    });

    test('a token that is nobody’s is refused with the way to a good one', async () => {
      const { code, err } = await fixture.run(['identity', 'list', '--token', 'sesame']);
      assert.equal(code, exitCode.failed);
      assert.match(
        err,
        /identity does not accept the token .*: it was what --token or --token-file says; use --token/,
      );
    });

    test('without the viewer an administrator is known by the kubeconfig’s own token', async () => {
      const viewer = {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: 'gatehouse', name: 'gatehouse-viewer' },
      };
      await fixture.remove(viewer);
      assert.deepEqual(await podsListed(), ['other/web-0', 'demo/web-0']);
      await fixture.apply(viewer);
    });

    test('what a proxy presents is held against what was issued', async (t) => {
      // Before its first certificate a proxy refuses the handshake.
      const proxy = createServer({ minVersion: 'TLSv1.3' }, (socket) => void socket.end());
      proxy.on('tlsClientError', (_error, socket) => void socket.destroy());
      await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
      t.after(() => proxy.close());
      const { port } = proxy.address() as AddressInfo;
      const served = async (): Promise<string> => {
        const { out, err } = await fixture.run(['identity', 'demo/served', '--served']);
        assert.equal(err, '');
        return /^ {2}served +(.*)$/m.exec(out)?.[1] ?? out;
      };
      const first = await fixture.certify('demo', 'served', { proxyPort: port });
      assert.match(await served(), /^not seen: its proxy does not end TLS for this identity/);
      proxy.setSecureContext(first);
      assert.equal(await served(), 'this certificate, by CN=issuer');
      const second = await fixture.certify('demo', 'served', { proxyPort: port });
      assert.match(await served(), /^an older one: serial [\da-f]{32} by CN=issuer, expires in 2[34]h$/);
      proxy.setSecureContext(second);
      assert.equal(await served(), 'this certificate, by CN=issuer');
      const stranger = aTlsMaterial(anAuthority({ name: 'stranger' }), { name: 'localhost' });
      proxy.setSecureContext({
        key: stranger.key.export({ type: 'pkcs8', format: 'pem' }),
        cert: stranger.chain.map(pemOf).join(''),
      });
      assert.match(await served(), /^serial [\da-f]+ by CN=stranger, which clients refuse: /);
      const { out } = await fixture.run(['identity', 'demo/served', '--served', '-o', 'json']);
      assert.equal(JSON.parse(out).items[0].served.match, 'not remembered');
      const closed = await fixture.certify('demo', 'closed', { proxyPort: 1 });
      assert.ok(closed.cert.length > 0);
      const away = await fixture.run(['identity', 'demo/closed', '--served']);
      assert.match(away.out, /served +not seen: .*ECONNREFUSED/);
    });

    test('a key that a pod had left behind stands out when it is certified again', async () => {
      const key = aKey();
      for (const each of [key, aKey(), key]) await fixture.certify('other', 'twice', { key: each });
      const listed = await fixture.run(['identity', 'list', '--suspicious']);
      assert.match(listed.out, /^POD .*\nother\/twice .* SUSPICIOUS$/);
      const { out } = await fixture.run(['identity', 'other/twice']);
      assert.match(out, /\n {2}state +SUSPICIOUS\n/);
      assert.match(out, /\n {2}history +3 certificates, 2 keys, /);
      assert.match(out, /\nSUSPICIOUS: two hold keys of this pod\./);
    });

    test('pods are found by their labels', async () => {
      for (const name of ['blue-0', 'blue-1'])
        await fixture.certify('other', name, { labels: { team: 'blue' } });
      const found = await fixture.run(['identity', '-l', 'team=blue', '-n', 'other']);
      assert.equal(found.err, '');
      assert.deepEqual(
        found.out.split('\n').map((line) => line.split(/ {2,}/)[0]),
        ['POD', 'other/blue-0', 'other/blue-1'],
      );
      const none = await fixture.run(['identity', '-l', 'team=green', '-n', 'other']);
      assert.equal(none.code, exitCode.failed);
      assert.match(none.err, /no pod in the namespace other has the labels team=green/);
      const broken = await fixture.run(['identity', '-l', 'team in green', '-n', 'other']);
      assert.equal(broken.code, exitCode.failed);
      assert.match(broken.err, /answers 400 to .*\/pods: /);
    });

    test('a pod that is not ready is asked all the same, and one that does not run is said', async () => {
      await fixture.setIdentityPod({ ready: false });
      const asked = await fixture.run(['identity', 'issuer']);
      assert.equal(asked.code, exitCode.ok);
      assert.equal(asked.err, 'pod gatehouse/gatehouse-identity-0 is not ready; it is asked all the same');
      await fixture.setIdentityPod({ phase: 'Pending', ready: false });
      const pending = await fixture.run(['identity', 'issuer']);
      assert.equal(pending.code, exitCode.failed);
      assert.match(
        pending.err,
        /no pod of gatehouse-identity runs .*\(gatehouse-identity-0 is Pending\): see kubectl/,
      );
      await fixture.setIdentityPod();
    });

    test('a port that nobody listens on, and a control plane that is elsewhere, are said', async () => {
      await fixture.removeIdentityPod();
      await fixture.makeIdentityPod(1);
      const dead = await fixture.run(['identity', 'issuer']);
      assert.equal(dead.code, exitCode.failed);
      assert.match(dead.err, /the port-forward to gatehouse\/gatehouse-identity-0:1 failed: .*ECONNREFUSED/);
      await fixture.removeIdentityPod();
      await fixture.makeIdentityPod();
      const elsewhere = await fixture.run(['identity', 'issuer', '--control-plane-namespace', 'demo']);
      assert.equal(elsewhere.code, exitCode.failed);
      assert.match(
        elsewhere.err,
        /there is no Service gatehouse-identity-headless in the namespace demo: is the/,
      );
    });
  });
};
