import { printProblem } from '@gatehouse/core/problem';
import {
  isRejected,
  type Kind,
  type KubeObject,
  type Rejected,
  type Specs,
} from '@gatehouse/core/resources/kinds';
import { kindTable } from '@gatehouse/platform/kube/kind-table';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';

/** What a test says of a wire object; anything but metadata and version stands as it is written. */
export interface WireSaid {
  readonly name?: string;
  readonly namespace?: string;
  readonly uid?: string;
  /** Without the group. Default: the newest that is read. */
  readonly version?: string;
  readonly metadata?: WireObject;
  readonly spec?: unknown;
  readonly [field: string]: unknown;
}

/** An object as a manifest or an API server spells it. */
export const aWireObject = (kind: Kind, said: WireSaid = {}): WireObject => {
  const row = kindTable[kind];
  const { name = 'a', namespace = 'demo', uid, version = row.versions[0], metadata, ...rest } = said;
  return {
    apiVersion: row.group === '' ? version : `${row.group}/${version}`,
    kind: row.wireKind,
    metadata: {
      name,
      ...(row.namespaced ? { namespace } : {}),
      ...(uid === undefined ? {} : { uid }),
      ...metadata,
    },
    ...rest,
  };
};

/** The object and what it cost, for a wire object that can be named; throws for any other. */
export const readWire = <K extends Kind>(
  kind: K,
  said: WireSaid = {},
): { readonly object: KubeObject<K>; readonly spec: Specs[K]; readonly warnings: readonly string[] } => {
  const read = readObject(kind, aWireObject(kind, said));
  if (read.outcome !== 'read') throw new TypeError(read.problems.map(printProblem).join('; '));
  const object = read.object as KubeObject<K>;
  return { object, spec: object.spec, warnings: read.warnings.map(printProblem) };
};

/** The spec of a policy object that must be good; throws with its problems when it is rejected. */
export const goodSpec = <K extends Kind>(kind: K, said: WireSaid): Exclude<Specs[K], Rejected> => {
  const { spec } = readWire(kind, said);
  if (isRejected(spec)) throw new TypeError(spec.rejected.map(printProblem).join('\n'));
  return spec as Exclude<Specs[K], Rejected>;
};

/** What a policy object is rejected for, a line for each problem, and what it closes; throws when it is good. */
export const rejection = <K extends Kind>(
  kind: K,
  said: WireSaid,
): Omit<Extract<Specs[K], Rejected>, 'rejected'> & { readonly problems: readonly string[] } => {
  const { spec } = readWire(kind, said);
  if (!isRejected(spec)) throw new TypeError(`${kind} ${JSON.stringify(said)} is not rejected`);
  const { rejected, ...closes } = spec as Extract<Specs[K], Rejected>;
  return { problems: rejected.map(printProblem), ...closes };
};
