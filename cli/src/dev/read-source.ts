import { ResourceIndex } from '@gatehouse/shared/core/resource-index';
import type { Source } from '@gatehouse/shared/kube/changes';
import type { Kind } from '@gatehouse/shared/kube/kinds';

/** Looks once at what a source holds: runs it until the first list of every kind is there. */
export const readSource = async (source: Source, kinds: readonly Kind[]): Promise<ResourceIndex> => {
  const index = new ResourceIndex();
  const done = new AbortController();
  await source.run(
    kinds,
    (changes) => {
      if (done.signal.aborted) return;
      index.apply(changes);
      if (index.isSynced(kinds)) done.abort();
    },
    done.signal,
  );
  return index;
};
