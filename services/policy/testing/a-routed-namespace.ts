import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';

export const linkerd = 'policy.linkerd.io';
export const gateway = 'gateway.networking.k8s.io';
/** Of a route of the Server `web`. */
export const parentRefs = [{ group: linkerd, kind: 'Server', name: 'web' }];

export const account = (name: string): WireObject => ({ kind: 'ServiceAccount', name });
const anybody = { group: linkerd, kind: 'MeshTLSAuthentication', name: 'anybody' };

export const authorize = (
  name: string,
  targetRef: WireObject,
  requiredAuthenticationRefs: readonly unknown[],
): WireObject =>
  aWireObject('AuthorizationPolicy', { name, spec: { targetRef, requiredAuthenticationRefs } });

interface Routed {
  /** Of the routes, as references name it. */
  readonly group: string;
  readonly kind: 'HTTPRoute' | 'GRPCRoute';
  /** One that matches every request, called `everything`. */
  readonly everything: WireObject;
  /** What the Server says beside its pods and its port. */
  readonly server?: WireObject;
}

/**
 * A namespace that nobody breaks, but for the route `admin` that a test adds: `everything` is open to the whole mesh, what
 * `admin` matches to the account `ops`, and the whole Server to `superuser`.
 */
export const aRoutedNamespace = ({ group, kind, everything, server = {} }: Routed): string =>
  asManifest(
    aWireObject('Namespace', { name: 'demo', metadata: { annotations: { 'linkerd.io/inject': 'enabled' } } }),
    aWireObject('Pod', {
      name: 'backend',
      metadata: { labels: { app: 'backend' } },
      spec: { containers: [{ name: 'c', ports: [{ containerPort: 8080 }] }] },
    }),
    aWireObject('Server', { name: 'web', spec: { podSelector: {}, port: 8080, ...server } }),
    everything,
    aWireObject('MeshTLSAuthentication', { name: 'anybody', spec: { identities: ['*'] } }),
    authorize('everything', { group, kind, name: 'everything' }, [anybody]),
    authorize('admin', { group, kind, name: 'admin' }, [account('ops')]),
    authorize('superuser', { group: linkerd, kind: 'Server', name: 'web' }, [account('superuser')]),
  );
