#!/usr/bin/env node
import { homedir } from 'node:os';
import { keepCompiled } from './compile-cache.ts';

keepCompiled({ env: process.env, home: homedir, uid: process.getuid?.() });
// Only what is loaded from here on is kept.
const { runCli } = await import('./cli.ts');
const { openInput } = await import('./print/input.ts');
const { openTerminal } = await import('./print/terminal.ts');

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupt.abort(signal));
// The reader of our output has gone (`| head`): end in order, as for a signal.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupt.abort('EPIPE'));
process.exitCode = await runCli(process.argv.slice(2), {
  terminal: openTerminal(process.stdout, process.stderr, process.env),
  env: process.env,
  workingDirectory: process.cwd(),
  input: openInput(() => process.stdin),
  interrupted: interrupt.signal,
});
