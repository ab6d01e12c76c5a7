import { Type } from 'typebox';
import { printMoment } from '../../print/human-time.ts';
import { readIssued } from '../identity/issued.ts';
import type { IssuedItem } from '../identity/issued-item.ts';
import { reportOf } from '../identity/pod-report.ts';
import type { CheckContext } from './check-context.ts';
import { at, items, text } from './cluster-reader.ts';
import { type Check, count, type Finding, failed, ok, skipped, some, warning } from './finding.ts';
import { fullName, meshedPods, noneMeshed, type Pod } from './meshed-pods.ts';

/** As many as identity remembers. */
const mostCertificates = 20_000;

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

export const proxyChecks: readonly Check<CheckContext>[] = [readiness, certificates, policies];
