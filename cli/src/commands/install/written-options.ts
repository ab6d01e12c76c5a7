import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, printProblem } from '@gatehouse/core/problem';
import { readAssignments, readValuesFile, WrittenText } from '@gatehouse/manifests/values/written-values';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Input, Surroundings } from '../../cli.ts';
import type { ClusterOptions, ValueOptions } from './install-options.ts';

/** The values of a command line, as layers: files in their order, then what was set one by one. */
export const writtenLayers = async (
  options: ValueOptions & ClusterOptions,
  { workingDirectory, env, input }: Surroundings,
): Promise<readonly WireObject[]> => {
  const files = await Promise.all(
    (options.values ?? []).map(async (file) =>
      done(
        readValuesFile(
          file === '-' ? await readInput(input) : await readGivenFile(resolve(workingDirectory, file)),
          file === '-' ? 'standard input' : file,
        ),
      ),
    ),
  );
  const namespace = options.controlPlaneNamespace ?? env.GATEHOUSE_NAMESPACE;
  return [
    ...files,
    ...(namespace === undefined ? [] : [{ namespace: new WrittenText(namespace) }]),
    ...(options.ha === true ? [{ highAvailability: true }] : []),
    ...(options.set ?? []).map((text) => done(readAssignments(text))),
  ];
};

/** Values are a few lines. */
const mostBytes = 1024 * 1024;

const readInput = async (input: Input | undefined): Promise<string> => {
  const bytes = input === undefined || input.isTty ? undefined : await input.read(mostBytes);
  if (bytes === undefined || bytes.length > mostBytes) {
    const why = bytes === undefined ? 'nothing is piped in' : 'more than 1 MiB is piped in';
    throw new GatehouseError('invalid-argument', `-f - reads values from standard input, but ${why}`);
  }
  return Buffer.from(bytes).toString('utf8');
};

/** Throws what to do about a file that cannot be read. */
export const readGivenFile = (file: string): Promise<string> =>
  readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw new GatehouseError('invalid-argument', `${file} cannot be read (${cause.code}): correct its name`, {
      cause,
    });
  });

const done = <T>(outcome: Parsed<T>): T => {
  if (outcome.ok) return outcome.value;
  throw new GatehouseError('invalid-argument', outcome.problems.map(printProblem).join('\n'));
};
