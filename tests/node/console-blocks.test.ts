import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matchesShown, shownCommands } from './console-blocks.ts';

const page = `# A page
\`\`\`yaml
$ not a command
\`\`\`
\`\`\`console
$ kubectl get pods
NAME   READY
…
$ printf a \\
    | cat
\`\`\`
between
\`\`\`console
$ true
\`\`\`
`;

test('the commands of a page are those of its console blocks, with what they print', () => {
  assert.deepEqual(shownCommands(page), [
    { command: 'kubectl get pods', output: ['NAME   READY', '…'], line: 6 },
    { command: 'printf a \\\n    | cat', output: [], line: 9 },
    { command: 'true', output: [], line: 14 },
  ]);
});

test('a console block that begins with no command is an error that names the line', () => {
  assert.throws(
    () => shownCommands('```console\nkubectl get pods\n```'),
    /^Error: line 2: .*kubectl get pods/,
  );
});

test('what is printed is compared by whole lines, and an ellipsis stands for anything', () => {
  assert.ok(matchesShown(['a', '…'], 'a\n'));
  assert.ok(matchesShown(['a', '…', 'z'], 'a\nb\nc\nz\n'));
  assert.ok(matchesShown(['pod/… created'], 'pod/backend-7f (x) created'));
  assert.ok(matchesShown(['< HTTP/1.1 403 Forbidden', '…'], '< HTTP/1.1 403 Forbidden\r\n< date: now\r\n'));
  assert.ok(!matchesShown(['a'], 'a\nb'), 'a line too many');
  assert.ok(!matchesShown(['a', 'b'], 'a'), 'a line too few');
  assert.ok(!matchesShown(['pod/… created'], 'pod/backend unchanged'));
  assert.ok(!matchesShown(['1.1'], '1x1'), 'a dot is a dot');
});
