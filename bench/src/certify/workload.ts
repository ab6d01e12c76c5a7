import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { printServiceAccountUser } from '@gatehouse/core/mesh/service-account-user';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { defaultUid } from '@gatehouse/platform/kube/directory/default-uid';
import { makeCsr } from '@gatehouse/platform/tls/csr';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };

/** The one workload that is certified over and over: a pod of the ServiceAccount demo/default. */
export const workload = {
  identity: printIdentity(identityOf(mesh, 'demo', 'default')),
  namespace: 'demo',
  serviceAccount: { name: 'default', uid: defaultUid('ServiceAccount', 'demo', 'default') },
  pod: { name: 'frontend-0', uid: defaultUid('Pod', 'demo', 'frontend-0') },
};

export const certifyPath = '/io.linkerd.proxy.identity.Identity/Certify';

const key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

export const csr: Uint8Array = makeCsr(key, workload.identity);

export type TokenAlgorithm = 'ES256' | 'RS256';

/** A token of the workload as an API server would sign it, and the key set that proves it. */
export interface SignedToken {
  readonly algorithm: TokenAlgorithm;
  readonly publicKey: KeyObject;
  /** JSON Web Key Set. */
  readonly keySet: string;
  readonly token: Uint8Array;
}

export const tokenIssuer = 'https://gatehouse.dev';
export const tokenAudience = 'identity.l5d.io';

export const aToken = (algorithm: TokenAlgorithm): SignedToken => {
  const { privateKey, publicKey } =
    algorithm === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const { namespace, pod, serviceAccount } = workload;
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: tokenIssuer,
    aud: [tokenAudience],
    sub: printServiceAccountUser({ namespace, serviceAccount: serviceAccount.name }),
    iat: now,
    nbf: now,
    exp: now + 3600,
    'kubernetes.io': { namespace, pod, serviceaccount: serviceAccount },
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const input = `${part({ alg: algorithm, kid: algorithm })}.${part(claims)}`;
  const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: algorithm, alg: algorithm };
  return {
    algorithm,
    publicKey,
    keySet: JSON.stringify({ keys: [jwk] }),
    token: Buffer.from(`${input}.${signature.toString('base64url')}`),
  };
};
