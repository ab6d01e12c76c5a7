import { nearestWord } from '@gatehouse/core/nearest-word';
import type { Problem } from '@gatehouse/core/problem';
import type { Kind } from '@gatehouse/core/resources/kinds';
import { kinds, kindTable } from '../kind-table.ts';
import type { WireObject } from '../parse/fields.ts';
import { workloadGroup, workloadKinds } from './workload.ts';
import { writtenText } from './written-text.ts';

/** What a document says it is; `apps/v1` is of the group `apps`, `v1` of the core group. */
export interface WrittenKind {
  readonly group: string;
  readonly wireKind: string;
}

export const writtenKind = ({ apiVersion, kind }: WireObject): WrittenKind => {
  const version = writtenText(apiVersion);
  return { group: version.slice(0, Math.max(0, version.lastIndexOf('/'))), wireKind: writtenText(kind) };
};

const knownKinds: readonly WrittenKind[] = [
  ...kinds.map((kind): WrittenKind => kindTable[kind]),
  ...workloadKinds.map((wireKind) => ({ group: workloadGroup, wireKind })),
];

const printGroup = (group: string): string => (group === '' ? 'the core group' : `\`${group}\``);

const groupsOf = (wireKind: string): readonly string[] =>
  knownKinds.filter((known) => known.wireKind === wireKind).map(({ group }) => group);

const nearestKind = (wireKind: string): string | undefined =>
  nearestWord(wireKind, [...new Set(knownKinds.map((known) => known.wireKind))]);

const fixKind = (wireKind: string): string => {
  const groups = groupsOf(wireKind).map(printGroup);
  if (groups.length > 0) return `${wireKind} is read from ${groups.join(' and ')}`;
  const near = nearestKind(wireKind);
  return near === undefined ? 'nothing of it is used' : `did you mean \`${near}\`?`;
};

/** Whether a kind that nobody reads is one of another project, such as ConfigMap, rather than one of ours, misspelt. */
export const isForeignKind = (written: WrittenKind): boolean =>
  groupsOf(written.wireKind).length === 0 &&
  nearestKind(written.wireKind) === undefined &&
  closingKindsMeant(written).length === 0;

/** What to say of a kind that nobody reads. */
export const unknownKind = ({ group, wireKind }: WrittenKind): Problem => ({
  field: 'kind',
  found: `${wireKind} of ${printGroup(group)} is not read`,
  fix: fixKind(wireKind),
});

/** The kinds that close something by being there; of all others a misspelt one only grants nothing. */
const closing = [
  'Namespace',
  'NetworkAuthenticationPolicy',
  'Server',
  'HTTPRoute',
  'GatewayHTTPRoute',
  'GRPCRoute',
  'HTTPLocalRateLimitPolicy',
] as const satisfies readonly Kind[];

/**
 * Which of those a kind that nobody reads may be, misspelt. It then closes what it may have governed (design §15.4); the
 * kinds of others do not, and most folders hold some.
 */
export const closingKindsMeant = (written: WrittenKind): readonly Kind[] =>
  closing.filter((kind) => isMeant(written, kindTable[kind]));

const isMeant = ({ group, wireKind }: WrittenKind, known: WrittenKind): boolean => {
  if (!isNear(wireKind, known.wireKind)) return false;
  // A forgotten group reads as the core group, which has no such kind.
  if (group === '' || isNear(group, known.group)) return true;
  // Nobody else has a kind of our own name; and some write the core group as references do.
  return known.group === '' ? group === 'core' : known === kindTable.NetworkAuthenticationPolicy;
};

const isNear = (written: string, known: string): boolean =>
  written === known || (known !== '' && nearestWord(written, [known]) === known);
