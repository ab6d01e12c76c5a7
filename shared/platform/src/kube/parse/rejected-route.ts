import type { RejectedRoute } from '@gatehouse/core/resources/kinds';
import { type Fields, hasOnly, readable } from './fields.ts';
import { closesNothing, type Wire } from './read.ts';
import { readHosts, readParents, serversOf } from './route-parents.ts';

/** What a kind of route has of its own. */
interface RouteForm<Match extends object> {
  /** The API group of a parent that names none. */
  readonly group: string;
  /** What stands for matches that are not written. */
  readonly everything: readonly Match[];
  readonly readMatch: (match: Fields) => Match;
  /** The fields of a rule that do not say which requests it is about: all but `matches`. */
  readonly otherFields: readonly string[];
}

const specFields = ['parentRefs', 'hostnames', 'rules', 'useDefaultGateways'] as const;

/**
 * What is left of a route that is rejected (design §15.1): where it is attached, and which requests are surely its own.
 * An unknown field may be a misspelt host or match, so it makes unknown whatever stands beside it.
 */
export const rejectRoute = <Match extends object>(
  spec: Fields,
  { meta }: Wire,
  form: RouteForm<Match>,
): Omit<RejectedRoute<Match>, 'rejected'> => {
  const parents = readable(spec, (alone) =>
    readParents(alone, { group: form.group, namespace: meta.namespace, refuse: false }),
  );
  return {
    ...closesNothing,
    attachedTo: parents === undefined ? 'all' : serversOf(parents),
    ...whatItKeeps(spec, form),
  };
};

type Kept<Match> = Pick<RejectedRoute<Match>, 'keeps' | 'extent'>;

const whatItKeeps = <Match extends object>(spec: Fields, form: RouteForm<Match>): Kept<Match> => {
  const hosts = readable(spec, readHosts);
  if (hosts === undefined || !hasOnly(spec, specFields)) return { keeps: [], extent: 'unknown' };
  const read = itemsOf(spec, 'rules', (rule) => matchesOf(rule, form)) ?? form.everything;
  const matches = read.flatMap((match) => (match === 'unknown' ? [] : [match]));
  return { keeps: [{ hosts, matches }], extent: matches.length === read.length ? 'known' : 'unknown' };
};

const matchesOf = <Match extends object>(
  rule: Fields,
  form: RouteForm<Match>,
): readonly (Match | 'unknown')[] => {
  if (!hasOnly(rule, ['matches', ...form.otherFields])) return ['unknown'];
  const matches = itemsOf(rule, 'matches', (match) => [readable(match, form.readMatch) ?? 'unknown']) ?? [];
  return matches.length === 0 ? form.everything : matches;
};

/** What a list's items come to; undefined when there is no list. */
const itemsOf = <T>(
  fields: Fields,
  name: string,
  read: (item: Fields) => readonly (T | 'unknown')[],
): readonly (T | 'unknown')[] | undefined => {
  const alone = fields.alone();
  if (!alone.has(name)) return undefined;
  const items = alone.each(name, (value, item) => {
    const inner = alone.open(value, item);
    return inner === undefined ? ['unknown' as const] : read(inner);
  });
  return items?.flat() ?? ['unknown'];
};
