import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ResourceIndex } from '@gatehouse/shared/core/resource-index';
import { openKubeClient } from '@gatehouse/shared/kube/client';
import { KubernetesSource } from '@gatehouse/shared/kube/kubernetes-source';
import { silentLog } from '@gatehouse/shared/log';
import { Metrics } from '@gatehouse/shared/metrics';
import { printKubeconfig } from '@gatehouse/shared/testing/api-server/kubeconfig';
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
