import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLog, type LogOptions } from './log.ts';
import { longestLine } from './log-line.ts';

const logged = (format: LogOptions['format'], say: (log: ReturnType<typeof createLog>) => void): string => {
  let text = '';
  const write = (line: string): void => {
    text += line;
  };
  say(createLog({ service: 'policy', level: 'info', format, to: { write } }));
  return text;
};

/** Each is a way to make a search for secrets, or a reader of JSON, begin again and again. */
const laborious: Readonly<Record<string, string>> = {
  'beginnings of tokens': 'eyJ',
  'headers of tokens': 'eyJa.',
  tokens: 'eyJa.eyJb.c.',
  'beginnings of keys': '-----BEGIN ',
  'keys without an end': '-----BEGIN PRIVATE KEY-----',
  'ends without a key': '-----END PRIVATE KEY-----',
  'labels without an end': '-----BEGIN AAAAAAAAAAAAAAAA',
  'quotation marks': '"',
  backslashes: '\\',
  'fields in a text': '"token":"',
  'control characters': '\u0001',
  'line feeds': '\n',
};

test("a line costs what its length costs, whatever a stranger's text does to the search for secrets", () => {
  const millisecondsOf = (text: string): number => {
    const startedAt = performance.now();
    logged('json', (log) => log.info({ problems: [text] }, text));
    return performance.now() - startedAt;
  };
  for (const [name, part] of Object.entries(laborious)) {
    const text = (length: number): string => part.repeat(length / part.length);
    millisecondsOf(text(1_000));
    // A quarter of a megabyte took half a minute when the search began again at each beginning of a token.
    const milliseconds = millisecondsOf(text(262_144));
    assert.ok(milliseconds < 2_000, `${name}: ${milliseconds} ms`);
  }
  assert.equal(Object.keys(laborious).length, 12);
});

const hostile = ['\u001b[2K\r', '\n', '\u0000', '\u202e', '\u2028', '\ud800', '\u009b', '\ufeff'].join(
  'forged',
);

test('a text of a stranger begins no line, moves no cursor, turns no words round and is cut', () => {
  for (const format of ['json', 'pretty'] as const) {
    for (const length of [100, 65_536, 1_048_576]) {
      const text = hostile.repeat(Math.ceil(length / hostile.length));
      const line = logged(format, (log) =>
        log.warn({ name: text, [text]: 'named', list: [text], deep: { err: { message: text } } }, text),
      );
      assert.equal(line.indexOf('\n'), line.length - 1, 'one line');
      assert.doesNotMatch(line.trimEnd(), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      assert.ok(line.length <= longestLine, `${line.length} characters`);
    }
  }
});

test('a stack keeps its lines, and what a stranger wrote into it is escaped and indented', () => {
  const err = new TypeError(`no ${hostile}\nERROR: policy: forged`);
  const json = JSON.parse(logged('json', (log) => log.error({ err }, 'said')));
  assert.match(json.err.stack, /\n {4}at .*log-line\.test\.ts/);
  assert.doesNotMatch(json.err.stack.replaceAll('\n', ''), /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
  const [first, ...others] = logged('pretty', (log) => log.error({ err }, 'said'))
    .trimEnd()
    .split('\n');
  assert.match(first ?? '', /ERROR: policy: said/);
  assert.ok(others.length > 2);
  for (const line of others) assert.match(line, /^ {4}/);
});

test('a line with more fields than have room keeps its sentence, and says what is left out', () => {
  const problems = Array.from({ length: 1_000 }, (_, index) => `field ${index} is wrong`);
  const text = logged('json', (log) =>
    log.child({ part: 'watch' }).warn({ kind: 'Pod', problems, last: 1 }, 'no'),
  );
  const { time, ...line } = JSON.parse(text);
  assert.match(time, /^\d{4}-/);
  assert.deepEqual(line, {
    level: 'warn',
    service: 'policy',
    part: 'watch',
    kind: 'Pod',
    problems: `left out: ${JSON.stringify(problems).length} characters`,
    last: 1,
    msg: 'no',
  });
});
