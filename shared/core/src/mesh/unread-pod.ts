import type { UnreadPart } from '../resources/kinds/kubernetes.ts';
import type { KubeObject, ObjectMeta } from '../resources/kinds.ts';

type Pod = Pick<KubeObject<'Pod'>, 'meta' | 'spec'>;
type Part = UnreadPart | NonNullable<ObjectMeta['unreadTexts']>[number];

/**
 * Fields of pods that are there and cannot be read take the reading that opens nothing (design §15.3), and which one that is
 * depends on the question: labels decide whom a policy admits, and whom it guards. An API server stores no such field; a folder
 * may hold one.
 */
const unreadOf = ({ meta, spec }: Pod, parts: readonly Part[]): readonly Part[] =>
  meta.unreadTexts === undefined && spec.unread === undefined
    ? nothing
    : [...(meta.unreadTexts ?? []), ...(spec.unread ?? [])].filter((part) => parts.includes(part));

const nothing: readonly Part[] = [];

/** What keeps a pod from being recognised as a client: it may be of another kind, on its host's network, or over. */
export const unreadAsClient = (pod: Pod): readonly Part[] =>
  unreadOf(pod, ['labels', 'serviceAccountName', 'hostNetwork', 'phase']);

/** What keeps policies from being applied to a pod that is called: others may be for it than those that seem to be. */
export const unreadAsServer = (pod: Pod): readonly Part[] =>
  unreadOf(pod, ['labels', 'annotations', 'ports']);

/** Whether it may share its addresses with its node, for all that can be read of it. */
export const isPerhapsOnHost = ({ spec }: Pod): boolean => spec.unread?.includes('hostNetwork') === true;
