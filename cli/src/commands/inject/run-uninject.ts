import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printExactly } from '../../print/exact-output.ts';
import { readManifests } from './read-manifests.ts';
import { joinTexts, printReport } from './report.ts';
import { uninjectManifest } from './uninject-manifest.ts';

/** `gatehouse uninject SOURCE…`. */
export const runUninject = async (
  sources: readonly string[],
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const { terminal } = surroundings;
  const done = (await readManifests(sources, surroundings)).map(uninjectManifest);
  printExactly(terminal, joinTexts(done.map(({ text }) => text)));
  printReport(
    done.flatMap(({ treated }) => treated),
    terminal,
  );
  return exitCode.ok;
};
