import assert from 'node:assert/strict';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseHostPort } from '@gatehouse/core/host-port';
import { anAuthority } from '@gatehouse/dev/certificates';
import { silentLog } from '@gatehouse/platform/log/log';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { eventually } from '@gatehouse/testing/grpc';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { readIdentityConfig } from '../src/config.ts';
import { startIdentity } from '../src/service.ts';

export type Reviewer = 'token-review' | 'jwks';

/** Identity on the cluster, and time that the test can let pass. */
export interface ReviewDesk {
  /** `ready`, or what is said instead. */
  readiness(): Promise<string>;
  /** What a proxy with this token gets for this ServiceAccount: the name on its leaf, or the word of the refusal. */
  ask(token: string, account?: string): Promise<string>;
  /** How many reviews the API server was asked for, by result. */
  reviews(result: string): Promise<number>;
  pass(ms: number): void;
}

/** What a ServiceAccount of the namespace `demo` gets. */
export const certified = (account: string): string => `certified as ${account}.demo`;

/** Started, and perhaps not ready for a while. */
export const aReviewDesk = async (
  t: TestContext,
  kubeconfig: string,
  reviewer: Reviewer,
): Promise<ReviewDesk> => {
  const folder = await temporaryFolder(t);
  const issuer = anAuthority({ name: 'issuer' });
  const anchors = join(folder, 'ca.crt');
  await writeFile(join(folder, 'tls.crt'), issuer.pem);
  await writeFile(join(folder, 'tls.key'), issuer.key.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(anchors, issuer.pem);
  let ahead = 0;
  const config = readIdentityConfig({
    KUBECONFIG: kubeconfig,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    GATEHOUSE_ISSUER_DIR: folder,
    GATEHOUSE_TRUST_ANCHORS: anchors,
    GATEHOUSE_TOKEN_REVIEWER: reviewer,
    // Leaves of a time that the test has let pass must hold now for those who look at them.
    GATEHOUSE_CLOCK_SKEW: '5m',
  });
  const service = await startIdentity(config, {
    log: silentLog,
    now: () => Date.now() + ahead,
    elapsed: () => performance.now() + ahead,
  });
  t.after(() => service.stop('the test is over'));
  const address = parseHostPort(service.grpc);
  assert.ok(address.ok);
  return {
    readiness: async () => {
      const answer = await fetch(`${service.admin}/ready`);
      return answer.status === 200 ? 'ready' : answer.text();
    },
    ask: async (token, account = 'web') => {
      try {
        const { chain } = await certify({
          name: `${account}.demo.serviceaccount.identity.gatehouse.cluster.local`,
          trustAnchors: issuer.pem,
          key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
          token: Buffer.from(token),
          server: { address: address.value, security: 'plaintext' },
        });
        const { subjectAltName = '' } = new X509Certificate(chain[0] ?? new Uint8Array());
        return `certified as ${subjectAltName.replace(/^DNS:(.*)\.serviceaccount\..*$/, '$1')}`;
      } catch (error) {
        return String((error as { readonly code?: unknown }).code ?? error);
      }
    },
    reviews: async (result) => {
      const text = await (await fetch(`${service.admin}/metrics`)).text();
      const [, count = '0'] =
        new RegExp(`^gatehouse_identity_token_reviews_total\\{result="${result}".*\\} (\\d+)$`, 'm').exec(
          text,
        ) ?? [];
      return Number(count);
    },
    pass: (ms) => {
      ahead += ms;
    },
  };
};

export const aReadyDesk = async (
  t: TestContext,
  kubeconfig: string,
  reviewer: Reviewer,
): Promise<ReviewDesk> => {
  const desk = await aReviewDesk(t, kubeconfig, reviewer);
  await eventually(async () => (await desk.readiness()) === 'ready');
  return desk;
};
