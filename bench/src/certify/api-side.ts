import process from 'node:process';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { identityAudience } from '@gatehouse/platform/state/dev-tokens';
import { workload } from './workload.ts';

/** What the fake API server tells the process that started it. */
export interface ApiSaid {
  readonly url: string;
  /** Of pods of the one ServiceAccount, each bound to its own: calls with the same token would share a review. */
  readonly tokens: readonly string[];
}

/** A fake API server that reviews tokens, in a process of its own. `argv`: where to write the kubeconfig, and how many pods. */
const [kubeconfig = '', pods = '1'] = process.argv.slice(2);
const { namespace, serviceAccount } = workload;
const server = await startFakeApiServer();
server.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
server.put({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { namespace, name: serviceAccount.name } });
const tokens: string[] = [];
for (let index = 0; index < Number(pods); index += 1) {
  const pod = `frontend-${index}`;
  server.put({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name: pod },
    spec: { serviceAccountName: serviceAccount.name, containers: [{ name: 'app', image: 'app' }] },
  });
  tokens.push(
    await server.mintToken({
      namespace,
      serviceAccount: serviceAccount.name,
      pod,
      audiences: [identityAudience],
    }),
  );
}
await server.kubeconfig(kubeconfig);
process.once('disconnect', () => void server.stop().then(() => process.exit(0)));
process.send?.({ url: server.url, tokens } satisfies ApiSaid);
