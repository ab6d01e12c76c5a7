import { asGatehouseError } from './error.ts';
import type { RunningService } from './service.ts';

/** The parts of `process` that a main needs; main.ts passes the real one. */
export interface MainProcess {
  readonly env: NodeJS.ProcessEnv;
  readonly stderr: { write(text: string): unknown };
  once(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown;
  exit(code: number): never;
}

export interface MainOptions<C> {
  readonly read: (env: NodeJS.ProcessEnv) => C;
  readonly start: (config: C) => Promise<RunningService>;
}

/**
 * What every main.ts does: environment in, configuration, start, wait for the end, exit code. 0 = stopped by a signal,
 * 1 = failed, 2 = the configuration cannot be used. A second signal does not wait.
 */
export const runService = async <C>(
  process: MainProcess,
  { read, start }: MainOptions<C>,
): Promise<never> => {
  let service: RunningService;
  try {
    service = await start(read(process.env));
  } catch (thrown) {
    const error = asGatehouseError(thrown);
    process.stderr.write(`${error.message}\n`);
    return process.exit(error.code === 'invalid-argument' ? 2 : 1);
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      process.once(signal, () => process.exit(1));
      void service.stop(signal);
    });
  }
  const ended = await service.ended;
  return process.exit(ended.kind === 'stopped' ? 0 : 1);
};
