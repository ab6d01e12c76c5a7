import { intern } from '../intern.ts';
import type { Fields } from './fields.ts';

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
  /** A Gateway, a mesh of somebody else. */
  | { readonly kind: 'other' };

export interface RouteContext {
  /** The route's own API group, which a parent without group is of. */
  readonly group: string;
  readonly namespace: string;
  /** Whether to refuse what cannot be attached, or only to say what would be. */
  readonly refuse: boolean;
}

const isService = (group: string, kind: string): boolean =>
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
  return other === namespace ? { kind: 'Server', name: intern(name) } : { kind: 'other' };
};

export const readParent = (ref: Fields, route: RouteContext): Parent | undefined => {
  const group = (ref.text('group') ?? route.group).toLowerCase();
  const kind = (ref.text('kind') ?? 'Gateway').toLowerCase();
  const name = ref.need('name', 'name the parent') ? ref.text('name') : undefined;
  const namespace = ref.text('namespace') || route.namespace;
  const port = ref.port('port');
  ref.text('sectionName');
  ref.close();
  if (name === undefined) return undefined;
  if (group === 'policy.linkerd.io' && kind === 'server') return readServer(ref, name, route);
  const parent = { namespace: intern(namespace), name: intern(name), port };
  if (group === 'policy.linkerd.io' && kind === 'egressnetwork') return { kind: 'EgressNetwork', ...parent };
  return isService(group, kind) ? { kind: 'Service', ...parent } : { kind: 'other' };
};
