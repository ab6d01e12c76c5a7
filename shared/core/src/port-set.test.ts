import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasPort, highestPort, isPort, noPorts, parsePortSet, portSet, printPortSet } from './port-set.ts';

const printed = (text: string): string | undefined => {
  const outcome = parsePortSet(text);
  return outcome.ok ? printPortSet(outcome.value) : undefined;
};

test('lists and ranges are read, sorted and joined where they touch', () => {
  const expected = {
    '25,587,3306': '25,587,3306',
    '587, 25 ,3306': '25,587,3306',
    '8080-8082,8083,8090-8095,8092-8100': '8080-8083,8090-8100',
    '80,80': '80',
    '1-65535': '1-65535',
    '': '',
    ',,': '',
    '7-7': '7',
  };
  for (const [text, result] of Object.entries(expected)) assert.equal(printed(text), result, text);
  assert.equal(Object.keys(expected).length, 8);
});

test('what is not a valid port list is refused with the item that is wrong', () => {
  const wrong = ['0', '65536', '80-70', 'http', '80-', '-80', '8 0', '1.5', '0-5', '5-65536', '99999', '1e3'];
  for (const text of wrong) {
    const outcome = parsePortSet(`443,${text}`, 'annotation');
    assert.ok(!outcome.ok, text);
    assert.deepEqual(outcome.problems, [
      {
        field: 'annotation',
        found: `\`${text}\` is not a valid port or range`,
        fix: 'ports 1 to 65535, such as 25,9090-9099',
      },
    ]);
  }
  assert.equal(wrong.length, 12);
});

test('a port is a whole number from 1 to 65535', () => {
  for (const port of [1, 80, highestPort]) assert.ok(isPort(port), `${port}`);
  for (const port of [0, -1, 65536, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    assert.ok(!isPort(port), `${port}`);
  assert.ok(!hasPort(noPorts, 80));
});

const range = fc
  .tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 }))
  .map(([first, more]) => ({ first, last: first + more }));

test('a set holds exactly the ports of its ranges, in the fewest ranges, and prints what it reads', () => {
  fc.assert(
    fc.property(fc.array(range), (ranges) => {
      const set = portSet(ranges);
      for (let port = 1; port <= 70; port += 1) {
        assert.equal(
          hasPort(set, port),
          ranges.some(({ first, last }) => first <= port && port <= last),
        );
      }
      for (const [index, { first }] of set.ranges.entries()) {
        const before = set.ranges[index - 1];
        assert.ok(before === undefined || before.last + 1 < first, 'sorted, disjoint and not adjacent');
      }
      assert.deepEqual(parsePortSet(printPortSet(set)), { ok: true, value: set });
    }),
  );
});
