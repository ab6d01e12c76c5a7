import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { silentLog } from '@gatehouse/platform/log/log';
import { readDeployedRbac } from '@gatehouse/testing/deployed-rbac';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { aCa } from '../../../testing/ca-builder.ts';
import { readIdentityConfig } from '../../config.ts';
import { startIdentity } from '../../service.ts';

interface WireEvent {
  readonly type: string;
  readonly reason: string;
  readonly note: string;
  readonly regarding: { readonly kind: string; readonly name: string; readonly uid?: string };
}

test('a cluster is told of an issuer that is rejected and of one that is accepted, with the permissions that we ship', async (t) => {
  const administrator = 'administrator';
  const tokens = new Map([[administrator, { username: 'tester', groups: ['system:masters'] }]]);
  const api = await startFakeApiServer({ crds: [], tokens, authorize: 'RBAC' });
  t.after(() => api.stop());
  api.put(aWireObject('Namespace', { name: 'gatehouse' }), ...(await readDeployedRbac()));
  const folder = await temporaryFolder(t);
  const [kubeconfig, issuerDir] = [join(folder, 'kubeconfig'), join(folder, 'issuer')];
  await mkdir(issuerDir);
  await api.kubeconfig(
    kubeconfig,
    await api.mintToken({ namespace: 'gatehouse', serviceAccount: 'gatehouse-identity' }),
  );
  const root = await aCa();
  const put = async (issuer: Awaited<ReturnType<typeof aCa>>): Promise<void> => {
    await writeFile(join(issuerDir, 'tls.key'), issuer.keyPem);
    await writeFile(join(issuerDir, 'tls.crt'), issuer.pem);
  };
  await writeFile(join(issuerDir, 'ca.crt'), root.pem);
  await put(await aCa({ parent: root, isCa: false }));
  const config = readIdentityConfig({
    KUBECONFIG: kubeconfig,
    GATEHOUSE_ISSUER_DIR: issuerDir,
    GATEHOUSE_TRUST_ANCHORS: join(issuerDir, 'ca.crt'),
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
  });
  const service = await startIdentity(config, { log: silentLog });
  t.after(() => service.stop('the test is over'));

  const told = async (reason: string): Promise<WireEvent> => {
    for (;;) {
      const answer = await fetch(`${api.url}/apis/events.k8s.io/v1/namespaces/gatehouse/events`, {
        headers: { authorization: `Bearer ${administrator}` },
      });
      const { items } = (await answer.json()) as { readonly items: readonly WireEvent[] };
      const found = items.find((event) => event.reason === reason);
      if (found !== undefined) return found;
    }
  };
  const rejected = await told('IssuerRejected');
  assert.match(rejected.note, /rejected, there is no other: issuer: CN=issuer is not a CA/);
  assert.deepEqual([rejected.type, rejected.regarding.kind], ['Warning', 'ServiceAccount']);
  await put(await aCa({ parent: root }));
  const accepted = await told('IssuerAccepted');
  assert.match(accepted.note, /the issuer is CN=issuer, serial \w+, below CN=root, good until 20/);
  assert.equal(accepted.type, 'Normal');
});
