import { ownLeaf } from '@gatehouse/platform/own-leaf/own-leaf';
import type { OwnHalf } from '@gatehouse/platform/service/serve-half';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceBase, ServiceParts } from '@gatehouse/platform/service/service-base';
import { startService } from '@gatehouse/platform/service/start-service';
import { objectBudgetsOf } from '@gatehouse/platform/settings/budget-settings';
import type { DestinationConfig } from './config.ts';
import { writeExternalSlices } from './ports/external-slices/write-external-slices.ts';
import { measureDestination } from './ports/measure.ts';
import { destinationRoutes } from './ports/rest/rest.ts';
import { DestinationServer } from './ports/serve.ts';
import { ClusterWatch } from './ports/watch.ts';

/** Starts destination. Rejects with a GatehouseError that says what to fix; nothing stays open then. */
export const startDestination = (
  config: DestinationConfig,
  parts: ServiceParts = {},
): Promise<RunningService> =>
  startService('destination', {
    config,
    parts,
    budgets: objectBudgetsOf(config),
    assemble: (base) => assemble(config, base),
  });

const assemble = (config: DestinationConfig, base: ServiceBase): OwnHalf => {
  const { supervisor, source, metrics, mesh, now } = base;
  const { clusterDomain, defaultOpaquePorts, ipv6 } = config;
  const slices = config.slices ?? (config.source.kind === 'directory' ? 'derived' : 'written');
  const watch = new ClusterWatch({ mesh, clusterDomain, defaultOpaquePorts, ipv6, slices });
  const server = new DestinationServer(watch, now);
  measureDestination(metrics, server);
  supervisor.run('watch', (signal) => watch.run(source, signal));
  writeExternalSlices(config, base, watch);
  supervisor.onEnd('first messages', () => server.close());
  return {
    methods: server.methods,
    leaf: ownLeaf(config, base),
    streams: server.streams,
    routes: destinationRoutes(watch),
  };
};
