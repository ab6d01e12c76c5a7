import { printable } from '@gatehouse/core/foreign-text';
import { printProblem } from '@gatehouse/core/problem';
import type { Unreadable, UnreadableManifest } from '@gatehouse/core/resources/changes';
import type { Kind } from '@gatehouse/core/resources/kinds';

/** So many manifests are named; the log names all. */
const mostManifests = 10;
/** A problem repeats what was written. */
const longestSentence = 400;

const placesOf = (namespaces: UnreadableManifest['namespaces']): string =>
  namespaces === 'all' ? 'everywhere' : `in ${namespaces.join(', ')}`;

/**
 * What is closed since it cannot be read, for `/v1/health`. Manifests are named, since only a folder has them. Objects are
 * counted: health is for callers who may see no namespace.
 */
export const closedWarnings = (
  manifests: Unreadable['manifests'],
  rejected: ReadonlyMap<Kind, number>,
): readonly string[] => {
  const closing = manifests.filter(({ namespaces }) => namespaces === 'all' || namespaces.length > 0);
  const counts = [...rejected].filter(([, count]) => count > 0).map(([kind, count]) => `${kind}: ${count}`);
  const more = closing.length - mostManifests;
  return [
    ...closing
      .slice(0, mostManifests)
      .map(({ path, problem, namespaces }) =>
        printable(
          `only what policies grant on whole ports is open ${placesOf(namespaces)}, since ${path} cannot be read: ${printProblem(problem)}`,
          longestSentence,
        ),
      ),
    ...(more > 0 ? [`${more} more manifests cannot be read: see the log`] : []),
    ...(counts.length > 0
      ? [
          `policy objects cannot be read, and what they name is closed (${counts.join(', ')}): the log names them`,
        ]
      : []),
  ];
};
