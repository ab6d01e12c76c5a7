import { GatehouseError } from '@gatehouse/core/error';
import type { Unreadable } from '@gatehouse/core/resources/changes';
import { compareText } from '@gatehouse/core/resources/creation-order';
import { DirectorySource } from '@gatehouse/platform/kube/directory/directory-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { clusterConfigOf } from '@gatehouse/policy/cluster-config';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { policyReasons } from '@gatehouse/policy/core/judgement/reasons';
import { PolicyWatch } from '@gatehouse/policy/ports/policy-watch';
import { pageOfWorkloads, type WorkloadsQuery } from '@gatehouse/policy/ports/rest/page-of-workloads';
import { judgedKey, judgedObjects, policyItems } from '@gatehouse/policy/ports/rest/policy-routes';
import type { PolicyItem } from '@gatehouse/policy/ports/rest/rest-judgement';
import type { PortReport, WorkloadItem, WorkloadReport } from '@gatehouse/policy/ports/rest/rest-workload';
import { WorkloadAnswers, type WorkloadNamed } from '@gatehouse/policy/ports/rest/workload-answers';

/** The reasons that findings of `policies` may have. */
export const findingReasons: readonly string[] = policyReasons;

/** What the policy service would answer about workloads if it ran on a folder; nothing listens, and nothing is written. */
export interface PolicyOnFolder extends AsyncDisposable {
  workloads(query: WorkloadsQuery): Promise<{ items: WorkloadItem[]; continue?: string }>;
  /** With `audit` also what would be in force if Audit policies were enforced. */
  workload(named: WorkloadNamed, include?: 'audit'): Promise<WorkloadReport>;
  /** A number, or the name of a declared port. */
  port(named: WorkloadNamed, port: string): Promise<PortReport>;
  /** All policy objects at once. */
  policies(query: {
    readonly namespace?: string | undefined;
  }): Promise<{ items: PolicyItem[]; continue?: string }>;
  /** Manifests that could not be read. */
  unreadable(): Unreadable['manifests'];
}

export interface FolderPlace {
  readonly path: string;
  /** The settings that `gatehouse serve` would read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** Reads the folder, and follows it from then on. Throws when it is not there. */
export const openPolicyOnFolder = async ({ path, env, signal }: FolderPlace): Promise<PolicyOnFolder> => {
  const config = readPolicyConfig({
    ...env,
    GATEHOUSE_SOURCE: `directory:${path}`,
    // Asked for wherever the source is a folder, and not used here.
    GATEHOUSE_STATE_DIR: path,
  });
  const cluster = clusterConfigOf(config);
  const { promise: listed, resolve } = Promise.withResolvers<void>();
  const { clusterDomain, maxStalenessMs: maxMs, onStale } = config;
  const watch = new PolicyWatch({
    cluster,
    clusterDomain,
    staleness: { maxMs, onStale },
    log: silentLog,
    onUpdate: () => {
      if (watch.isReady) resolve();
    },
  });
  const over = new AbortController();
  const { controlPlaneNamespace } = cluster.mesh;
  const source = new DirectorySource({ path, controlPlaneNamespace, log: silentLog });
  const ended = watch.run(source, AbortSignal.any([over.signal, signal]));
  // Said where the end is awaited.
  ended.catch(() => {});
  await Promise.race([listed, ended.then(() => Promise.reject(cannotRead(path, signal)))]);
  const { index, look, survey, surveyKey, sourcesOf, judge } = watch;
  const answers = (include?: 'audit'): WorkloadAnswers => {
    watch.settle();
    const known = { index, cluster, look, survey, surveyKey, sourcesOf, judge };
    return new WorkloadAnswers(known, signal, include);
  };
  return {
    workloads: async (query) => {
      const asked = answers();
      const page = await pageOfWorkloads(index, 'everything', query);
      const items: WorkloadItem[] = [];
      for (const workload of page.items) items.push(await asked.item(workload));
      return { ...page, items };
    },
    workload: async (named, include) => {
      const asked = answers(include);
      return asked.report(asked.workload(named));
    },
    port: async (named, port) => {
      const asked = answers();
      return asked.port(asked.workload(named), port);
    },
    policies: async ({ namespace }) => {
      watch.settle();
      const objects = [...judgedObjects({ index }, namespace)].toSorted((a, b) =>
        compareText(judgedKey(a), judgedKey(b)),
      );
      return { items: await policyItems(objects, { index, judge }, signal) };
    },
    unreadable: () => index.unreadable,
    [Symbol.asyncDispose]: async () => {
      over.abort();
      await ended.catch(() => {});
    },
  };
};

/** Why a folder could not be read to its end. */
export const cannotRead = (path: string, signal: AbortSignal): unknown =>
  signal.aborted
    ? signal.reason
    : new GatehouseError('failed-precondition', `${path} cannot be read: is it a folder of manifests?`);
