import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { type Identity, isDnsName } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ExternalWorkloadSpec } from '@gatehouse/core/resources/kinds/linkerd';

/** Under this name an ExternalWorkload's ports say where its proxy takes connections. */
const proxyPortName = 'linkerd-proxy';

export const externalProxyPort = ({ ports }: Pick<ExternalWorkloadSpec, 'ports'>): number =>
  ports.find(({ name }) => name === proxyPortName)?.port ?? usualProxyPorts.inbound;

/**
 * Whom an ExternalWorkload must prove to be, and the name that it ends TLS for. Undefined where either is of no use to a proxy,
 * which would then speak plaintext to it (`contract/proxy.md` §1.3): such a workload must not be an endpoint.
 */
export const externalIdentity = ({
  identity,
  serverName,
}: Pick<ExternalWorkloadSpec, 'identity' | 'serverName'>):
  | { readonly identity: Identity; readonly serverName: string }
  | undefined =>
  (isDnsName(identity) || isUri(identity)) && isDnsName(serverName)
    ? { identity: { kind: 'other', name: identity }, serverName }
    : undefined;

/** A scheme and what it names, such as a SPIFFE id: proxies read any URI, and compare it as a whole. */
export const isUri = (text: string): boolean =>
  /^[a-z][a-z0-9+.-]{0,31}:\/\/[\x21-\x7e]{1,2048}$/i.test(text);

/** Linkerd's labels (semantics §3.2). */
export const externalLabels = ({
  meta,
  spec,
}: KubeObject<'ExternalWorkload'>): Readonly<Record<string, string>> => ({
  ...(spec.owner === undefined ? {} : { [spec.owner.kind.toLowerCase()]: spec.owner.name }),
  external_workload: meta.name,
});
