import { SetMap } from '@gatehouse/core/dependency/set-map';
import { type IpAddress, printIp, readIp } from '@gatehouse/core/ip-network';
import { everything, type LabelSelector, type Labels, selects } from '@gatehouse/core/label-selector';
import { addressHolder, type NamedClaimants, nameClaimants } from '@gatehouse/core/mesh/address-holder';
import { isSameIdentity, type Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import { type Caller, type ContestedAddress, type MeshView, meshViewOf } from '../policy-view.ts';

type Pod = KubeObject<'Pod'>;

/** One caller before and after a batch; equal ones are left out. */
export interface CallerChange {
  readonly before: Caller | undefined;
  readonly after: Caller | undefined;
}

export interface NamespaceChange {
  readonly before: Labels | undefined;
  readonly after: Labels | undefined;
}

interface Neighbourhood {
  readonly callers: Map<string, Caller>;
  /** By label name, then value; for the names that sources have asked for. */
  readonly byLabel: Map<string, SetMap<string, Caller>>;
}

/**
 * The callers of `meshViewOf`, kept up to date as pods come and go: a batch costs what it changes. A pod's standing depends
 * only on itself and on the pods that share an address with it, so `meshViewOf` is asked about those alone, and a removed
 * address and its reuse are seen together.
 */
export class CallerIndex {
  /** A view in which nothing has been seen. */
  readonly nobody: MeshView;
  readonly #neighbourhoods = new Map<string, Neighbourhood>();
  readonly #podsByAddress = new SetMap<string, Pod>();
  readonly #contested = new Map<string, NamedClaimants>();
  readonly #namespaces = new Map<string, Labels>();

  constructor(mesh: Mesh) {
    this.nobody = { mesh, namespaces: new Map(), callers: new Map() };
  }

  /** Labels of the namespaces that exist, by name. */
  get namespaces(): ReadonlyMap<string, Labels> {
    return this.#namespaces;
  }

  /** The addresses that are nobody's because several pods claim them (design §15.2). */
  get contested(): ReadonlyMap<string, NamedClaimants> {
    return this.#contested;
  }

  /** Returns how the namespaces' labels changed; undefined = there is none of that name. */
  applyNamespaces(touched: readonly Touched<'Namespace'>[]): readonly NamespaceChange[] {
    return touched.map(({ before, after }) => {
      const name = (after ?? before)?.meta.name ?? '';
      const old = this.#namespaces.get(name);
      const { namespaces } = meshViewOf({
        mesh: this.nobody.mesh,
        pods: [],
        namespaces: after === undefined ? [] : [after],
      });
      const labels = namespaces.get(name);
      if (labels === undefined) this.#namespaces.delete(name);
      else this.#namespaces.set(name, labels);
      return { before: old, after: labels };
    });
  }

  /** Takes a whole batch; answers the callers that it changed. */
  applyPods(touched: readonly Touched<'Pod'>[]): readonly CallerChange[] {
    const concerned = new Set<Pod>();
    for (const { before } of touched) if (before !== undefined) this.#enter(before, 'remove');
    for (const { after } of touched) {
      if (after === undefined) continue;
      this.#enter(after, 'add');
      concerned.add(after);
    }
    for (const { before, after } of touched) {
      for (const state of [before, after]) {
        if (state !== undefined) for (const sharer of this.#sharersOf(state)) concerned.add(sharer);
      }
    }
    this.#noteContests(touched);
    return this.#replace(touched, concerned);
  }

  /**
   * The part of the view that a source's selectors can reach, in the form `resolveSource` reads. A pod that lacks a
   * label on which the source insists is not looked at.
   */
  reachOf({ podSelector = everything, namespaceSelector }: PolicySource, policyNamespace: string): MeshView {
    const namespaces = new Map<string, Labels>();
    const callers = new Map<string, readonly Caller[]>();
    for (const namespace of this.#selected(namespaceSelector, policyNamespace)) {
      const labels = this.#namespaces.get(namespace);
      if (labels !== undefined) namespaces.set(namespace, labels);
      callers.set(namespace, this.#candidates(namespace, podSelector));
    }
    return { mesh: this.nobody.mesh, namespaces, callers };
  }

  *#selected(namespaceSelector: LabelSelector | undefined, own: string): Generator<string> {
    if (namespaceSelector === undefined) yield own;
    else {
      for (const [name, labels] of this.#namespaces) if (selects(namespaceSelector, labels)) yield name;
    }
  }

  #candidates(namespace: string, { matchLabels }: LabelSelector): readonly Caller[] {
    const neighbourhood = this.#neighbourhoods.get(namespace);
    if (neighbourhood === undefined) return [];
    for (const [key, value] of Object.entries(matchLabels)) {
      let bearers = neighbourhood.byLabel.get(key);
      if (bearers === undefined) {
        bearers = new SetMap();
        neighbourhood.byLabel.set(key, bearers);
        for (const caller of neighbourhood.callers.values()) {
          const its = labelOf(caller, key);
          if (its !== undefined) bearers.add(its, caller);
        }
      }
      return [...bearers.get(value)];
    }
    return [...neighbourhood.callers.values()];
  }

  #noteContests(touched: readonly Touched<'Pod'>[]): void {
    for (const { before, after } of touched) {
      for (const state of [before, after]) {
        for (const address of state === undefined ? [] : addressesOf(state)) {
          const holder = addressHolder(this.#podsByAddress.get(address));
          if (holder.kind === 'contested') this.#contested.set(address, nameClaimants(holder.claimants));
          else this.#contested.delete(address);
        }
      }
    }
  }

  #enter(pod: Pod, how: 'add' | 'remove'): void {
    for (const address of addressesOf(pod)) this.#podsByAddress[how](address, pod);
  }

  *#sharersOf(pod: Pod): Generator<Pod> {
    for (const address of addressesOf(pod)) yield* this.#podsByAddress.get(address);
  }

  #replace(touched: readonly Touched<'Pod'>[], concerned: ReadonlySet<Pod>): readonly CallerChange[] {
    // Whether an address is a pod's own depends on all that share it, though they themselves may not change.
    const asked = new Set<Pod>(concerned);
    for (const pod of concerned) for (const sharer of this.#sharersOf(pod)) asked.add(sharer);
    const fresh = new Map<string, Caller>();
    const { callers } = meshViewOf({ mesh: this.nobody.mesh, pods: asked, namespaces: [] });
    for (const list of callers.values()) for (const caller of list) fresh.set(keyOf(caller), caller);

    const changes: CallerChange[] = [];
    const settle = (namespace: string, name: string): void => {
      const before = this.#neighbourhoods.get(namespace)?.callers.get(name);
      const after = fresh.get(keyOf({ namespace, name }));
      if (before === after || (before !== undefined && after !== undefined && isSame(before, after))) return;
      this.#put(namespace, name, after);
      changes.push({ before, after });
    };
    for (const { before, after } of touched) {
      const meta = (after ?? before)?.meta;
      if (meta !== undefined) settle(meta.namespace, meta.name);
    }
    for (const { meta } of concerned) settle(meta.namespace, meta.name);
    return changes;
  }

  #put(namespace: string, name: string, after: Caller | undefined): void {
    const neighbourhood = this.#neighbourhoods.get(namespace) ?? { callers: new Map(), byLabel: new Map() };
    const before = neighbourhood.callers.get(name);
    for (const [key, bearers] of neighbourhood.byLabel) {
      const [old, fresh] = [before, after].map((state) => state && labelOf(state, key));
      if (before !== undefined && old !== undefined) bearers.remove(old, before);
      if (after !== undefined && fresh !== undefined) bearers.add(fresh, after);
    }
    if (after === undefined) neighbourhood.callers.delete(name);
    else neighbourhood.callers.set(name, after);
    if (neighbourhood.callers.size === 0) this.#neighbourhoods.delete(namespace);
    else this.#neighbourhoods.set(namespace, neighbourhood);
  }
}

const labelOf = ({ labels }: Caller, key: string): string | undefined =>
  Object.hasOwn(labels, key) ? labels[key] : undefined;

const keyOf = ({ namespace, name }: Pick<Caller, 'namespace' | 'name'>): string => `${namespace}/${name}`;

/** In one spelling, as IPv6 has several. */
const addressesOf = ({ spec }: Pod): readonly string[] =>
  spec.ips.flatMap((text) => {
    const ip = readIp(text);
    return ip === undefined ? [] : [printIp(ip)];
  });

const isSame = (a: Caller, b: Caller): boolean => sameLabels(a.labels, b.labels) && sameStanding(a, b);

const sameLabels = (a: Labels, b: Labels): boolean => {
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && a[key] === b[key])
  );
};

const sameStanding = ({ standing: a }: Caller, { standing: b }: Caller): boolean => {
  if (a.kind !== 'meshed' || b.kind !== 'meshed') return a.kind === b.kind;
  return (
    isSameIdentity(a.identity, b.identity) &&
    same(a.addresses, b.addresses, sameAddress) &&
    same(a.contested, b.contested, sameContest)
  );
};

const sameAddress = (a: IpAddress, b: IpAddress): boolean => a.family === b.family && a.bits === b.bits;

const sameContest = (a: ContestedAddress, b: ContestedAddress): boolean =>
  sameAddress(a.ip, b.ip) && a.count === b.count && same(a.claimants, b.claimants, Object.is);

const same = <T>(a: readonly T[], b: readonly T[], isSame: (a: T, b: T) => boolean): boolean =>
  a.length === b.length && a.every((item, at) => isSame(item, b[at] as T));
