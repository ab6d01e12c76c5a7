import { type Parsed, parsed, problem } from '../problem.ts';

/**
 * Who a workload is: a ServiceAccount of a namespace, as certified by the control plane of one mesh.
 * Printed as the DNS SAN `{sa}.{ns}.serviceaccount.identity.{control-plane-ns}.{trust-domain}`.
 */
export interface WorkloadIdentity {
  readonly serviceAccount: string;
  readonly namespace: string;
  readonly controlPlaneNamespace: string;
  readonly trustDomain: string;
}

/** The mesh that identities are printed for. */
export interface Mesh {
  readonly controlPlaneNamespace: string;
  readonly trustDomain: string;
}

const infix = '.serviceaccount.identity.';
const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

export const printIdentity = (identity: WorkloadIdentity): string =>
  `${identity.serviceAccount}.${identity.namespace}${infix}${identity.controlPlaneNamespace}.${identity.trustDomain}`;

/** What every identity of a mesh ends in, after a dot; it has no dot in front. */
export const identitySuffix = ({ controlPlaneNamespace, trustDomain }: Mesh): string =>
  `serviceaccount.identity.${controlPlaneNamespace}.${trustDomain}`;

export const identityOf = (mesh: Mesh, namespace: string, serviceAccount: string): WorkloadIdentity => ({
  serviceAccount,
  namespace,
  controlPlaneNamespace: mesh.controlPlaneNamespace,
  trustDomain: mesh.trustDomain,
});

/** The namespace that an identity of any mesh names, for names whose certificate was verified; undefined for other names. */
export const namespaceIn = (identity: string): string | undefined => {
  const end = identity.lastIndexOf(infix);
  const dot = identity.lastIndexOf('.', end - 1);
  return end < 0 || dot <= 0 ? undefined : identity.slice(dot + 1, end);
};

/** Whether the text is a lower-case DNS name as RFC 1123 has it: labels of 1–63 bytes, at most 253 in all. */
export const isDnsName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((part) => part.length <= 63 && label.test(part));

/**
 * Reads a printed identity of the given mesh. A ServiceAccount name may contain dots, so the text is read
 * from the right: the mesh's suffix, then one label for the namespace, then all the rest.
 */
export const parseIdentity = (text: string, mesh: Mesh): Parsed<WorkloadIdentity> => {
  const suffix = `${infix}${mesh.controlPlaneNamespace}.${mesh.trustDomain}`;
  if (!isDnsName(text)) {
    return problem(
      'identity',
      `\`${text}\` is no DNS name`,
      'labels of at most 63 bytes, at most 253 in all, lower case',
    );
  }
  const account = text.endsWith(suffix) ? text.slice(0, -suffix.length) : '';
  const dot = account.lastIndexOf('.');
  if (dot <= 0) {
    return problem(
      'identity',
      `\`${text}\` is no identity of this mesh`,
      `use {serviceaccount}.{namespace}${suffix}`,
    );
  }
  return parsed(identityOf(mesh, account.slice(dot + 1), account.slice(0, dot)));
};
