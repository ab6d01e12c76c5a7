import type { ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { type KubeClient, openKubeClient } from '../kube/client/client.ts';
import type { Source } from '../kube/source.ts';
import { KubernetesSource } from '../kube/watch/kubernetes-source.ts';
import { watchMetrics } from '../kube/watch/watch-metrics.ts';
import type { Log } from '../log/log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { SharedConfig } from '../settings/settings.ts';
import { openStateDir, type StateDir } from '../state/state-dir.ts';

/**
 * What a service stands on. Dev mode is exactly a directory source (design §5.1): only then are keys, tokens and the CA
 * of a state directory made and trusted. In a cluster, the API server is asked.
 */
export type Platform =
  | { readonly kind: 'dev'; readonly state: StateDir }
  | { readonly kind: 'cluster'; readonly client: KubeClient };

/** Throws `failed-precondition` that says what to fix: no state directory, no usable kubeconfig. */
export const openPlatform = async ({ source, stateDir, kubeconfig }: SharedConfig): Promise<Platform> => {
  switch (source.kind) {
    case 'directory':
      return { kind: 'dev', state: await openStateDir(stateDir) };
    case 'kubernetes':
      return { kind: 'cluster', client: await openKubeClient({ kubeconfig }) };
  }
};

export interface SourceParts {
  readonly log: Log;
  readonly metrics: Metrics;
  /** Milliseconds on a clock that only goes forward. */
  readonly elapsed: () => number;
  /** What one object may hold. */
  readonly budgets: ObjectBudgets;
}

/** Where the objects come from. Nothing is watched before its `run`. */
export const openSource = async (
  config: SharedConfig,
  platform: Platform,
  parts: SourceParts,
): Promise<Source> => {
  if (platform.kind === 'cluster') return new KubernetesSource({ client: platform.client, ...parts });
  const path = config.source.kind === 'directory' ? config.source.path : '';
  const { log, budgets } = parts;
  // It brings what reads YAML, which a service in a cluster does without.
  const { DirectorySource } = await import('../kube/directory/directory-source.ts');
  const source = new DirectorySource({ path, controlPlaneNamespace: config.namespace, log, budgets });
  watchMetrics(parts.metrics, { health: () => source.health() });
  return source;
};
