import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import type { ApiAsk, ApiQuestion, ApiReply } from './api-messages.ts';

/** An API server that asks for tokens and obeys RBAC, on loopback of the namespace that it is started in; it ends with its IPC channel. */
const [folder = await mkdtemp(join(tmpdir(), 'gatehouse-e2e-api-'))] = process.argv.slice(2);
const administrator = { username: 'rig', groups: ['system:masters'] };
const server = await startFakeApiServer({
  crds: [],
  tokens: new Map([['administrator', administrator]]),
  authorize: 'RBAC',
});
const kubeconfig = join(folder, 'administrator.kubeconfig');
await server.kubeconfig(kubeconfig, 'administrator');
const cluster = await RealCluster.on({ kubeconfig, stop: () => server.stop() });

const doIt = async (ask: ApiAsk) => {
  switch (ask.kind) {
    case 'apply':
      return cluster.apply(ask.object);
    case 'set-status':
      return cluster.setStatus(ask.object);
    case 'remove':
      await cluster.remove(ask.object);
      return null;
    case 'pod-token':
      return cluster.token(ask.pod, ask.audience);
    case 'kubeconfig': {
      const { namespace, name } = ask;
      return cluster.kubeconfigWith(await cluster.accountToken({ namespace, name }));
    }
  }
};

const reply = (message: ApiReply): void => void process.send?.(message);
process.on('message', ({ id, ask }: ApiQuestion) => {
  doIt(ask).then(
    (answer) => reply({ id, answer }),
    (error: Error) => reply({ id, error: error.message }),
  );
});
process.on('disconnect', () => process.exit(0));
process.send?.('open');
