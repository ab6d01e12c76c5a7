import { accountOf, serviceNames } from '@gatehouse/platform/service/service';
import { type Static, Type } from 'typebox';
import { printSpan } from '../../print/human-time.ts';
import type { CheckContext } from './check-context.ts';
import { at } from './cluster-reader.ts';
import { type Check, type Finding, failed, ok, warning } from './finding.ts';

/** The default of GATEHOUSE_MAX_STALENESS. */
const longestStalenessSeconds = 90;

/** Certificates begin so much earlier than they are issued (GATEHOUSE_CLOCK_SKEW): beyond that, new ones are not valid yet for others. */
const mostSkewMs = 20_000;
const worthSayingMs = 5_000;

/** What is read of `/v1/health`, which services of other versions have too. */
const HealthReport = Type.Object({
  reasons: Type.Array(Type.String()),
  warnings: Type.Array(Type.String()),
  kinds: Type.Array(
    Type.Object({
      kind: Type.String(),
      aliveAt: Type.Union([Type.String(), Type.Null()]),
      stalenessSeconds: Type.Union([Type.Number(), Type.Null()]),
    }),
  ),
});
type HealthReport = Static<typeof HealthReport>;

const deployments: Check<CheckContext> = {
  name: 'Deployments',
  run: async ({ cluster, namespace }) => {
    const found = await Promise.all(
      serviceNames.map(async (service) => {
        const name = accountOf(service);
        const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
        return judgeDeployment(`${namespace}/${name}`, await cluster.get(path));
      }),
    );
    const bad = found.flat();
    return bad.length > 0 ? bad : ok('all replicas of the three services are ready');
  },
};

const judgeDeployment = (name: string, deployment: unknown): readonly Finding[] => {
  if (deployment === undefined)
    return [
      failed(
        `there is no Deployment ${name}`,
        'gatehouse install | kubectl apply -f -, or name the namespace with --control-plane-namespace',
      ),
    ];
  const wanted = Number(at(deployment, 'spec', 'replicas') ?? 1);
  const ready = Number(at(deployment, 'status', 'readyReplicas') ?? 0);
  if (ready >= wanted && wanted > 0) return [];
  const [namespace] = name.split('/');
  const fix = `see kubectl get pods -n ${namespace} and kubectl logs -n ${namespace} deploy/${name.split('/')[1]}`;
  if (ready === 0) return [failed(`no replica of ${name} is ready`, fix)];
  return [warning(`${ready} of ${wanted} replicas of ${name} are ready`, fix)];
};

const healths = async ({ api }: CheckContext) =>
  Promise.all(
    serviceNames.map(async (service) => ({
      service,
      health: await (await api(service)).json(HealthReport, '/v1/health'),
    })),
  );

const readiness: Check<CheckContext> = {
  name: 'Readiness',
  run: async (context) => {
    const findings = (await healths(context)).flatMap(({ service, health }): readonly Finding[] => [
      ...health.reasons.map((reason) =>
        failed(
          `${service} is not ready: ${reason}`,
          `see its log: kubectl logs -n ${context.namespace} deploy/${accountOf(service)}`,
        ),
      ),
      ...health.warnings.map((found) => warning(`${service}: ${found}`, 'do what it says before it ends')),
    ]);
    return findings.length > 0 ? findings : ok('each service says that it is ready, and warns of nothing');
  },
};

const staleness: Check<CheckContext> = {
  name: 'Staleness of the watches',
  run: async (context) => {
    const findings: Finding[] = [];
    let oldest = 0;
    for (const { service, health } of await healths(context)) {
      const stale = health.kinds.filter(
        ({ stalenessSeconds }) => (stalenessSeconds ?? 0) > longestStalenessSeconds,
      );
      oldest = Math.max(oldest, ...health.kinds.map(({ stalenessSeconds }) => stalenessSeconds ?? 0));
      if (stale.length === 0) continue;
      const longest = Math.max(...stale.map(({ stalenessSeconds }) => stalenessSeconds ?? 0));
      findings.push(
        failed(
          `${service} has heard nothing of ${stale.map(({ kind }) => kind).join(', ')} for ${printSpan(longest * 1_000)}: it goes on with what it knew`,
          'see that the API server is reached from its pod, and its log',
        ),
      );
    }
    return findings.length > 0
      ? findings
      : ok(`what the services know is at most ${printSpan(oldest * 1_000)} old`);
  },
};

const clocks: Check<CheckContext> = {
  name: 'Clocks',
  run: async (context) => {
    const findings: Finding[] = [];
    const asked = context.now();
    for (const { service, health } of await healths(context)) {
      const skew = skewOf(health, { asked, answered: context.now() });
      if (Math.abs(skew) < worthSayingMs) continue;
      const found = `the clock of ${service}'s node is ${printSpan(Math.abs(skew))} ${skew > 0 ? 'ahead of' : 'behind'} this machine's`;
      const fix = 'set both by NTP; docs/clocks.md says what a wrong clock does';
      findings.push(Math.abs(skew) > mostSkewMs ? failed(found, fix) : warning(found, fix));
    }
    return findings.length > 0
      ? findings
      : ok('the clocks of the services agree with this machine within seconds');
  },
};

/**
 * A service says when a watch last showed life by its own clock, and how long ago that was. Any time between question and answer may
 * be meant: only what lies outside counts. Milliseconds, positive = ahead of us; 0 where the service watches nothing.
 */
const skewOf = (
  { kinds }: HealthReport,
  { asked, answered }: { readonly asked: number; readonly answered: number },
): number => {
  const [kind] = kinds.filter(({ aliveAt }) => aliveAt !== null);
  if (kind === undefined || kind.aliveAt === null) return 0;
  const theirs = Date.parse(kind.aliveAt) + (kind.stalenessSeconds ?? 0) * 1_000;
  if (theirs < asked) return theirs - asked;
  return theirs > answered ? theirs - answered : 0;
};

export const controlPlaneChecks: readonly Check<CheckContext>[] = [deployments, readiness, staleness, clocks];
