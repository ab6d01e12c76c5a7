import process from 'node:process';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { inboundMethods } from '@gatehouse/policy/ports/inbound/serve-inbound';
import { RowStreams } from '@gatehouse/policy/ports/row-streams';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { obey } from '../destination/side.ts';
import { clusterObjects, forEverybody, serverName } from './cluster-objects.ts';
import { aPolicyWatch } from './policy-parts.ts';

/** The process that is measured: policy as it is, on objects from memory. */
const [pods = 0, podsPerApp = 1] = process.argv.slice(2).map(Number);
const source = new FakeSource(...clusterObjects(pods, podsPerApp), forEverybody(20));
const watch = aPolicyWatch();
const authority = anAuthority();
const grpc = await startGrpcServer({
  address: { host: '127.0.0.1', port: 0 },
  tls: { material: aTlsMaterial(authority, { name: serverName }) },
  methods: inboundMethods({ watch, streams: new RowStreams(Date.now) }),
  log: silentLog,
  metrics: new Metrics('policy'),
});
void watch.run(source, new AbortController().signal);
const port = Number(grpc.address.slice(grpc.address.lastIndexOf(':') + 1));
let clients = 20;
obey({ port, trustAnchors: authority.pem }, () => {
  clients = clients === 20 ? 19 : 20;
  source.put(forEverybody(clients));
});
