import { randomUUID } from 'node:crypto';
import { printServiceAccountUser } from '@gatehouse/core/mesh/service-account-user';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { errors, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import { invalid, notFound } from './api-status.ts';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import type { ResourceRequest } from './resource-request.ts';
import { podType, resourceKey, serviceAccountType } from './resource-types.ts';
import type { ServerState, User } from './server-state.ts';
import { objectKey, type Store } from './store.ts';

/** Who signs, and the audience of the API server itself. */
export const tokenIssuer = 'https://kubernetes.default.svc';

/** The keys of a server's tokens, kept over restarts: tokens are made with the first, and all are good. */
export type TokenKeys = readonly [TokenKey, ...TokenKey[]];

export interface TokenKey {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  readonly jwk: JWK;
}

export const makeTokenKey = async (): Promise<TokenKey> => {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), kid: randomUUID(), alg: 'ES256', use: 'sig' },
  };
};

/** Returns a TokenRequest: a token for the ServiceAccount, bound to a Pod when the request says so. */
export const requestToken = async (
  { store, now }: ServerState,
  request: ResourceRequest,
  { body, keys: [key] }: { readonly body: WireObject; readonly keys: TokenKeys },
): Promise<WireObject> => {
  const { namespace, name } = request;
  const account = store.get(resourceKey(serviceAccountType), objectKey(namespace, name));
  if (account === undefined) throw notFound(serviceAccountType, name);
  const spec = fieldsOf(body.spec);
  const seconds = Number(spec.expirationSeconds ?? 3600);
  if (seconds < 600) throw invalid(tokenRequestType, '', [tooShort(seconds)]);
  const audiences = listOf(spec.audiences).length === 0 ? [tokenIssuer] : listOf(spec.audiences).map(textOf);
  const bound = fieldsOf(spec.boundObjectRef);
  const issuedAt = Math.floor(now() / 1000);
  const kubernetes = {
    namespace,
    serviceaccount: { name, uid: metaOf(account).uid },
    ...(bound.kind === 'Pod' ? { pod: boundPod(store, namespace, bound) } : {}),
  };
  const token = await new SignJWT({ 'kubernetes.io': kubernetes })
    .setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid ?? '' })
    .setIssuer(tokenIssuer)
    .setSubject(printServiceAccountUser({ namespace, serviceAccount: name }))
    .setAudience(audiences)
    .setIssuedAt(issuedAt)
    .setNotBefore(issuedAt)
    .setExpirationTime(issuedAt + seconds)
    .setJti(randomUUID())
    .sign(key.privateKey);
  return {
    kind: 'TokenRequest',
    apiVersion: 'authentication.k8s.io/v1',
    metadata: { name, namespace, creationTimestamp: new Date(issuedAt * 1000).toISOString() },
    spec: { ...spec, audiences, expirationSeconds: seconds, boundObjectRef: spec.boundObjectRef ?? null },
    status: { token, expirationTimestamp: new Date((issuedAt + seconds) * 1000).toISOString() },
  };
};

const tokenRequestType = { group: 'authentication.k8s.io', kind: 'TokenRequest' };

const tooShort = (seconds: number) => ({
  reason: 'FieldValueInvalid',
  field: 'spec.expirationSeconds',
  message: `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`,
});

const boundPod = (store: Store, namespace: string, { name, uid }: WireObject): WireObject => {
  const pod = store.get(resourceKey(podType), objectKey(namespace, textOf(name)));
  if (pod === undefined || (uid !== undefined && uid !== metaOf(pod).uid))
    throw notFound(podType, textOf(name));
  return { name, uid: metaOf(pod).uid };
};

/** Who holds a token, for these audiences; a sentence when it is not good. */
export const authenticateToken = async (
  { store, now }: ServerState,
  token: string,
  { keys, audiences }: { readonly keys: TokenKeys; readonly audiences: readonly string[] },
): Promise<{ readonly user: User; readonly audiences: readonly string[] } | string> => {
  try {
    const named = ({ kid }: { kid?: string }) => keys.find(({ jwk }) => jwk.kid === kid) ?? keys[0];
    const { payload } = await jwtVerify(token, (header) => named(header).publicKey, {
      issuer: tokenIssuer,
      currentDate: new Date(now()),
    });
    const granted = [payload.aud ?? []].flat().filter((audience) => audiences.includes(audience));
    if (granted.length === 0)
      return `token audiences ${JSON.stringify(payload.aud)} is invalid for the target audiences ${JSON.stringify(audiences)}`;
    const user = boundUser(store, fieldsOf(payload['kubernetes.io']), textOf(payload.jti));
    return typeof user === 'string' ? user : { user, audiences: granted };
  } catch (thrown) {
    if (thrown instanceof errors.JOSEError) return 'invalid bearer token';
    throw thrown;
  }
};

/** A token lives no longer than its ServiceAccount and the Pod that it was made for. */
const boundUser = (store: Store, claims: WireObject, jti: string): User | string => {
  const namespace = textOf(claims.namespace);
  const account = fieldsOf(claims.serviceaccount);
  const name = textOf(account.name);
  const found = store.get(resourceKey(serviceAccountType), objectKey(namespace, name));
  if (found === undefined || metaOf(found).uid !== account.uid)
    return 'service account token has been invalidated';
  const pod = fieldsOf(claims.pod);
  if (claims.pod !== undefined) {
    const bound = store.get(resourceKey(podType), objectKey(namespace, textOf(pod.name)));
    if (bound === undefined || metaOf(bound).uid !== pod.uid)
      return 'service account token has been invalidated';
  }
  return {
    username: printServiceAccountUser({ namespace, serviceAccount: name }),
    uid: textOf(account.uid),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${jti}`],
      ...(claims.pod === undefined
        ? {}
        : {
            'authentication.kubernetes.io/pod-name': [textOf(pod.name)],
            'authentication.kubernetes.io/pod-uid': [textOf(pod.uid)],
          }),
    },
  };
};
