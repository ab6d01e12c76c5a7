import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { GatehouseError } from '@gatehouse/core/error';
import { type Parsed, printProblem } from '@gatehouse/core/problem';
import { readAssignments, readValuesFile, WrittenText } from '@gatehouse/manifests/values/written-values';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import type { Surroundings } from '../../cli.ts';
import type { ClusterOptions, ValueOptions } from './install-options.ts';

/** The values of a command line, as layers: files in their order, then what was set one by one. */
export const writtenLayers = async (
  options: ValueOptions & ClusterOptions,
  { workingDirectory, env }: Surroundings,
): Promise<readonly WireObject[]> => {
  const files = await Promise.all(
    (options.values ?? []).map(async (file) =>
      done(
        readValuesFile(
          await readGivenFile(resolve(workingDirectory, file === '-' ? standardInput : file)),
          file,
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

const standardInput = '/dev/stdin';

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
