import { GatehouseError } from '@gatehouse/core/error';
import type { KubeContext } from '@gatehouse/platform/kube/client/client';

/** Who a token for the REST API speaks for when nothing else was said: a ServiceAccount that may look at everything. */
export const viewerAccount = 'gatehouse-viewer';

/** What tokens for the REST API alone are made for; the API server takes none of them. */
const audience = 'gatehouse';

/** The shortest that TokenRequest gives, and more than any command takes. */
const lifeSeconds = 600;

export interface ClusterToken {
  readonly token: string;
  /** Whose it is, for messages. */
  readonly from: string;
}

interface Where {
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/**
 * A bearer token for the services of a cluster. First one for `gatehouse-viewer` that is good for the REST API alone and
 * for ten minutes: a kubeconfig's own token opens the whole cluster, so it is shown to a service only where the user may
 * not have that one. A kubeconfig that proves its user by a client certificate has no other.
 */
export const clusterToken = async (
  { client, bearerToken }: KubeContext,
  { namespace, signal }: Where,
): Promise<ClusterToken> => {
  const { status, body } = await client.request({
    method: 'POST',
    path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/serviceaccounts/${viewerAccount}/token`,
    body: {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: { audiences: [audience], expirationSeconds: lifeSeconds },
    },
    signal,
  });
  if (status === 201) {
    return { token: tokenIn(body), from: `a token for ServiceAccount ${namespace}/${viewerAccount}` };
  }
  const own = await bearerToken();
  if (own !== undefined) return { token: own, from: "the kubeconfig's token" };
  const account = status === 404 ? `there is no ServiceAccount ${viewerAccount} in ${namespace}` : undefined;
  const why = account ?? `you may not make a token for ServiceAccount ${viewerAccount} (${status})`;
  throw new GatehouseError(
    'unauthenticated',
    `the kubeconfig has no bearer token that a service could check, and ${why}: ${createToken(namespace)}`,
  );
};

/** What to type for a token of somebody else. */
export const createToken = (namespace: string): string =>
  `use --token "$(kubectl create token ACCOUNT -n ${namespace} --audience ${audience})" with a ServiceAccount that may look`;

const tokenIn = (body: Buffer): string => {
  const made: { readonly status?: { readonly token?: unknown } } = JSON.parse(body.toString('utf8'));
  if (typeof made.status?.token === 'string') return made.status.token;
  throw new GatehouseError('unavailable', 'the API server made a token but did not say it');
};
