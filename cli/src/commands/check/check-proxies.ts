import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import { Type } from 'typebox';
import { printMoment } from '../../print/human-time.ts';
import { readIssued } from '../identity/issued.ts';
import type { IssuedItem } from '../identity/issued-item.ts';
import { reportOf } from '../identity/pod-report.ts';
import type { CheckContext } from './check-context.ts';
import { at, items, nameOf, namespaceOf, text } from './cluster-reader.ts';
import { type Check, count, type Finding, failed, ok, skipped, some, warning } from './finding.ts';

type Pod = Readonly<Record<string, unknown>>;

/** As many as identity remembers. */
const mostCertificates = 20_000;

const fullName = (pod: Pod): string => `${namespaceOf(pod)}/${nameOf(pod)}`;

/** Pods that run: those that have ended, or have not begun, hold nothing. */
const runningPods = async ({ cluster, of }: CheckContext): Promise<readonly Pod[]> => {
  const path = of === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${of}/pods`;
  const pods = (await cluster.list(path)) ?? [];
  return pods.filter((pod) => at(pod, 'status', 'phase') === 'Running');
};

const meshedPods = async (context: CheckContext): Promise<readonly Pod[]> =>
  (await runningPods(context)).filter(
    (pod) => at(pod, 'metadata', 'labels', controlPlaneLabel) === context.namespace,
  );

const noneMeshed = ({ of }: CheckContext): Finding =>
  skipped(of === undefined ? 'no pod is in the mesh yet' : `no pod of the namespace ${of} is in the mesh`);

const proxyOf = (pod: Pod): unknown =>
  [...items(at(pod, 'spec', 'initContainers')), ...items(at(pod, 'spec', 'containers'))].find(
    ({ name }) => name === 'linkerd-proxy',
  );

const environmentOf = (pod: Pod, variable: string): string | undefined => {
  const found = items(at(proxyOf(pod), 'env')).find(({ name }) => name === variable);
  return found === undefined ? undefined : text(found.value);
};

const readiness: Check<CheckContext> = {
  name: 'Proxies ready',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const unready = pods.filter((pod) => !isProxyReady(pod)).map(fullName);
    if (unready.length === 0) return ok(`the proxies of ${count(pods.length, 'pod')} are ready`);
    return failed(
      `the proxies of ${some(unready)} are not ready`,
      'see kubectl logs POD -c linkerd-proxy; a proxy is ready once it has its certificate and its policy',
    );
  },
};

const isProxyReady = (pod: Pod): boolean =>
  [
    ...items(at(pod, 'status', 'initContainerStatuses')),
    ...items(at(pod, 'status', 'containerStatuses')),
  ].every(({ name, ready }) => name !== 'linkerd-proxy' || ready === true);

const Log = Type.Object({ since: Type.String() });

const certificates: Check<CheckContext> = {
  name: 'Certificates of the proxies',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const identity = await context.api('identity');
    const query = context.of === undefined ? {} : { namespace: context.of };
    const { items: issued, partial } = await readIssued(identity, query, mostCertificates);
    const since = Date.parse((await identity.json(Log, '/v1/issuance-log')).since);
    const byPod = Map.groupBy(issued, ({ pod }) => pod?.uid ?? '');
    const told = pods.map((pod) => judgeCertificate(pod, byPod, { since, now: context.now() }));
    const names = (wanted: (typeof told)[number]) =>
      pods.filter((_, index) => told[index] === wanted).map(fullName);
    const [none, ended, late, unknown] = [names('none'), names('ended'), names('late'), names('unknown')];
    const findings: Finding[] = [];
    if (none.length > 0 && partial.length === 0)
      findings.push(
        failed(
          `${some(none)} asked for no certificate`,
          'see kubectl logs POD -c linkerd-proxy: whether identity is reached, and its token accepted',
        ),
      );
    if (ended.length > 0)
      findings.push(
        failed(
          `the certificates of ${some(ended)} are not valid now`,
          'gatehouse identity POD shows them; docs/clocks.md',
        ),
      );
    if (late.length > 0)
      findings.push(
        warning(
          `${some(late)} should have renewed their certificates by now`,
          'see kubectl logs POD -c linkerd-proxy: whether identity is reached',
        ),
      );
    if (findings.length > 0) return findings;
    const rest = unknown.length + (partial.length > 0 ? none.length : 0);
    return ok(
      `${count(pods.length - rest, 'pod')} of ${pods.length} hold a valid certificate${
        rest === 0
          ? ''
          : `; of the others identity, which remembers what it issued since ${printMoment(since, context.now())}, cannot tell`
      }`,
    );
  },
};

const judgeCertificate = (
  pod: Pod,
  byPod: ReadonlyMap<string, readonly IssuedItem[]>,
  { since, now }: { readonly since: number; readonly now: number },
): 'valid' | 'none' | 'ended' | 'late' | 'unknown' => {
  const report = reportOf(byPod.get(text(at(pod, 'metadata', 'uid'))) ?? [], now);
  const started = Date.parse(text(at(pod, 'status', 'startTime')));
  if (report === undefined) return started >= since ? 'none' : 'unknown';
  if (report.state !== 'valid') return 'ended';
  return report.overdue ? 'late' : 'valid';
};

const Streams = Type.Object({
  items: Type.Array(
    Type.Object({
      method: Type.String(),
      target: Type.String(),
      version: Type.Union([Type.String(), Type.Null()]),
    }),
  ),
  continue: Type.Optional(Type.String()),
  partial: Type.Optional(Type.Array(Type.Object({ replica: Type.String(), reason: Type.String() }))),
});
const Port = Type.Object({ version: Type.Optional(Type.Union([Type.String(), Type.Null()])) });

/** Comparing is a question for each port: enough to see whether policy reaches proxies at all. */
const mostCompared = 100;

const policies: Check<CheckContext> = {
  name: 'Policy of the proxies',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const policy = await context.api('policy');
    const watched = new Map<string, string | null>();
    let isWhole = true;
    let mark: string | undefined;
    do {
      const page = await policy.json(Streams, '/v1/streams', { limit: 1_000, continue: mark });
      for (const { method, target, version } of page.items)
        if (method === 'InboundServerPolicies/WatchPort') watched.set(target, version);
      isWhole &&= (page.partial ?? []).length === 0;
      mark = page.continue;
    } while (mark !== undefined);
    const podsOfStreams = new Set([...watched.keys()].map((target) => target.replace(/:\d+$/, '')));
    const unwatched = pods.map(fullName).filter((name) => !podsOfStreams.has(name));
    if (unwatched.length > 0 && isWhole)
      return failed(
        `the proxies of ${some(unwatched)} do not watch their policy: what they were told last, or their default, is in force`,
        'see kubectl logs POD -c linkerd-proxy: whether policy is reached, and which name it shows',
      );
    const ours = new Set(pods.map(fullName));
    const compared = [...watched]
      .filter(([target]) => ours.has(target.replace(/:\d+$/, '')))
      .slice(0, mostCompared);
    const behind: string[] = [];
    for (const [target, version] of compared) {
      const [pod = '', port = ''] = target.split(':');
      const [namespace = '', name = ''] = pod.split('/');
      const path = `/v1/workloads/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/ports/${port}`;
      const row = await policy.json(Port, path).catch(() => undefined);
      if (row?.version != null && row.version !== version) behind.push(target);
    }
    if (behind.length > 0)
      return warning(
        `${some(behind)} were sent another policy than is in force now`,
        'run gatehouse check again; if it stays, see the log of gatehouse-policy and that of the proxy',
      );
    return isWhole
      ? ok(`each of ${count(pods.length, 'pod')} watches its policy, and has what is in force`)
      : skipped('another replica of policy could not be asked who watches there');
  },
};

interface Admission {
  readonly everywhere: boolean;
  readonly anybody: boolean;
}

/** Whom a default policy admits; audit admits all and tells. */
const admissions: Readonly<Record<string, Admission | undefined>> = {
  'all-unauthenticated': { everywhere: true, anybody: true },
  audit: { everywhere: true, anybody: true },
  'all-authenticated': { everywhere: true, anybody: false },
  'cluster-unauthenticated': { everywhere: false, anybody: true },
  'cluster-authenticated': { everywhere: false, anybody: false },
};

const isKnown = (policy: string): boolean => policy === 'deny' || admissions[policy] !== undefined;

/** Whether the first admits somebody whom the second does not. */
export const isLooser = (policy: string, than: string): boolean => {
  const [one, other] = [admissions[policy], admissions[than]];
  if (one === undefined) return false;
  return other === undefined || (one.everywhere && !other.everywhere) || (one.anybody && !other.anybody);
};

const defaultAnnotation = 'config.linkerd.io/default-inbound-policy';

const environments: Check<CheckContext> = {
  name: 'Default policy of the proxies',
  run: async (context) => {
    const pods = await meshedPods(context);
    if (pods.length === 0) return noneMeshed(context);
    const annotated = await defaultsOfNamespaces(context);
    const looser = pods.filter((pod) => {
      const inForce =
        text(at(pod, 'metadata', 'annotations', defaultAnnotation)) || annotated.get(namespaceOf(pod));
      const started = environmentOf(pod, 'LINKERD2_PROXY_INBOUND_DEFAULT_POLICY');
      return inForce !== undefined && isKnown(inForce) && started !== undefined && isLooser(started, inForce);
    });
    if (looser.length === 0) return ok('no proxy started with a looser default than is in force');
    return warning(
      `${some(looser.map(fullName))} started with a looser default policy than is in force now: until policy has spoken, and on ports that nobody watches, they admit more`,
      'make them again: kubectl rollout restart deploy/NAME',
    );
  },
};

const defaultsOfNamespaces = async ({ cluster }: CheckContext): Promise<ReadonlyMap<string, string>> => {
  const namespaces = (await cluster.list('/api/v1/namespaces')) ?? [];
  return new Map(
    namespaces.flatMap((namespace) => {
      const policy = text(at(namespace, 'metadata', 'annotations', defaultAnnotation));
      return policy === '' ? [] : [[nameOf(namespace), policy] as const];
    }),
  );
};

const unmeshed: Check<CheckContext> = {
  name: 'Pods without a proxy',
  run: async (context) => {
    const denying = [...(await defaultsOfNamespaces(context))].flatMap(([name, policy]) =>
      policy === 'deny' && (context.of === undefined || context.of === name) ? [name] : [],
    );
    if (denying.length === 0) return ok('no namespace is annotated to deny by default');
    const bare = (await runningPods(context)).filter(
      (pod) =>
        denying.includes(namespaceOf(pod)) &&
        at(pod, 'metadata', 'labels', controlPlaneLabel) !== context.namespace,
    );
    if (bare.length === 0) return ok(`every pod of ${some(denying)}, which deny by default, has a proxy`);
    return warning(
      `${some(bare.map(fullName))} run without a proxy in namespaces that deny by default: nothing is denied there`,
      'make them again with a proxy (kubectl rollout restart deploy/NAME), or keep them out with a NetworkPolicy',
    );
  },
};

const Policies = Type.Object({
  items: Type.Array(
    Type.Object({
      object: Type.Object({ kind: Type.String(), namespace: Type.String(), name: Type.String() }),
      state: Type.String(),
      findings: Type.Array(Type.Object({ message: Type.String(), fix: Type.String() })),
    }),
  ),
  continue: Type.Optional(Type.String()),
});

const objects: Check<CheckContext> = {
  name: 'Policies without effect',
  run: async (context) => {
    const policy = await context.api('policy');
    const findings: Finding[] = [];
    let total = 0;
    let mark: string | undefined;
    do {
      const query = { limit: 500, continue: mark, namespace: context.of };
      const page = await policy.json(Policies, '/v1/policies', query);
      total += page.items.length;
      for (const { object, state, findings: why } of page.items) {
        if (!withoutEffect.has(state)) continue;
        const { message = 'nothing says why', fix = 'gatehouse policy shows it' } = why[0] ?? {};
        findings.push(
          warning(`${object.kind} ${object.namespace}/${object.name} is ${state}: ${message}`, fix),
        );
      }
      mark = page.continue;
    } while (mark !== undefined);
    if (total === 0) return ok('there is no policy object yet');
    if (findings.length === 0) return ok(`${count(total, 'policy object')}, and each has an effect`);
    const more = findings.length - mostObjects;
    return more <= 0
      ? findings
      : [
          ...findings.slice(0, mostObjects),
          warning(`${more} more have none`, 'gatehouse policy -A shows all'),
        ];
  },
};

const mostObjects = 10;

/** Of the states of a judgement: what its author wanted does not happen, or only in part. */
const withoutEffect: ReadonlySet<string> = new Set(['PartlyEnforced', 'MatchesNothing', 'Open', 'Rejected']);

export const proxyChecks: readonly Check<CheckContext>[] = [
  readiness,
  certificates,
  policies,
  environments,
  unmeshed,
  objects,
];
