import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { watch } from '@gatehouse/platform/grpc/watch';
import { silentLog } from '@gatehouse/platform/log/log';
import type { RunningService } from '@gatehouse/platform/service/service';
import type { ServiceParts } from '@gatehouse/platform/service/service-base';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { PortSpec, Server } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { readPolicyConfig } from '../src/config.ts';
import { startPolicy } from '../src/service.ts';

const watchPort = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';

export interface Folders {
  readonly state: string;
  readonly manifests: string;
  /** Whatever runs on them, to be stopped before they are removed. */
  readonly running: RunningService[];
}

/** Of one service, removed when the test is over. */
export const folders = async (t: TestContext): Promise<Folders> => {
  const running: RunningService[] = [];
  t.after(async () => {
    for (const service of running) await service.stop('the test is over');
  });
  const root = await temporaryFolder(t);
  const [state, manifests] = [join(root, 'state'), join(root, 'manifests')];
  for (const path of [state, manifests]) await mkdir(path);
  return { state, manifests, running };
};

export const start = async (
  { state, manifests, running }: Folders,
  { env = {}, ...parts }: ServiceParts & { readonly env?: NodeJS.ProcessEnv } = {},
): Promise<RunningService> => {
  const config = readPolicyConfig({
    GATEHOUSE_SOURCE: `directory:${manifests}`,
    GATEHOUSE_STATE_DIR: state,
    GATEHOUSE_GRPC_ADDR: '127.0.0.1:0',
    GATEHOUSE_ADMIN_ADDR: '127.0.0.1:0',
    ...env,
  });
  const service = await startPolicy(config, { log: silentLog, ...parts });
  running.push(service);
  return service;
};

/** A proxy that watches a port as the real one does: whatever is not final is tried again. */
export const proxyOf = (t: TestContext, client: GrpcClient, pod: string) => {
  const rows: Server[] = [];
  const abort = new AbortController();
  t.after(() => abort.abort());
  const ended = watch({
    client,
    path: watchPort,
    request: PortSpec.encode({ workload: JSON.stringify({ ns: 'demo', pod }), port: 8080 }).finish(),
    signal: abort.signal,
    onMessage: (bytes) => rows.push(Server.decode(bytes)),
    backoff: { minMs: 5, maxMs: 20, jitter: 0 },
  });
  return { rows, ended, admits: () => rows.at(-1)?.authorizations.length };
};
