import { readFile } from 'node:fs/promises';
import { GatehouseError } from '@gatehouse/core/error';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { readJson } from '@gatehouse/platform/kube/watch/wire-answers';

/** The keys that an issuer of tokens publishes, as they were found. */
export interface PublishedKeys {
  /** What every token of the issuer has for `iss`, to the letter. */
  readonly issuer: string;
  /** A JSON Web Key Set (RFC 7517 §5), not yet looked at. */
  readonly set: unknown;
}

/** Where the keys of tokens come from. */
export interface KeySource {
  /** For people: what is read. */
  readonly name: string;
  /** Throws with what to do when the keys cannot be had. */
  read(signal: AbortSignal): Promise<PublishedKeys>;
}

/** Dev mode: a file, and an issuer that is known. */
export const keysOfFile = (file: string, issuer: string): KeySource => ({
  name: file,
  read: async (signal) => ({
    issuer,
    set: JSON.parse(await readFile(file, { encoding: 'utf8', signal })),
  }),
});

const discoveryPath = '/.well-known/openid-configuration';
const keysPath = '/openid/v1/jwks';

/**
 * A cluster: what its API server publishes of itself. `jwks_uri` is not followed: it may lead out of the cluster, and
 * the server there would say who may speak for every workload.
 */
export const keysOfApiServer = (client: KubeClient): KeySource => {
  const get = async (path: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> => {
    // The keys are served as application/jwk-set+json (RFC 7517 §8.5.2) and as nothing else: plain JSON would be a 406.
    const accept = 'application/jwk-set+json, application/json';
    const { status, body } = await client.request({ path, accept, signal });
    if (status === 200) return readJson(body) ?? {};
    throw new GatehouseError(
      'unavailable',
      status === 401 || status === 403
        ? `the API server does not let us read ${path} (${status}): bind the ClusterRole system:service-account-issuer-discovery to our ServiceAccount`
        : `the API server does not answer ${path} (${status})`,
    );
  };
  return {
    name: `${client.server}${keysPath}`,
    read: async (signal) => {
      const [about, set] = await Promise.all([get(discoveryPath, signal), get(keysPath, signal)]);
      const { issuer } = about;
      if (typeof issuer !== 'string' || issuer === '') {
        throw new GatehouseError('unavailable', `${discoveryPath} of the API server names no issuer`);
      }
      return { issuer, set };
    },
  };
};
