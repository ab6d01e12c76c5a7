import { isDeepStrictEqual } from 'node:util';
import { type Attempt, evaluate, type Verdict } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { type Described, differences, hasAttachedRoutes, type Question } from './differences.ts';
import { normalForm } from './normal-form.ts';
import { probesOn } from './pod-facts.ts';
import { type Answer, whyNoRow } from './two-controllers.ts';

export interface Comparison extends Question {
  readonly linkerd: Answer;
  readonly gatehouse: Answer;
  /** For ports on which rows may differ in form. */
  readonly attempts: readonly Attempt[];
}

/** What both say of a port: the same, the same but for rows of the table of differences, or something else. */
export type Outcome =
  | { readonly kind: 'agree'; readonly differing: readonly string[] }
  | { readonly kind: 'disagree'; readonly report: string };

/** The row of the table for which no row of Linkerd's can be turned into ours: what counts is what becomes of requests. */
export const probesBesideRoutes: Described = {
  name: 'A probe beside attached routes',
  reason: 'stays open, and keeps nobody out whom a route admits; in Linkerd a route takes its place',
  shownBy: {
    file: 'services/policy/src/core/inbound/attached-routes.test.ts',
    title: 'stay open under a route that matches, which keeps whom it admits',
  },
};

export const compare = (comparison: Comparison): Outcome => {
  const { linkerd, gatehouse } = comparison;
  if (linkerd.kind !== 'row' || gatehouse.kind !== 'row') {
    const neither = linkerd.kind === 'none' && isDeepStrictEqual(linkerd, gatehouse);
    return neither ? agree : disagree(linkerd, gatehouse);
  }
  let expected = linkerd.server;
  const differing: string[] = [];
  for (const { name, ours } of differences) {
    const changed = ours(expected, comparison);
    if (!isDeepStrictEqual(normalForm(changed), normalForm(expected))) differing.push(name);
    expected = changed;
  }
  if (isDeepStrictEqual(normalForm(expected), normalForm(gatehouse.server)))
    return { kind: 'agree', differing };
  if (hasAttachedRoutes(expected)) {
    const report = probesDecide(expected, gatehouse.server, comparison);
    if (report === undefined) return { kind: 'agree', differing: [...differing, probesBesideRoutes.name] };
    if (report !== 'no probes') return { kind: 'disagree', report };
  }
  return disagree({ ...linkerd, server: expected }, gatehouse);
};

const agree: Outcome = { kind: 'agree', differing: [] };

const disagree = (linkerd: Answer, gatehouse: Answer): Outcome => ({
  kind: 'disagree',
  report: `Linkerd, as it is meant here: ${print(linkerd)}\nGatehouse: ${print(gatehouse)}`,
});

/** Undefined when requests fare alike but for probes, which are open. */
const probesDecide = (
  theirs: InboundServer,
  ours: InboundServer,
  { pod, port, attempts }: Comparison,
): string | undefined => {
  const { http, byOtherName, grpc } = probesOn(pod, port);
  const paths = [
    ...http,
    ...byOtherName,
    ...(port === 4191 && pod.kind !== 'ExternalWorkload' ? ['/live', '/ready'] : []),
  ];
  if (paths.length === 0 && !grpc) return 'no probes';
  for (const attempt of attempts) {
    const [their, our] = [theirs, ours].map((server) => evaluate(server, attempt, matchesWhole));
    const isProbe = attempt.traffic.kind === 'http' && isProbeRequest(attempt.traffic, { paths, grpc });
    const same = isProbe ? isOpened(their, our) : isDeepStrictEqual(outcomeOf(their), outcomeOf(our));
    if (!same) return `${printValue(attempt)}: Linkerd ${printValue(their)}, Gatehouse ${printValue(our)}`;
  }
  return undefined;
};

const isProbeRequest = (
  { method, target }: { readonly method: string; readonly target: string },
  { paths, grpc }: { readonly paths: readonly string[]; readonly grpc: boolean },
): boolean => {
  const [path = ''] = target.split('?');
  return method === 'GET'
    ? paths.includes(path)
    : method === 'POST' && grpc && path === '/grpc.health.v1.Health/Check';
};

/** Allowed; and where it was allowed before, with the same filters. */
const isOpened = (their: Verdict | undefined, our: Verdict | undefined): boolean =>
  our?.kind === 'allowed' && (their?.kind !== 'allowed' || isDeepStrictEqual(their.filters, our.filters));

const outcomeOf = (verdict: Verdict | undefined): object | undefined =>
  verdict?.kind === 'allowed' ? { route: verdict.route, filters: verdict.filters } : verdict;

const print = (answer: Answer): string =>
  answer.kind === 'row' ? printValue(normalForm(answer.server)) : whyNoRow(answer);

const printValue = (value: unknown): string =>
  JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? `${inner}` : inner));
