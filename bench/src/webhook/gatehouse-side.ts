import { defaultObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { admissionSeconds, startWebhookServer } from '@gatehouse/platform/http/webhook-server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { pemOf } from '@gatehouse/platform/tls/material';
import { inboundMethods } from '@gatehouse/policy/ports/inbound/serve-inbound';
import { RowStreams } from '@gatehouse/policy/ports/row-streams';
import { validator } from '@gatehouse/policy/ports/webhook/validator';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { obey } from '../destination/side.ts';
import { clusterObjects, serverName } from '../policy/cluster-objects.ts';
import { aPolicyWatch } from '../policy/policy-parts.ts';
import { changeOf, connections, podsPerApp } from './one-of-many.ts';

/** The process that is measured: policy's streams and its webhook, on objects from memory. */
const source = new FakeSource(...clusterObjects(connections, podsPerApp));
const watch = aPolicyWatch();
const authority = anAuthority();
const material = aTlsMaterial(authority, { name: serverName });
const metrics = new Metrics('policy');
const address = { host: '127.0.0.1', port: 0 };
const grpc = await startGrpcServer({
  address,
  tls: { material },
  methods: inboundMethods({ watch, streams: new RowStreams(Date.now) }),
  log: silentLog,
  metrics,
});
const webhook = await startWebhookServer({
  address,
  log: silentLog,
  seconds: admissionSeconds(metrics),
  webhooks: [
    validator({
      budgets: defaultObjectBudgets,
      judge: (object) => watch.judgeCandidate(object),
      now: Date.now,
    }),
  ],
});
webhook.replaceTls({
  certificate: material.chain.map(pemOf).join(''),
  key: material.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
});
void watch.run(source, new AbortController().signal);
const port = Number(grpc.address.slice(grpc.address.lastIndexOf(':') + 1));
let changes = 0;
obey({ port, trustAnchors: authority.pem, reviews: `${webhook.url}/validate` }, () => {
  source.put(changeOf(changes));
  changes += 1;
});
