import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import type { Command } from 'commander';
import { buildProgram } from './cli.ts';

interface Placed {
  /** As it is typed: `identity list`; empty for the program. */
  readonly path: string;
  readonly command: Command;
}

/** Those that are typed by people, but for `help` itself. */
const visible = (command: Command): readonly Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => command.commands.includes(child));

const everyCommand = (command: Command = buildProgram(() => {}), path = ''): readonly Placed[] => [
  { path, command },
  ...visible(command).flatMap((child) => everyCommand(child, `${path} ${child.name()}`.trim())),
];

const helpOf = (command: Command): string => {
  let help = '';
  command.configureOutput({
    getOutHelpWidth: () => 100,
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  return help.trimEnd();
};

/** The words of an example as a shell has them, up to a pipe or a redirection. */
const wordsOf = (line: string): readonly string[] => {
  const words = (line.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).map((word) =>
    word.replace(/^(["'])(.*)\1$/, '$2'),
  );
  const end = words.findIndex((word) => word === '|' || word === '>');
  return end < 0 ? words : words.slice(0, end);
};

const commands = everyCommand();

suite('every command', () => {
  for (const { path, command } of commands) {
    const name = `gatehouse ${path}`.trim();
    test(`\`${name} --help\` ends in examples, each with what it is for, that can be used as they are`, () => {
      const [, examples = ''] = helpOf(command).split(/^Examples:\n/m);
      // A comment, then the lines that are typed; one may go on in the next.
      const lines = examples.replace(/\\\n\s*/g, '').split('\n');
      const isComment = (line: string | undefined): boolean => line === undefined || /^ {2}# \S/.test(line);
      assert.ok(lines.length >= 2, `${name} has no examples at its end`);
      for (const [at, line] of lines.entries()) {
        if (isComment(line)) {
          assert.equal(isComment(lines[at + 1]), false, `${line} has no example`);
          continue;
        }
        assert.notEqual(at, 0, `${line} does not say what it is for`);
        const [, ours] = /^ {2}(?:.*\| )?(gatehouse .*)$/.exec(line) ?? [];
        assert.ok(ours !== undefined, `${line} runs no command of ours`);
        let isRead = false;
        const program = buildProgram(() => {
          isRead = true;
        });
        quiet(program);
        program.parse(wordsOf(ours).slice(1), { from: 'user' });
        assert.equal(isRead, true, `${ours} runs nothing`);
      }
    });
  }
});

/** Throws what it would print. */
const quiet = (command: Command): void => {
  command.exitOverride().configureOutput({ writeErr: () => {}, writeOut: () => {} });
  for (const child of command.commands) quiet(child);
};

/** One meaning for a short option, wherever it is. */
const meanings: Readonly<Record<string, string>> = {
  '-n': '--namespace <ns>',
  '-A': '--all-namespaces',
  '-l': '--selector <labels>',
  '-o': '--output <format>',
  '-w': '--watch',
  '-f': '--values <file>',
};

test('a short option means the same in every command', () => {
  const seen = new Set<string>();
  for (const { path, command } of commands) {
    for (const { short, flags } of command.options) {
      if (short === undefined) continue;
      seen.add(short);
      assert.equal(flags, `${short}, ${meanings[short]}`, `gatehouse ${path}`);
    }
  }
  assert.deepEqual([...seen].sort(), Object.keys(meanings).sort());
});

test('every command that asks a mesh takes the same options to say which', () => {
  const ofCluster = ['--kubeconfig', '--context', '--control-plane-namespace'];
  const ofService = [...ofCluster, '--state', '--address', '--token', '--token-file', '--ca-file'];
  const counts = { cluster: 0, service: 0 };
  for (const { path, command } of commands) {
    const longs = command.options.map(({ long }) => long);
    const asks = longs.includes('--address')
      ? 'service'
      : longs.includes('--context')
        ? 'cluster'
        : undefined;
    if (asks === undefined) continue;
    counts[asks] += 1;
    const wanted = asks === 'service' ? ofService : ofCluster;
    assert.deepEqual(
      wanted.filter((long) => !longs.includes(long)),
      [],
      `gatehouse ${path}`,
    );
  }
  assert.ok(counts.cluster >= 4 && counts.service >= 8, JSON.stringify(counts));
});
