import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { openKubeClient } from '@gatehouse/platform/kube/client/client';
import { KubernetesSource } from '@gatehouse/platform/kube/watch/kubernetes-source';
import { silentLog } from '@gatehouse/platform/log/log';
import { Metrics } from '@gatehouse/platform/metrics/metrics';
import { measureWatcher } from './side.ts';

/** Our source into our index, through a kubeconfig as in a cluster: with all that client-node costs when imported. */
await measureWatcher(async (url) => {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-bench-'));
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, printKubeconfig({ server: url }), { mode: 0o600 });
  const client = await openKubeClient({ kubeconfig });
  await rm(folder, { recursive: true });
  const source = new KubernetesSource({ client, log: silentLog, metrics: new Metrics('bench') });
  const index = new ResourceIndex();
  return (look) => {
    let known = 0;
    void source.run(
      ['Pod'],
      (changes) => {
        for (const { before, after } of index.apply(changes)) {
          known += Number(after !== undefined) - Number(before !== undefined);
          look(known);
        }
      },
      new AbortController().signal,
    );
  };
});
