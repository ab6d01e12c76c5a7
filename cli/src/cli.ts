import { asGatehouseError, type GatehouseError } from '@gatehouse/core/error';
import { Command, CommanderError } from 'commander';
import { allowScrapesCommand } from './commands/allow-scrapes/allow-scrapes.ts';
import { authzCommand } from './commands/authz/authz.ts';
import { checkCommand } from './commands/check/check.ts';
import { completeCommand, completionCommand } from './commands/completion/completion.ts';
import { demoCommand } from './commands/demo/demo.ts';
import { devCommand } from './commands/dev/dev.ts';
import { diagnosticsCommand } from './commands/diagnostics/diagnostics.ts';
import { endpointsCommand } from './commands/endpoints/endpoints.ts';
import { profileCommand } from './commands/endpoints/profile.ts';
import { identityCommand } from './commands/identity/identity.ts';
import { injectCommand } from './commands/inject/inject.ts';
import { uninjectCommand } from './commands/inject/uninject.ts';
import { installCommand } from './commands/install/install.ts';
import { lintCommand } from './commands/lint/lint.ts';
import { policyCommand } from './commands/policy/policy.ts';
import { pruneCommand } from './commands/prune/prune.ts';
import { rolloutCommand } from './commands/rollout/rollout.ts';
import { serveCommand } from './commands/serve/serve.ts';
import { streamsCommand } from './commands/streams/streams.ts';
import { uninstallCommand } from './commands/uninstall/uninstall.ts';
import { upgradeCommand } from './commands/upgrade/upgrade.ts';
import { versionCommand } from './commands/version/version.ts';
import { type ExitCode, exitCode } from './exit-code.ts';
import type { Terminal } from './print/terminal.ts';

/** What a command gets from the outside; nothing below main.ts reads `process`. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
  /** What is piped in; undefined where there is nothing to read. */
  readonly input?: Input;
  /** Aborts at the first SIGINT or SIGTERM: the command ends in order, leaving nothing running. */
  readonly interrupted: AbortSignal;
  /** The name it was started by: `kubectl gatehouse` for a plugin of kubectl. Default: gatehouse. */
  readonly programName?: string;
}

/** stdin, read only by a command that was told to. */
export interface Input {
  readonly isTty: boolean;
  /** All of it, but no more than a chunk beyond `most` bytes. */
  read(most: number): Promise<Uint8Array>;
}

/** What a command does, loaded when it runs (CONTRIBUTING.md, "A command"); answers how it ended. */
export type Run = (surroundings: Surroundings) => Promise<ExitCode>;

const examples = `
Examples:
  # the services on a folder of manifests, on this machine
  gatehouse serve --dir manifests
  # the control plane in a cluster
  gatehouse install | kubectl apply -f -
  # who may call a workload, and why
  gatehouse authz deploy/backend -n demo
  # whose certificates there are
  gatehouse identity list -n demo`;

export const buildProgram = (finish: (run: Run) => void, name = 'gatehouse'): Command =>
  new Command(name)
    .description('The control plane of a zero-trust service mesh for Kubernetes.')
    .configureHelp({ showGlobalOptions: true })
    .addHelpText('after', examples)
    .exitOverride()
    // What stands behind a sub-command is the sub-command's, also where its parent has an option of that name.
    .enablePositionalOptions()
    .addCommand(installCommand(finish))
    .addCommand(injectCommand(finish))
    .addCommand(uninjectCommand(finish))
    .addCommand(upgradeCommand(finish))
    .addCommand(uninstallCommand(finish))
    .addCommand(pruneCommand(finish))
    .addCommand(allowScrapesCommand(finish))
    .addCommand(checkCommand(finish))
    .addCommand(serveCommand(finish))
    .addCommand(authzCommand(finish))
    .addCommand(policyCommand(finish))
    .addCommand(lintCommand(finish))
    .addCommand(rolloutCommand(finish))
    .addCommand(streamsCommand(finish))
    .addCommand(endpointsCommand(finish))
    .addCommand(profileCommand(finish))
    .addCommand(identityCommand(finish))
    .addCommand(demoCommand(finish))
    .addCommand(devCommand(finish))
    .addCommand(diagnosticsCommand(finish))
    .addCommand(versionCommand(finish))
    .addCommand(completionCommand(finish))
    .addCommand(completeCommand(finish), { hidden: true });

/** Runs one command line. Never throws: what went wrong is printed with what to do next, and answered as an exit code. */
export const runCli = async (args: readonly string[], surroundings: Surroundings): Promise<ExitCode> => {
  const { terminal, programName } = surroundings;
  let chosen: Run | undefined;
  const program = buildProgram((run) => {
    chosen = run;
  }, programName);
  speakThrough(program, terminal);
  try {
    program.parse([...args], { from: 'user' });
    return chosen === undefined ? exitCode.ok : await chosen(surroundings);
  } catch (thrown) {
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? exitCode.ok : exitCode.usage;
    // Who interrupts a command knows why it ended.
    if (surroundings.interrupted.aborted && thrown === surroundings.interrupted.reason)
      return exitCode.failed;
    const error = asGatehouseError(thrown);
    terminal.err(printError(error, terminal, surroundings.env.GATEHOUSE_LOG_LEVEL === 'debug'));
    return endOf(error);
  }
};

/** What cannot be asked at all was mistyped, wherever that was noticed. */
const endOf = ({ code }: GatehouseError): ExitCode =>
  code === 'invalid-argument' ? exitCode.usage : exitCode.failed;

const speakThrough = (command: Command, terminal: Terminal, path = command.name(), program = path): void => {
  command
    .exitOverride()
    .showHelpAfterError(`see \`${path} --help\``)
    .configureOutput({
      // What it writes is help; its examples begin as the command was begun.
      writeOut: (text) => terminal.out(text.trimEnd().replace(/(^ +|\| )gatehouse /gm, `$1${program} `)),
      writeErr: (text) => terminal.err(text.trimEnd()),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
    });
  for (const child of command.commands) speakThrough(child, terminal, `${path} ${child.name()}`, program);
};

const printError = (error: GatehouseError, terminal: Terminal, debug: boolean): string => {
  const first = `${terminal.paint('red', 'error:')} ${error.message}`;
  if (error.code !== 'internal' && !debug) return first;
  const cause =
    error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : String(error.cause);
  return error.cause === undefined ? first : `${first}\n${terminal.paint('dim', cause)}`;
};
