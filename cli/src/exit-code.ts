/** What a command's end means to a script; documented in docs/reference/cli.md. */
export const exitCode = {
  ok: 0,
  failed: 1,
  usage: 2,
  /** The change that was asked about would close something that is open now. */
  wouldClose: 3,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];
