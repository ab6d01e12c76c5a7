import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { execPath } from 'node:process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '@gatehouse/testing/temporary-folder';
import { buildProgram } from '../../cli.ts';
import { candidatesFor } from './candidates.ts';
import { shells } from './completion.ts';
import { scripts } from './scripts.ts';

const main = fileURLToPath(new URL('../../main.ts', import.meta.url));
const program = buildProgram(() => {});

const offered = (...words: readonly string[]): string => {
  const { candidates, isFile } = candidatesFor(program, words);
  return [...candidates.map(({ word }) => word), ...(isFile ? ['FILES'] : [])].join(' ');
};

test('commands, options, choices and files are offered where each may stand', () => {
  const cases: readonly (readonly [words: readonly string[], offered: string | RegExp])[] = [
    [[''], /(?:^| )serve (?:.* )?policy (?:.* )?version (?:.* )?completion /],
    [['id'], 'identity'],
    [['identity', ''], /^list issuer trust-bundle log/],
    [['identity', 'list', '--si'], '--since'],
    [['serve', ''], 'identity destination policy'],
    [['serve', '--dir', 'x', 'p'], 'policy'],
    [['serve', '--dir', ''], 'FILES'],
    [['policy', '-o', ''], 'table wide json yaml'],
    [['policy', '-o', 'j'], 'json'],
    [['policy', '--output=j'], '--output=json'],
    [['policy', '--kubeconfig='], 'FILES'],
    [['policy', '-n', ''], ''],
    [['policy', '-n', 'demo', 'backend-0', ''], ''],
    // A pod called `list` is no command after the first argument, nor after `--`.
    [['identity', 'web-0', 'l'], ''],
    [['identity', '--', 'l'], ''],
    [['dev', 'watch', '--onc'], '--once'],
    [['completion', ''], 'bash zsh fish'],
    // What is wrong before it keeps nothing from being offered.
    [['policy', '--nonsense', '--outp'], '--output'],
    [['__comp'], ''],
  ];
  assert.equal(cases.length, 19);
  for (const [words, expected] of cases) {
    if (typeof expected === 'string') assert.equal(offered(...words), expected, words.join(' '));
    else assert.match(offered(...words), expected, words.join(' '));
  }
});

test('what a candidate means is one line, without tabs', () => {
  for (const words of [[''], ['policy', '-'], ['identity', '']]) {
    for (const { meaning } of candidatesFor(program, words).candidates) {
      assert.match(meaning, /^[^\t\n]+$/);
      assert.doesNotMatch(meaning, /\.$/);
    }
  }
});

/** A folder for PATH in which the command is, under its names, and some files. */
const aPath = async (t: TestContext): Promise<string> => {
  const folder = await temporaryFolder(t);
  for (const name of ['gatehouse', 'kubectl-gatehouse', 'kubectl_complete-gatehouse'])
    await symlink(main, join(folder, name));
  await mkdir(join(folder, 'manifests'));
  await writeFile(join(folder, 'manifests', 'a b.yaml'), '');
  return folder;
};

const inShell = (shell: string, folder: string, script: string): string => {
  const { stdout, stderr, status } = spawnSync(shell, ['-c', script], {
    cwd: folder,
    env: { PATH: `${folder}:${dirname(execPath)}:${process.env.PATH}`, HOME: folder },
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stdout.trim();
};

const missing = (shell: string): false | string =>
  spawnSync(shell, ['-c', 'true']).status === 0 ? false : `${shell} is not installed`;

test('bash completes from the script, also what it takes apart at an equals sign', {
  skip: missing('bash'),
}, async (t) => {
  const folder = await aPath(t);
  const replies = (...words: readonly string[]): string => {
    const quoted = words.map((word) => `'${word}'`).join(' ');
    return inShell(
      'bash',
      folder,
      `${scripts.bash}
COMP_WORDS=(${quoted}) COMP_CWORD=${words.length - 1}
_gatehouse
((\${#COMPREPLY[@]})) && printf '<%s>' "\${COMPREPLY[@]}" || true`,
    );
  };
  assert.equal(replies('gatehouse', 'poli'), '<policy>');
  assert.equal(replies('kubectl-gatehouse', 'policy', '-o', ''), '<table><wide><json><yaml>');
  assert.equal(replies('gatehouse', 'policy', '--output', '=', 'j'), '<json>');
  assert.equal(replies('gatehouse', 'policy', '--output', '='), '<table><wide><json><yaml>');
  assert.equal(replies('gatehouse', 'serve', '--dir', 'manifests/a'), '<manifests/a b.yaml>');
  assert.equal(replies('gatehouse', 'policy', '-n', ''), '');
});

test('every shell can read its script', async (t) => {
  const folder = await temporaryFolder(t);
  for (const shell of shells) {
    if (missing(shell) !== false) {
      t.diagnostic(`${missing(shell)}`);
      continue;
    }
    const file = join(folder, shell);
    await writeFile(file, scripts[shell]);
    const { status, stderr } = spawnSync(shell, ['-n', file], { encoding: 'utf8' });
    assert.deepEqual([status, stderr], [0, ''], shell);
  }
  assert.equal(shells.length, 3);
});

test('fish completes from the script', { skip: missing('fish') }, async (t) => {
  const folder = await aPath(t);
  const ask = (line: string): string =>
    inShell('fish', folder, `${scripts.fish}\ncomplete --do-complete '${line}'`);
  assert.match(ask('gatehouse poli'), /^policy\tShow what is in force/);
  assert.equal(ask('gatehouse policy -o j'), 'json');
});

test('as a plugin of kubectl it has kubectl’s name, and answers kubectl’s completion in its form', async (t) => {
  const folder = await aPath(t);
  const help = inShell('sh', folder, 'kubectl-gatehouse policy --help');
  assert.match(help, /^Usage: kubectl gatehouse policy /);
  assert.match(help, /\n {2}kubectl gatehouse policy -n demo\n/);
  assert.equal(inShell('sh', folder, 'kubectl_complete-gatehouse policy -o j'), 'json\n:4');
  assert.equal(inShell('sh', folder, 'kubectl_complete-gatehouse serve --dir m'), ':0');
  const mistyped = inShell('sh', folder, 'kubectl-gatehouse polcy 2>&1 || true');
  assert.match(mistyped, /Did you mean policy\?\)\nsee `kubectl gatehouse --help`/);
});

const kubectl = join(process.env.KUBEBUILDER_ASSETS ?? '', 'kubectl');
const noKubectl = !existsSync(kubectl) && 'KUBEBUILDER_ASSETS names no folder with kubectl';
test('kubectl finds it', { skip: noKubectl }, async (t) => {
  const folder = await aPath(t);
  const version = inShell('sh', folder, `${kubectl} gatehouse version --client`);
  assert.match(version, /gatehouse \(this command\) +\d/);
  assert.match(inShell('sh', folder, `${kubectl} plugin list 2>&1 || true`), /kubectl-gatehouse/);
  assert.match(inShell('sh', folder, `${kubectl} __complete gatehouse polic`), /^policy\t.*\n:4/);
});
