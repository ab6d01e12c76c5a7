import type { SelectedServers } from '@gatehouse/core/mesh/select-server';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import { attachedTo, isPerhapsElsewhere, type PortRoutes, writtenKindOf } from './attached-routes.ts';
import { protocolUnder, protocolWithoutServer } from './govern.ts';
import type { Finding, PortInput } from './model.ts';
import { rowBudgetNames } from './row-budgets.ts';

/**
 * Which grants on a port count for nothing while something that restricts them cannot be read (design §15.1). Routes are
 * restrictions: the most specific one decides about a request, and where it is missing, another whose author admits
 * others. A Server restricts by the protocol and the routes that it has. Where nobody can say what they were, whatever
 * they may have kept from somebody is withheld.
 */
export type Doubt =
  | { readonly withheld: 'nothing' }
  /** Grants on some requests only, by a route or by rules; those on the whole port stand. */
  | { readonly withheld: 'requests'; readonly message: string }
  | { readonly withheld: 'everything'; readonly message: string };

export const doubtAbout = (input: PortInput, servers: SelectedServers, routes: PortRoutes): Doubt => {
  const { governing } = servers;
  const { port, unreadableManifests, workload } = input;
  if (workload.unread !== undefined) {
    const what = workload.kind === undefined ? 'pod' : 'ExternalWorkload';
    const message = `What the ${what} says in ${workload.unread.join(', ')} could not be read, and nobody can say which policies are for it, so nothing is granted on port ${port}.`;
    return { withheld: 'everything', message };
  }
  if (governing !== undefined && isRejected(governing.spec)) {
    const message = `Server ${governing.meta.name} could not be read, and nobody can say what it makes of port ${port}, so nothing is granted there.`;
    const governors = possibleGovernors(servers);
    if (!areAlike(governors, input)) return { withheld: 'everything', message };
  }
  const unread = [...routes.sent, ...routes.leftOut].find(
    (route) =>
      isPerhapsElsewhere(route, routes) || (isRejected(route.spec) && route.spec.extent === 'unknown'),
  );
  if (unread !== undefined) {
    const message = `${writtenKindOf(unread)} ${unread.meta.name} could not be read, and nobody can say which requests of the port are its own, so nothing is granted on single requests of port ${port}.`;
    return { withheld: 'requests', message };
  }
  const [first] = routes.leftOut;
  if (first !== undefined) {
    const message = `${writtenKindOf(first)} ${first.meta.name} and all newer ones are over what one port may have (${rowBudgetNames.attachedMatches}), so nothing is granted on single requests of port ${port}.`;
    return { withheld: 'requests', message };
  }
  if (unreadableManifests === 'none') return { withheld: 'nothing' };
  const message = `A manifest was never read, and may hold a route, so nothing is granted on single requests of port ${port}.`;
  return { withheld: 'requests', message };
};

/** What to tell the author of a grant that is withheld; undefined where it stands. */
export const withheldBy = (
  doubt: Doubt,
  grant: 'port' | 'requests',
): Pick<Finding, 'reason' | 'message'> | undefined => {
  if (doubt.withheld === 'nothing') return undefined;
  return doubt.withheld === 'everything' || grant === 'requests'
    ? { reason: 'InDoubt', message: doubt.message }
    : undefined;
};

type Governor = KubeObject<'Server'> | undefined;

/** The Server that comes first, and who would govern if it turned out to mean other ports; undefined = nobody. */
export const possibleGovernors = ({ governing, overlapped }: SelectedServers): readonly Governor[] => {
  if (governing === undefined) return [undefined];
  const servers = [governing, ...overlapped];
  const sure = servers.findIndex(({ spec }) => !isRejected(spec) || spec.governs === 'surely');
  return sure < 0 ? [...servers, undefined] : servers.slice(0, sure + 1);
};

/** Whether anyone who is admitted to the port may do the same there, whichever of them governs it. */
const areAlike = (governors: readonly Governor[], input: PortInput): boolean => {
  const protocols = new Set(
    governors.map((server) => (server === undefined ? protocolWithoutServer(input) : protocolUnder(server))),
  );
  if (protocols.has(undefined) || protocols.size > 1) return false;
  const isRouted = (server: Governor): boolean =>
    server !== undefined && attachedTo(server, input.policies.routes).length > 0;
  return governors.length === 1 || !governors.some(isRouted);
};
