import { createPrivateKey } from 'node:crypto';
import { GatehouseError } from '@gatehouse/core/error';
import { aTlsMaterial, type TestAuthority } from '@gatehouse/dev/certificates';
import { startGrpcServer } from '@gatehouse/platform/grpc/server';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { fakeIdentity } from '@gatehouse/testing/fake-identity';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { Script } from './answers.ts';

/** A control plane that says what it was told to say; it ends with its IPC channel. */
const open = async (script: Script): Promise<void> => {
  const authority: TestAuthority = {
    name: script.authority.name,
    key: createPrivateKey(script.authority.key),
    certificate: Buffer.from(script.authority.certificate, 'base64'),
    pem: script.authority.pem,
    chain: [],
  };
  const rows = new Map(
    Object.entries(script.rows).map(([port, row]) => [Number(port), Buffer.from(row, 'base64')]),
  );
  await startGrpcServer({
    address: script.address,
    tls: { material: aTlsMaterial(authority, { name: script.serverName }) },
    log: silentLog,
    metrics: new Metrics('differential'),
    methods: {
      ...fakeIdentity(authority),
      '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort': {
        kind: 'server-stream',
        open: (call) => {
          const row = rows.get(PortSpec.decode(call.request).port);
          if (row === undefined) throw new GatehouseError('not-found', 'no such port');
          call.send(row);
        },
      },
    },
  });
};

process.on('message', (script: Script) => {
  open(script).then(
    () => process.send?.('open'),
    (error: Error) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
