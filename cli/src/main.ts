#!/usr/bin/env node
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { keepCompiled } from './compile-cache.ts';

keepCompiled({ env: process.env, home: homedir, uid: process.getuid?.() });
// Only what is loaded from here on is kept.
const { runCli } = await import('./cli.ts');
const { exitCode } = await import('./exit-code.ts');
const { openInput } = await import('./print/input.ts');
const { openTerminal } = await import('./print/terminal.ts');

// kubectl runs `kubectl-gatehouse` as `kubectl gatehouse`, and `kubectl_complete-gatehouse` for its completion.
const startedAs = basename(process.argv[1] ?? '');
const begin = startedAs === 'kubectl_complete-gatehouse' ? ['__complete', '--kubectl', '--'] : [];

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort(signal));
let unwritten = false;
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of our output has gone (`| head`): end in order, as for a signal.
    interrupt.abort('EPIPE');
    if (error.code === 'EPIPE' || unwritten) return;
    // A disk that is full: what is there is not all of it, which a script must see.
    unwritten = true;
    process.exitCode = exitCode.failed;
    if (stream === process.stdout)
      process.stderr.write(`error: the output could not be written: ${error.message}\n`);
  });
const args = [...begin, ...process.argv.slice(2)];
const code = await runCli(args, {
  terminal: openTerminal(process.stdout, process.stderr, process.env),
  env: process.env,
  workingDirectory: process.cwd(),
  input: openInput(() => process.stdin),
  interrupted: interrupt.signal,
  ...(startedAs === 'kubectl-gatehouse' ? { programName: 'kubectl gatehouse' } : {}),
});
if (!unwritten) process.exitCode = code;
// A shell waits for the end, which a credential plugin that still runs would put off; all that it is told is written by then.
if (args[0] === '__complete') process.stdout.write('', () => process.exit());
