import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { silentLog } from '@gatehouse/platform/log/log';
import { InboundRows } from '@gatehouse/policy/core/inbound/rows/inbound-rows';
import { RowCompiler } from '@gatehouse/policy/core/inbound/rows/row-compiler';
import { encodedRow } from '@gatehouse/policy/ports/encoded-row';
import { encodeInbound } from '@gatehouse/policy/ports/inbound/encode-inbound';
import { PolicyWatch } from '@gatehouse/policy/ports/policy-watch';
import { aClusterConfig } from '@gatehouse/policy/testing/a-cluster-config';

const cluster = aClusterConfig();

/** The policy service's watch. */
export const aPolicyWatch = (): PolicyWatch =>
  new PolicyWatch({
    cluster,
    clusterDomain: 'cluster.local',
    staleness: { maxMs: 90_000, onStale: 'hold' },
    log: silentLog,
  });

/** The rows alone, without what decides when they are compiled. */
export const inboundRows = <R>(): { readonly index: ResourceIndex; readonly rows: InboundRows<R> } => {
  const index = new ResourceIndex();
  const compiler = new RowCompiler({
    index,
    cluster,
    matchesRegex: matchesWhole,
    encode: (server) => encodedRow(encodeInbound(server)),
  });
  return { index, rows: new InboundRows<R>({ index, compiler, mesh: cluster.mesh }) };
};
