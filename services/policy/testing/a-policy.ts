import type { TestContext } from 'node:test';
import { everywhere } from '@gatehouse/core/ip-network';
import { parsePortSet } from '@gatehouse/core/port-set';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import type { Methods } from '@gatehouse/platform/grpc/transport';
import type { Source } from '@gatehouse/platform/kube/source';
import { silentLog } from '@gatehouse/platform/log/log';
import { aGrpcClient, aGrpcServer } from '@gatehouse/testing/grpc';
import { defaultRowBudgets } from '../src/core/inbound/row-budgets.ts';
import { inboundMethods } from '../src/ports/inbound/serve-inbound.ts';
import { outboundMethods } from '../src/ports/outbound/serve-outbound.ts';
import { PolicyWatch, type PolicyWatchOptions } from '../src/ports/policy-watch.ts';
import { RowStreams } from '../src/ports/row-streams.ts';

const opaque = parsePortSet('25,3306');

/** The settings of a mesh `gatehouse` with default deny. */
export const settings: PolicyWatchOptions = {
  cluster: {
    mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    defaultPolicy: 'deny',
    clusterNetworks: [{ net: { family: 4, bits: 10n << 24n, prefix: 8 }, except: [] }],
    probeNetworks: everywhere,
    defaultOpaquePorts: opaque.ok ? opaque.value : { ranges: [] },
    detectTimeoutMs: 10_000,
    rowBudgets: defaultRowBudgets,
  },
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
  const streams = new RowStreams(now);
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
