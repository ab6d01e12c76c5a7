import { ownLeaf } from '@gatehouse/platform/own-leaf/own-leaf';
import type { OwnHalf } from '@gatehouse/platform/service/serve-half';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceBase, ServiceParts } from '@gatehouse/platform/service/service-base';
import { startService } from '@gatehouse/platform/service/start-service';
import { objectBudgetsOf } from '@gatehouse/platform/settings/budget-settings';
import { clusterConfigOf } from './cluster-config.ts';
import type { PolicyConfig } from './config.ts';
import { inboundMethods } from './ports/inbound/serve-inbound.ts';
import { measurePolicy, updateSeconds } from './ports/measure.ts';
import { outboundMethods } from './ports/outbound/serve-outbound.ts';
import { PolicyWatch } from './ports/policy-watch.ts';
import { policyRoutes } from './ports/rest/rest.ts';
import { rolloutRoutes } from './ports/rest/rollout-routes.ts';
import { answerInboundWatches } from './ports/rollout/inbound-watches.ts';
import { Rollouts } from './ports/rollout/rollouts.ts';
import { RowStreams } from './ports/row-streams.ts';
import { runStatuses } from './ports/status/run-statuses.ts';
import { openWebhook } from './ports/webhook/open-webhook.ts';
import { runWriter } from './ports/writer.ts';

/** Starts policy. Rejects with a GatehouseError that says what to fix; nothing stays open then. */
export const startPolicy = (config: PolicyConfig, parts: ServiceParts = {}): Promise<RunningService> =>
  startService('policy', {
    config,
    parts,
    budgets: objectBudgetsOf(config),
    assemble: (base) => assemble(config, base),
  });

const assemble = async (config: PolicyConfig, base: ServiceBase): Promise<OwnHalf> => {
  const { supervisor, source, metrics, log, now } = base;
  const { clusterDomain } = config;
  const took = updateSeconds(metrics);
  const cluster = clusterConfigOf(config);
  const watch = new PolicyWatch({
    cluster,
    clusterDomain,
    staleness: { maxMs: config.maxStalenessMs, onStale: config.onStale },
    log: log.child({ part: 'watch' }),
    onUpdate: (seconds) => took.observe(seconds),
  });
  const streams = new RowStreams(now);
  const rollouts = new Rollouts({ watch, streams, replicas: base.replicas, mesh: cluster.mesh });
  measurePolicy(metrics, { watch, streams });
  supervisor.run('watch', (signal) => watch.run(source, signal));
  const writer = runWriter(config, base);
  runStatuses(config, base, { watch, writer, rollouts });
  const webhook = await openWebhook(config, base, { watch, writer });

  const { requireReady, settle } = watch;
  return {
    methods: {
      ...inboundMethods({ watch, streams }),
      ...outboundMethods({ rows: watch.outbound, streams, clusterDomain, requireReady, settle }),
    },
    leaf: ownLeaf(config, base),
    streams,
    reasons: () => (watch.isReady ? [] : ['the first lists have not been taken in']),
    warnings: () => [...watch.warnings(), ...(webhook?.warnings() ?? [])],
    ...(webhook === undefined ? {} : { webhook: webhook.url }),
    routes: (app) => {
      policyRoutes({ watch, settings: { ...cluster, clusterDomain } })(app);
      rolloutRoutes({ watch, rollouts, now })(app);
      answerInboundWatches(app, streams, base.replicas);
    },
  };
};
