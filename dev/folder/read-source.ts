import type { Kind } from '@gatehouse/core/resources/kinds';
import { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import type { Source } from '@gatehouse/platform/kube/source';

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
