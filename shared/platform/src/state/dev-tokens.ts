import { GatehouseError } from '@gatehouse/core/error';
import { printServiceAccountUser } from '@gatehouse/core/mesh/service-account-user';
import type { JWK } from 'jose';
import type { StateDir } from './state-dir.ts';
import { makeFolderOnce, readStateFile } from './state-files.ts';

/** Who signs the tokens of dev mode; a real cluster's issuer never has this name. */
export const devIssuer = 'https://gatehouse.dev';

/** The audience of every token that proves a workload to identity (Linkerd's, so that its injector's volumes work). */
export const identityAudience = 'identity.l5d.io';

const lifetimeMs = 3_600_000;

/** Only dev mode signs tokens: a service in a cluster does without. */
const loadJose = () => import('jose');

export interface DevTokenRequest {
  readonly state: StateDir;
  readonly namespace: string;
  readonly serviceAccount: { readonly name: string; readonly uid: string };
  /** The pod the token is bound to; default: a token without pod. */
  readonly pod?: { readonly name: string; readonly uid: string };
  readonly audience?: string;
  readonly lifetimeMs?: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

/** A token as kubelet would project it into a pod: the claims of design §5.1, ES256, signed with the dev key. */
export const mintDevToken = async (request: DevTokenRequest): Promise<string> => {
  const { namespace, serviceAccount, pod, audience = identityAudience, now } = request;
  const { kid, key } = await devSigningKey(request.state);
  const issued = Math.floor(now / 1000);
  const { SignJWT } = await loadJose();
  return new SignJWT({
    'kubernetes.io': { namespace, ...(pod === undefined ? {} : { pod }), serviceaccount: serviceAccount },
  })
    .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
    .setIssuer(devIssuer)
    .setAudience(audience)
    .setSubject(printServiceAccountUser({ namespace, serviceAccount: serviceAccount.name }))
    .setIssuedAt(issued)
    .setNotBefore(issued)
    .setExpirationTime(issued + Math.floor((request.lifetimeMs ?? lifetimeMs) / 1000))
    .sign(key);
};

/** Makes dev/token-key.json and dev/jwks.json unless they are there. */
export const ensureDevKeys = (state: StateDir): Promise<void> =>
  makeFolderOnce(state.dev, async () => {
    const { calculateJwkThumbprint, exportJWK, generateKeyPair } = await loadJose();
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
    const open = await exportJWK(publicKey);
    const names = { kid: await calculateJwkThumbprint(open), alg: 'ES256', use: 'sig' };
    return {
      'token-key.json': { secrecy: 'private', content: json({ ...(await exportJWK(privateKey)), ...names }) },
      'jwks.json': { secrecy: 'public', content: json({ keys: [{ ...open, ...names }] }) },
    };
  });

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const devSigningKey = async (state: StateDir) => {
  await ensureDevKeys(state);
  const text = await readStateFile(state.devTokenKey);
  const { importJWK } = await loadJose();
  try {
    const jwk = JSON.parse(text) as JWK;
    return { kid: jwk.kid ?? '', key: await importJWK(jwk, 'ES256') };
  } catch (cause) {
    throw new GatehouseError(
      'failed-precondition',
      `${state.devTokenKey} holds no ES256 key: remove ${state.dev}, and new keys are made`,
      { cause },
    );
  }
};
