import process from 'node:process';
import { noPorts } from '@gatehouse/core/port-set';
import { DestinationServer } from '@gatehouse/destination/ports/serve';
import { ClusterWatch } from '@gatehouse/destination/ports/watch';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { clusterObjects, oneMore, serverName } from './cluster-objects.ts';
import { obey } from './side.ts';

/** The process that is measured: destination as it is, on objects from memory. */
const endpoints = Number(process.argv[2]);
const source = new FakeSource(...clusterObjects(endpoints));
const watch = new ClusterWatch({
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  clusterDomain: 'cluster.local',
  defaultOpaquePorts: noPorts,
  ipv6: false,
  slices: 'derived' as const,
});
const authority = anAuthority();
const grpc = await startGrpcServer({
  address: { host: '127.0.0.1', port: 0 },
  tls: { material: aTlsMaterial(authority, { name: serverName }) },
  methods: new DestinationServer(watch, Date.now).methods,
  log: silentLog,
  metrics: new Metrics('destination'),
});
void watch.run(source, new AbortController().signal);
const port = Number(grpc.address.slice(grpc.address.lastIndexOf(':') + 1));
let more = 0;
obey({ port, trustAnchors: authority.pem }, () => {
  source.put(oneMore(endpoints + more));
  more += 1;
});
