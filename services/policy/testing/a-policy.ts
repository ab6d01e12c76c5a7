import type { TestContext } from 'node:test';
import { portSet } from '@gatehouse/core/port-set';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import type { Methods } from '@gatehouse/platform/grpc/transport';
import type { Source } from '@gatehouse/platform/kube/source';
import { silentLog } from '@gatehouse/platform/log/log';
import { aGrpcClient, aGrpcServer } from '@gatehouse/testing/grpc';
import { inboundMethods } from '../src/ports/inbound/serve-inbound.ts';
import { outboundMethods } from '../src/ports/outbound/serve-outbound.ts';
import { PolicyWatch, type PolicyWatchOptions } from '../src/ports/policy-watch.ts';
import { RowStreams } from '../src/ports/row-streams.ts';
import { aClusterConfig } from './a-cluster-config.ts';

/** The settings of a mesh `gatehouse` with default deny. */
export const settings: PolicyWatchOptions = {
  cluster: aClusterConfig({
    clusterNetworks: [{ net: { family: 4, bits: 10n << 24n, prefix: 8 }, except: [] }],
    defaultOpaquePorts: portSet([
      { first: 25, last: 25 },
      { first: 3306, last: 3306 },
    ]),
  }),
  clusterDomain: 'cluster.local',
  staleness: { maxMs: 90_000, onStale: 'hold' },
  log: silentLog,
};

export interface Policy {
  readonly watch: PolicyWatch;
  readonly streams: RowStreams;
  readonly methods: Methods;
  /** Lists the source for the first time and follows it until the test is over. */
  follow(source: Source): void;
}

/** The policy service without its process: watch, rows, streams and methods. */
export const aPolicy = (
  t: TestContext,
  { now = Date.now, ...options }: Partial<PolicyWatchOptions> & { readonly now?: () => number } = {},
): Policy => {
  const watch = new PolicyWatch({ ...settings, ...options });
  const streams = new RowStreams(now, options.clock === undefined ? {} : { clock: options.clock });
  const { requireReady, settle } = watch;
  const abort = new AbortController();
  const followed: Promise<void>[] = [];
  t.after(async () => {
    abort.abort();
    await Promise.all(followed);
  });
  return {
    watch,
    streams,
    methods: {
      ...inboundMethods({ watch, streams }),
      ...outboundMethods({
        rows: watch.outbound,
        streams,
        clusterDomain: 'cluster.local',
        requireReady,
        settle,
      }),
    },
    follow: (source) => {
      followed.push(watch.run(source, abort.signal));
    },
  };
};

/** The same behind a real socket, with a client. */
export const aServedPolicy = async (
  t: TestContext,
  options: Partial<PolicyWatchOptions> = {},
): Promise<Policy & { readonly client: GrpcClient }> => {
  const policy = aPolicy(t, options);
  const server = await aGrpcServer(t, { methods: policy.methods });
  return { ...policy, client: aGrpcClient(t, server) };
};
