import { nearestWord } from '@gatehouse/core/nearest-word';
import { intern } from '../intern.ts';
import { describe, type Fields } from './fields.ts';

/** What a route is attached to, as far as it concerns us. */
export type Parent =
  | { readonly kind: 'Server'; readonly name: string }
  | {
      readonly kind: 'Service';
      readonly namespace: string;
      readonly name: string;
      readonly port: number | undefined;
    }
  | {
      readonly kind: 'EgressNetwork';
      readonly namespace: string;
      readonly name: string;
      readonly port: number | undefined;
    }
  /** A Gateway, another mesh. */
  | { readonly kind: 'other' };

export interface RouteContext {
  /** The route's own API group, which a parent without group is of. */
  readonly group: string;
  readonly namespace: string;
  /** Whether to refuse what cannot be attached, or only to say what would be. */
  readonly refuse: boolean;
}

const isService = (group: string, kind: string | undefined): boolean =>
  (group === '' || group === 'core') && kind === 'service';

/** A Server is of the route's own namespace and has no sections; the ports of Services are theirs (semantics §2.7). */
const readServer = (ref: Fields, name: string, { namespace, refuse }: RouteContext): Parent => {
  const other = ref.text('namespace') || namespace;
  if (refuse) {
    for (const field of ['port', 'sectionName']) {
      if (ref.has(field)) ref.refuse(field, 'a Server has no parts to attach to', 'remove the field');
    }
    if (other !== namespace) {
      ref.refuse('namespace', `\`${other}\` is another namespace`, `use a Server of \`${namespace}\``);
    }
  }
  // Of a rejected route the Server of its own namespace, which is the one that it may have restricted.
  return { kind: 'Server', name: intern(name) };
};

const linkerd = 'policy.linkerd.io';

/** What else may stand in a parent of Linkerd's group, which is that of its routes where none is written. */
const otherKinds: readonly string[] = ['egressnetwork', 'gateway', 'service'];

/**
 * Whether it was meant as a Server: a kind or group with a slip, or one left out. Taken for another controller's parent it would
 * leave the Server without the route, and open to others what the route restricts (design §15.1).
 */
const isMeantAsServer = (group: string, kind: string | undefined): boolean => {
  const isOurs = nearestWord(group, [linkerd]) !== undefined;
  if (kind !== undefined && nearestWord(kind, ['server']) !== undefined)
    return isOurs || ['', 'core', 'gateway.networking.k8s.io'].includes(group);
  return isOurs && (kind === undefined || !otherKinds.includes(kind));
};

export const readParent = (ref: Fields, route: RouteContext): Parent | undefined => {
  const group = (ref.text('group') ?? route.group).toLowerCase();
  const kind = ref.text('kind')?.toLowerCase();
  const name = ref.need('name', 'name the parent') ? ref.text('name') : undefined;
  const namespace = ref.text('namespace') || route.namespace;
  const port = ref.port('port');
  ref.text('sectionName');
  ref.close();
  if (name === undefined) return undefined;
  if (name === '') return ref.refuse('name', describe(name), 'name the parent');
  if (group === linkerd && kind === 'server') return readServer(ref, name, route);
  const parent = { namespace: intern(namespace), name: intern(name), port };
  if (group === linkerd && kind === 'egressnetwork') return { kind: 'EgressNetwork', ...parent };
  if (isService(group, kind)) return { kind: 'Service', ...parent };
  if (!isMeantAsServer(group, kind)) return { kind: 'other' };
  if (route.refuse) {
    const found = `${kind === undefined ? 'no kind' : describe(kind)} of ${describe(group)} is not known here`;
    ref.refuseSelf(found, `a Server is \`group: ${linkerd}\` and \`kind: Server\``);
  }
  return { kind: 'Server', name: intern(name) };
};
