import assert from 'node:assert/strict';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { TestContext } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';
import { silentLog } from '@gatehouse/platform/log/log';
import { type Certified, certify } from '@gatehouse/platform/own-leaf/certify-client';
import type { RunningService } from '@gatehouse/platform/service/service';
import { type DevTokenRequest, mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import { makeStateDir, type StateDir } from '@gatehouse/platform/state/state-dir';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { readIdentityConfig } from '../src/config.ts';
import { type IdentityParts, startIdentity } from '../src/service.ts';
import { aName } from './csr-builder.ts';

export const pod = aPod({ name: 'frontend-0' });

export interface Started {
  readonly service: RunningService;
  readonly state: StateDir;
  readonly source: FakeSource;
  readonly adminToken: string;
  /** As the proxy of a pod would. */
  certify(request?: Partial<Asked>): Promise<Certified>;
}

interface Asked {
  readonly name: string;
  readonly key: KeyObject;
  readonly csr: Uint8Array;
  readonly token: string;
  readonly tokenFor: Partial<DevTokenRequest>;
}

/** Starts identity on a fake source with the pod demo/frontend-0, over TLS with its mesh name. */
export const started = async (
  test: TestContext,
  env: NodeJS.ProcessEnv = {},
  parts: Pick<IdentityParts, 'issuerKey'> = {},
): Promise<Started> => {
  const state = await makeStateDir(env.GATEHOUSE_STATE_DIR ?? (await temporaryFolder(test)));
  const source = new FakeSource(pod, aServiceAccount());
  const config = readIdentityConfig({
    GATEHOUSE_SOURCE: 'directory:/nowhere',
    GATEHOUSE_STATE_DIR: state.root,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_GRPC_TLS: 'always',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    ...env,
  });
  const service = await startIdentity(config, { ...parts, source, log: silentLog });
  test.after(() => service.stop('the test is over'));
  return {
    service,
    state,
    source,
    adminToken: (await readFile(state.adminToken, 'utf8')).trim(),
    certify: async ({ name = aName, key, csr, token, tokenFor } = {}) => {
      const address = parseHostPort(service.grpc);
      assert.ok(address.ok);
      const trustAnchors = await readFile(state.trustAnchors, 'utf8');
      const isTls = config.grpcTls === 'always';
      const bearer = token ?? (await mintDevToken({ ...frontend, ...tokenFor, state, now: Date.now() }));
      return certify({
        name,
        trustAnchors,
        key: key ?? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
        token: Buffer.from(bearer),
        server: {
          address: address.value,
          security: isTls ? { serverName: service.name, trustAnchors } : 'plaintext',
        },
        ...(csr === undefined ? {} : { csr }),
      });
    },
  };
};

/** Whose tokens are asked for where a test says nothing else. */
export const frontend = {
  namespace: 'demo',
  serviceAccount: { name: 'default', uid: defaultUid('ServiceAccount', 'demo', 'default') },
  pod: { name: 'frontend-0', uid: pod.meta.uid },
};

/** Certify works once the own leaf is there, a moment after the start. */
export const ready = async ({ service }: Started): Promise<void> => {
  for (;;) if ((await fetch(`${service.admin}/ready`)).status === 200) return;
};
