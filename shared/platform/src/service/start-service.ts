import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { defaultObjectBudgets, type ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { createLog } from '../log/log.ts';
import { pause } from '../process/pause.ts';
import { Supervisor } from '../process/supervise.ts';
import type { SharedConfig } from '../settings/settings.ts';
import { type OwnHalf, serveHalf } from './serve-half.ts';
import type { RunningService, ServiceName } from './service.ts';
import { openBase, type ServiceBase, type ServiceParts } from './service-base.ts';

export interface StartOptions {
  readonly config: SharedConfig;
  readonly parts: ServiceParts;
  /** What one object may hold. */
  readonly budgets?: ObjectBudgets;
  /** Makes what the service has of its own. What it opens is closed by the base's supervisor. */
  readonly assemble: (base: ServiceBase) => OwnHalf | Promise<OwnHalf>;
}

/**
 * Starts a service: opens what all have, lets `assemble` make the rest, serves it, and says where it is. Rejects with an
 * error that says what to fix; whatever was opened by then is closed.
 */
export const startService = (
  service: ServiceName,
  { config, parts, budgets = defaultObjectBudgets, assemble }: StartOptions,
): Promise<RunningService> => {
  const {
    log = createLog({ service, level: config.logLevel, format: config.logFormat }),
    now = Date.now,
    elapsed = () => performance.now(),
  } = parts;
  for (const warning of config.warnings) log.warn(warning);
  const supervisor = new Supervisor({ log });
  return supervisor.build(async () => {
    const base = await openBase(config, { service, supervisor, log, now, elapsed, budgets, parts });
    const half = await assemble(base);
    let isDraining = false;
    const reasons = (): readonly string[] => [
      ...(isDraining ? ['the service is being stopped'] : []),
      ...(half.reasons?.() ?? []),
    ];
    const { grpc, admin } = await serveHalf({ ...half, reasons }, config, base);
    const { drainDelayMs } = config;
    const name = printIdentity(base.identity);
    const webhook = half.webhook === undefined ? {} : { webhook: half.webhook };
    log.info({ grpc, admin, ...webhook, name }, `${service} is up`);
    return {
      service,
      name,
      grpc,
      admin,
      ...webhook,
      ended: supervisor.ended,
      stop: async (reason) => {
        if (!isDraining && drainDelayMs > 0) {
          isDraining = true;
          log.info({ reason, drainDelayMs }, `${service} goes on until DNS has forgotten it`);
          await pause(drainDelayMs, supervisor.signal);
        }
        await supervisor.stop(reason);
      },
    };
  });
};
