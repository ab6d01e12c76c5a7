import { printKubeconfig } from '@gatehouse/dev/api-server/kubeconfig';
import { CoreV1Api, KubeConfig, makeInformer } from '@kubernetes/client-node';
import { measureWatcher } from './side.ts';

/** client-node's informer, as its own examples use it. */
await measureWatcher(async (url) => {
  const config = new KubeConfig();
  config.loadFromString(printKubeconfig({ server: url }));
  // It refuses plain HTTP unless certificates are not looked at, of which there are none.
  config.clusters = config.clusters.map((cluster) => ({ ...cluster, skipTLSVerify: true }));
  const api = config.makeApiClient(CoreV1Api);
  const informer = makeInformer(config, '/api/v1/pods', () => api.listPodForAllNamespaces());
  return (look) => {
    let known = 0;
    informer.on('add', () => {
      known += 1;
      look(known);
    });
    informer.on('update', () => look(known));
    informer.on('delete', () => {
      known -= 1;
      look(known);
    });
    void informer.start();
  };
});
