import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { openKubeClient } from '@gatehouse/platform/kube/client/client';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { inboundMethods } from '@gatehouse/policy/ports/inbound/serve-inbound';
import { RowStreams } from '@gatehouse/policy/ports/row-streams';
import { obey } from '../destination/side.ts';
import { serverName } from './cluster-objects.ts';
import { aPolicyWatch } from './policy-parts.ts';

/** Policy as it is, on an API server. */
const [url = ''] = process.argv.slice(2);
const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
const kubeconfig = join(folder, 'kubeconfig');
await writeFile(kubeconfig, printKubeconfig({ server: url }), { mode: 0o600 });
const client = await openKubeClient({ kubeconfig });
await rm(folder, { recursive: true });
const watch = aPolicyWatch();
const authority = anAuthority();
const metrics = new Metrics('policy');
const grpc = await startGrpcServer({
  address: { host: '127.0.0.1', port: 0 },
  tls: { material: aTlsMaterial(authority, { name: serverName }) },
  methods: inboundMethods({ watch, streams: new RowStreams(Date.now) }),
  log: silentLog,
  metrics,
});
void watch.run(new KubernetesSource({ client, log: silentLog, metrics }), new AbortController().signal);
while (!watch.isReady) await delay(20);
const port = Number(grpc.address.slice(grpc.address.lastIndexOf(':') + 1));
obey({ port, trustAnchors: authority.pem }, () => {});
