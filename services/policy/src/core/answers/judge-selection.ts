import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { skippedPorts } from '@gatehouse/core/mesh/proxy-bypass';
import type { PortRange } from '@gatehouse/core/port-set';
import { compareText } from '@gatehouse/core/resources/creation-order';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { type Enforcement, type NotEnforced, whyBypassed } from '../inbound/enforcement.ts';

/** A pod, and whether a proxy of this mesh stands before it. */
export interface JudgedPod {
  readonly pod: KubeObject<'Pod'>;
  readonly enforcement: Enforcement;
}

/** How much of what an object selects it has effect on. */
export type SelectionState = 'enforced' | 'partly-enforced' | 'not-enforced' | 'matches-nothing';

/** The pods that an object selects, and those where it has no effect. */
export interface JudgedSelection {
  readonly state: SelectionState;
  readonly count: number;
  /** The first by name. */
  readonly names: readonly string[];
  /** The first of them by name; `some-ports` where others of its ports are enforced. */
  readonly notEnforced: readonly {
    readonly pod: string;
    readonly reason: NotEnforced;
    readonly why: string;
  }[];
  readonly notEnforcedCount: number;
}

/** So many pods are named at most. */
const mostNames = 100;

/**
 * Whether it counts. Of pods that have ended nothing is said. Those that are being deleted and have no proxy are what a rollout
 * leaves behind when injection was enabled: there is nothing to do about them but to wait.
 */
export const isJudged = ({ pod, enforcement }: JudgedPod): boolean =>
  enforcement.kind === 'enforced' || (enforcement.reason !== 'ended' && pod.meta.deletedAt === undefined);

/** A pod where an object has no effect, or not on all of its ports. */
export interface Shortfall {
  /** Its name. */
  readonly pod: string;
  readonly reason: NotEnforced;
  readonly why: string;
  readonly extent: 'all' | 'some';
}

/** All of them, by name. */
export const shortfallsOf = (
  selected: readonly JudgedPod[],
  ports: readonly PortSelector[] | 'all',
): readonly Shortfall[] =>
  selected
    .filter(isJudged)
    .flatMap(({ pod, enforcement }): readonly Shortfall[] => {
      const verdict =
        enforcement.kind === 'enforced' ? onPorts(pod, ports) : { ...enforcement, extent: 'all' as const };
      if (verdict.kind === 'enforced') return [];
      return [{ pod: pod.meta.name, reason: verdict.reason, why: verdict.why, extent: verdict.extent }];
    })
    .sort((a, b) => compareText(a.pod, b.pod));

/** What an object that selects pods has effect on; `failing` are their shortfalls. */
export const judgeSelection = (
  selected: readonly JudgedPod[],
  failing: readonly Shortfall[],
): JudgedSelection => {
  const pods = selected.filter(isJudged);
  const wholly = failing.filter(({ extent }) => extent === 'all').length;
  return {
    state:
      pods.length === 0
        ? 'matches-nothing'
        : failing.length === 0
          ? 'enforced'
          : wholly === pods.length
            ? 'not-enforced'
            : 'partly-enforced',
    count: pods.length,
    names: pods
      .map(({ pod }) => pod.meta.name)
      .sort(compareText)
      .slice(0, mostNames),
    notEnforced: failing.slice(0, mostNames).map(({ pod, reason, why }) => ({ pod, reason, why })),
    notEnforcedCount: failing.length,
  };
};

type OnPorts =
  | Extract<Enforcement, { kind: 'enforced' }>
  | (Extract<Enforcement, { kind: 'not-enforced' }> & { readonly extent: 'all' | 'some' });

/** Of a pod that has a proxy: some of its ports may bypass it. */
const onPorts = ({ meta, spec }: JudgedPod['pod'], ports: readonly PortSelector[] | 'all'): OnPorts => {
  const skipped = skippedPorts(meta.annotations).ranges;
  if (skipped.length === 0) return { kind: 'enforced' };
  const named: readonly PortRange[] =
    ports === 'all'
      ? [{ first: 1, last: 65_535 }]
      : ports.flatMap((selector) =>
          selector.kind === 'range'
            ? [selector]
            : spec.ports
                .filter(({ name }) => name === selector.name)
                .map(({ port }) => ({ first: port, last: port })),
        );
  const touched = named.filter((range) =>
    skipped.some(({ first, last }) => first <= range.last && range.first <= last),
  );
  if (touched.length === 0) return { kind: 'enforced' };
  const wholly = named.every((range) =>
    skipped.some(({ first, last }) => first <= range.first && range.last <= last),
  );
  return {
    kind: 'not-enforced',
    reason: 'skipped-port',
    why: whyBypassed['skipped-port'],
    extent: wholly ? 'all' : 'some',
  };
};
