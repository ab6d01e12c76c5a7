import type { Compiled } from '@gatehouse/core/dependency/answers';
import { type Cluster, zoneOfNode } from '../cluster.ts';
import type { ClientPlace } from '../endpoints/filter.ts';
import { facts } from '../facts.ts';
import type { ContextToken } from './context-token.ts';

/** Where the sender of the token runs: on the node it names, else on its pod's. */
export const compileClientPlace = (
  cluster: Cluster,
  token: Pick<ContextToken, 'namespace' | 'nodeName' | 'pod'>,
  previous?: ClientPlace,
): Compiled<ClientPlace> => {
  const reads = new Set<string>();
  let { nodeName } = token;
  if (nodeName === '' && token.pod !== '') {
    reads.add(facts.pod(token.namespace, token.pod));
    nodeName = cluster.index.get('Pod', token.namespace, token.pod)?.spec.nodeName ?? '';
  }
  const zone = zoneOfNode(cluster, reads, nodeName);
  const isSame = previous !== undefined && previous.nodeName === nodeName && previous.zone === zone;
  return { value: isSame ? previous : { nodeName, zone }, reads };
};
