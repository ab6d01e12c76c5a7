import type { Command } from 'commander';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { candidatesFor } from './candidates.ts';

/** As Cobra's programs end such an answer, whose form kubectl reads: 4 = nothing else, no files either; 0 = files. */
const directives = { files: ':0', nothing: ':4' } as const;

/** Stands for the names of files, which shells complete better. */
const fileMark = ':files';

/** A line for each candidate, with a tab before what it means. */
export const printCandidates = (
  program: Command,
  { words, forKubectl }: { readonly words: readonly string[]; readonly forKubectl: boolean },
  { terminal }: Surroundings,
): ExitCode => {
  const { candidates, isFile } = candidatesFor(program, words);
  const lines = candidates.map(({ word, meaning }) => (meaning === '' ? word : `${word}\t${meaning}`));
  if (forKubectl) lines.push(isFile ? directives.files : directives.nothing);
  else if (isFile) lines.push(fileMark);
  if (lines.length > 0) terminal.out(lines.join('\n'));
  return exitCode.ok;
};
