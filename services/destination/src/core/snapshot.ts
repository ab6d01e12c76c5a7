import { type Address, localityOf } from './endpoints/endpoint.ts';
import type { EndpointSet } from './endpoints/endpoint-set.ts';
import { type ClientPlace, dependsOnNode, endpointsFor } from './endpoints/filter.ts';

/** What one client should know of a name at one moment, whole. Clients that should know the same share it. */
export type Snapshot =
  | { readonly kind: 'missing' }
  | { readonly kind: 'addresses'; readonly addresses: ReadonlyMap<string, Address> };

const missing: Snapshot = Object.freeze({ kind: 'missing' });
const empty: Snapshot = Object.freeze({ kind: 'addresses', addresses: new Map<string, Address>() });

/** What was filtered from one set so far. */
interface Views {
  readonly byNode: boolean;
  readonly snapshots: Map<string, Snapshot>;
}

/** Filters a set once for all clients that the filters cannot tell apart. */
export class Snapshots {
  readonly #views = new WeakMap<EndpointSet, Views>();

  of(set: EndpointSet, client: ClientPlace): Snapshot {
    switch (set.kind) {
      case 'missing':
        return missing;
      case 'external-name':
        // Get refuses such a name; a stream that is open when a Service becomes one is emptied.
        return empty;
      case 'endpoints': {
        const { byNode, snapshots } = this.#viewsOf(set);
        const key = `${byNode ? client.nodeName : ''}/${client.zone}`;
        let snapshot = snapshots.get(key);
        if (snapshot === undefined) {
          snapshot = take(set, client);
          snapshots.set(key, snapshot);
        }
        return snapshot;
      }
    }
  }

  #viewsOf(set: Filled): Views {
    let views = this.#views.get(set);
    if (views === undefined) {
      views = { byNode: dependsOnNode(set.endpoints, set.rules), snapshots: new Map() };
      this.#views.set(set, views);
    }
    return views;
  }
}

type Filled = EndpointSet & { readonly kind: 'endpoints' };

const take = (set: Filled, client: ClientPlace): Snapshot => {
  const addresses = new Map<string, Address>();
  for (const { key, place, seenAs } of endpointsFor(set.endpoints, set.rules, client)) {
    addresses.set(key, seenAs[localityOf(place.zone, client.zone)]);
  }
  return { kind: 'addresses', addresses };
};
