import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCli } from './cli.ts';
import { exitCode } from './exit-code.ts';
import type { Terminal } from './print/terminal.ts';

/** Runs a command line and answers how it ended and all that it printed. */
const run = async (...args: readonly string[]) => {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const terminal: Terminal = { columns: 80, isTty: false, out: say, err: say, paint: (_, text) => text };
  const code = await runCli(args, {
    terminal,
    env: {},
    workingDirectory: '/nonexistent',
    interrupted: AbortSignal.abort(),
  });
  return { code, text: lines.join('\n') };
};

test('help is an answer, wrong words are a usage error that says what is right', async () => {
  const cases: readonly (readonly [readonly string[], number, RegExp])[] = [
    [['--help'], exitCode.ok, /serve/],
    [['demo', '--help'], exitCode.ok, /--once/],
    [['nonsense'], exitCode.usage, /unknown command/],
    [['identty', 'list'], exitCode.usage, /Did you mean identity\?/],
    [['dev', 'tokn'], exitCode.usage, /Did you mean token\?/],
    [['serve', 'billing'], exitCode.usage, /identity, destination, policy/],
    [['serve', '--port-base', '70000'], exitCode.usage, /0 to 65535/],
    [['serve', '--dir', 'a', '--kubeconfig', 'b'], exitCode.usage, /cannot be used with/],
    [['demo', '--kill', 'policy@9'], exitCode.usage, /SERVICE@STEP/],
    [['dev', 'token', 'frontend-0'], exitCode.usage, /NAMESPACE\/NAME/],
    [['dev', 'watch', 'demo/backend-0', '0'], exitCode.usage, /1 to 65535/],
  ];
  assert.equal(cases.length, 11);
  for (const [args, code, text] of cases) {
    const ended = await run(...args);
    assert.equal(ended.code, code, args.join(' '));
    assert.match(ended.text, text);
  }
});

test('a folder that is not there is refused before anything starts', async () => {
  const { code, text } = await run(
    'serve',
    '--dir',
    '/nonexistent/manifests',
    '--state',
    '/nonexistent/state',
  );
  assert.equal(code, exitCode.failed);
  assert.equal(text, 'error: /nonexistent/manifests does not exist: --dir names a folder of manifests');
});

test('a command that fails says why and what to do, in one line', async () => {
  const { code, text } = await run('dev', 'token', 'demo/frontend-0', '--state', '/nonexistent/state');
  assert.equal(code, exitCode.failed);
  assert.match(text, /^error: the state directory \/nonexistent\/state does not exist: make it/);
  assert.equal(text.split('\n').length, 1);
});
