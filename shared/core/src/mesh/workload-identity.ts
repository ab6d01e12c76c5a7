/** The mesh that identities belong to. */
export interface Mesh {
  readonly controlPlaneNamespace: string;
  readonly trustDomain: string;
}

/** Whom a verified certificate names, or a policy: a workload of a mesh, or a client that is named otherwise. */
export type Identity = WorkloadIdentity | OtherIdentity;

/**
 * Who a workload is: a ServiceAccount of a namespace, as certified by the control plane of one mesh. Made by identityOf
 * and parseIdentity only.
 */
export interface WorkloadIdentity extends Mesh {
  readonly kind: 'workload';
  readonly serviceAccount: string;
  readonly namespace: string;
  /** As printIdentity has it. Made once, since rows compare it and maps have it as their key. */
  readonly name: string;
}

/** A SPIFFE id, or a DNS name of another form. */
export interface OtherIdentity {
  readonly kind: 'other';
  readonly name: string;
}

const infix = 'serviceaccount.identity';

/** How a name is made, for messages. */
export const identityForm = `{serviceaccount}.{namespace}.${infix}.{control-plane namespace}.{trust domain}`;

/** The identity of a ServiceAccount in a mesh; its name is a DNS SAN. */
export const identityOf = (
  { controlPlaneNamespace, trustDomain }: Mesh,
  namespace: string,
  serviceAccount: string,
): WorkloadIdentity => ({
  kind: 'workload',
  serviceAccount,
  namespace,
  controlPlaneNamespace,
  trustDomain,
  name: `${serviceAccount}.${namespace}.${infix}.${controlPlaneNamespace}.${trustDomain}`,
});

/**
 * Reads a name that certificates and policies have. ServiceAccounts and trust domains may contain dots, namespaces do not.
 * The last `serviceaccount.identity` counts: a ServiceAccount may be named like that, and anybody may name one.
 */
export const parseIdentity = (name: string): Identity => {
  const middle = name.lastIndexOf(`.${infix}.`);
  const before = name.lastIndexOf('.', middle - 1);
  const afterInfix = middle + infix.length + 2;
  const after = name.indexOf('.', afterInfix);
  if (middle < 0 || before <= 0 || after < 0 || !isDnsName(name)) return { kind: 'other', name };
  return {
    kind: 'workload',
    serviceAccount: name.slice(0, before),
    namespace: name.slice(before + 1, middle),
    controlPlaneNamespace: name.slice(afterInfix, after),
    trustDomain: name.slice(after + 1),
    name,
  };
};

/** The one text of an identity: in certificates, on the wire, in JSON, and wherever two are compared. */
export const printIdentity = ({ name }: Identity): string => name;

/** The part that people say: ServiceAccount and namespace; the whole name of anyone who is named otherwise. */
export const printBriefly = (identity: Identity): string =>
  identity.kind === 'workload' ? `${identity.serviceAccount}.${identity.namespace}` : identity.name;

export const isSameIdentity = (a: Identity | undefined, b: Identity | undefined): boolean =>
  a?.name === b?.name;

/** The namespace of a workload; undefined for anyone who is named otherwise. */
export const namespaceOf = (identity: Identity | undefined): string | undefined =>
  identity?.kind === 'workload' ? identity.namespace : undefined;

/** What the names of all workloads of a mesh end in, after a dot; with a namespace, those of its ServiceAccounts. */
export const identitySuffix = ({ controlPlaneNamespace, trustDomain }: Mesh, namespace?: string): string =>
  `${namespace === undefined ? '' : `${namespace}.`}${infix}.${controlPlaneNamespace}.${trustDomain}`;

const label = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** Whether the text is a lower-case DNS name as RFC 1123 has it: labels of 1–63 bytes, at most 253 in all. */
export const isDnsName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((part) => part.length <= 63 && label.test(part));
