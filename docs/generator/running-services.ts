import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readDestinationConfig } from '@gatehouse/destination/config';
import { startDestination } from '@gatehouse/destination/service';
import { readIdentityConfig } from '@gatehouse/identity/config';
import { startIdentity } from '@gatehouse/identity/service';
import { silentLog } from '@gatehouse/platform/log/log';
import { type MetricDefinition, Metrics } from '@gatehouse/platform/metrics/metrics';
import type { RunningService, ServiceName } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { readPolicyConfig } from '@gatehouse/policy/config';
import { startPolicy } from '@gatehouse/policy/service';

/** What a running service tells of itself. */
export interface Told {
  readonly service: ServiceName;
  readonly metrics: readonly MetricDefinition[];
  readonly openapi: OpenApi;
}

/** The parts of an OpenAPI document that the pages show. */
export interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface Operation {
  readonly summary?: string;
  readonly description?: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly required: boolean;
    readonly description?: string;
    readonly schema: { readonly type?: string; readonly enum?: readonly string[] };
  }[];
}

const starts: Readonly<
  Record<ServiceName, (env: NodeJS.ProcessEnv, parts: ServiceParts) => Promise<RunningService>>
> = {
  identity: (env, parts) => startIdentity(readIdentityConfig(env), parts),
  destination: (env, parts) => startDestination(readDestinationConfig(env), parts),
  policy: (env, parts) => startPolicy(readPolicyConfig(env), parts),
};

/** Starts each service on an empty folder, asks it, and ends it. */
export const askServices = async (): Promise<readonly Told[]> => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-reference-'));
  try {
    const [state, manifests] = [join(folder, 'state'), join(folder, 'manifests')];
    await Promise.all([mkdir(state, { mode: 0o700 }), mkdir(manifests)]);
    const env = {
      GATEHOUSE_SOURCE: `directory:${manifests}`,
      GATEHOUSE_STATE_DIR: state,
      GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
      GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    };
    const told: Told[] = [];
    for (const service of ['identity', 'destination', 'policy'] as const) {
      const metrics = new Metrics(service);
      const running = await starts[service](env, { log: silentLog, metrics });
      try {
        const token = await readFile(join(state, 'admin-token'), 'utf8');
        const headers = { authorization: `Bearer ${token.trim()}` };
        const answer = await fetch(`${running.admin}/v1/openapi.json`, { headers });
        told.push({ service, metrics: metrics.definitions, openapi: (await answer.json()) as OpenApi });
      } finally {
        await running.stop('asked');
      }
    }
    return told;
  } finally {
    await rm(folder, { recursive: true });
  }
};
