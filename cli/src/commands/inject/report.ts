import { GatehouseError } from '@gatehouse/core/error';
import { printProblem } from '@gatehouse/core/problem';
import type { Terminal } from '../../print/terminal.ts';
import type { Treated } from './inject-object.ts';

const nameOf = ({ kind, name }: Treated): string => `${kind} "${name}"`;

/** Throws what is wrong with any of the objects: half a manifest would be applied as if it were the whole. */
export const requireValid = (treated: readonly Treated[]): void => {
  const flaws = treated.flatMap((one) =>
    one.problems.map((problem) => `${nameOf(one)}: ${printProblem(problem)}`),
  );
  if (flaws.length > 0)
    throw new GatehouseError('invalid-argument', `nothing is printed:\n  ${flaws.join('\n  ')}`);
};

/**
 * Says on stderr what became of each object, in the words that Linkerd's users know, with the reason of what was skipped. Empty
 * lines keep it apart from the manifests on a terminal.
 */
export const printReport = (treated: readonly Treated[], terminal: Terminal): void => {
  const warnings = treated.flatMap((one) =>
    one.warnings.map((warning) => terminal.paint('yellow', `‼ ${nameOf(one)}: ${warning}`)),
  );
  const lines = treated.map((one) => {
    const line = `${nameOf(one)} ${one.outcome}`;
    return one.why === undefined ? line : `${line}: ${one.why}`;
  });
  const none = treated.length === 0 ? [terminal.paint('yellow', '‼ no objects found')] : [];
  terminal.err(['', ...warnings, ...(warnings.length > 0 ? [''] : []), ...none, ...lines, ''].join('\n'));
};

/** One stream of manifests, each of several ended by a separator where it does not begin with one. */
export const joinTexts = (texts: readonly string[]): string =>
  texts
    .filter((text) => text !== '')
    .reduce((joined, text) => {
      if (joined === '') return text;
      const gap = joined.endsWith('\n') ? '' : '\n';
      return /^(?:\ufeff)?---/.test(text) ? joined + gap + text : `${joined}${gap}---\n${text}`;
    }, '');
