import { exitCodes } from '@gatehouse/platform/process/run-service';

/** What a command's end means to a script, as a service's does to its supervisor; documented in docs/reference/cli.md. */
export const exitCode = {
  ...exitCodes,
  /** The change that was asked about would close something that is open now. */
  wouldClose: 3,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
