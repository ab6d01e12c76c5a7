import type { Command } from 'commander';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { type Candidate, candidatesFor, type WantedNames } from './candidates.ts';

/** As Cobra's programs end such an answer, whose form kubectl reads: 4 = nothing else, no files either; 0 = files. */
const directives = { files: ':0', nothing: ':4' } as const;

/** Stands for the names of files, which shells complete better. */
const fileMark = ':files';

/** A line for each candidate, with a tab before what it means. */
export const printCandidates = async (
  program: Command,
  { words, forKubectl }: { readonly words: readonly string[]; readonly forKubectl: boolean },
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal } = surroundings;
  const { candidates: known, isFile, wanted } = candidatesFor(program, words);
  const candidates = [...known, ...(wanted === undefined ? [] : await askFor(wanted, surroundings))];
  const lines = candidates.map(({ word, meaning }) => (meaning === '' ? word : `${word}\t${meaning}`));
  if (forKubectl) lines.push(isFile ? directives.files : directives.nothing);
  else if (isFile) lines.push(fileMark);
  if (lines.length > 0) terminal.out(lines.join('\n'));
  return exitCode.ok;
};

/** Loads what asks a cluster only now: most words need none. */
const askFor = async (wanted: WantedNames, surroundings: Surroundings): Promise<readonly Candidate[]> => {
  const { namesInCluster } = await import('./names-in-cluster.ts');
  const names = await namesInCluster(wanted, surroundings);
  return names
    .filter((name) => name.startsWith(wanted.begun))
    .map((name) => ({ word: `${wanted.before}${name}`, meaning: '' }));
};
