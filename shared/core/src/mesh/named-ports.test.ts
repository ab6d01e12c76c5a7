import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namesPort, type PortSelector, targetPortOn } from './named-ports.ts';

const pod = {
  ports: [
    { name: 'setup', port: 1, init: true },
    { name: 'http', port: 8080 },
    { name: 'http', port: 8081 },
    { name: '', port: 9000 },
  ],
} as const;

const name = (text: string): PortSelector => ({ kind: 'name', name: text });
const range = (first: number, last = first): PortSelector => ({ kind: 'range', first, last });

test('a policy names a port by number, range, or the name of every container port that bears it', () => {
  const cases = [
    [[range(8080)], 8080, true],
    [[range(8080)], 8081, false],
    [[range(8000, 8090)], 8090, true],
    [[range(8000, 8090)], 8091, false],
    [[name('http')], 8080, true],
    [[name('http')], 8081, true],
    [[name('http')], 9000, false],
    [[name('setup')], 1, true],
    [[name('HTTP')], 8080, false],
    [[name('none'), range(9000)], 9000, true],
    [[], 8080, false],
  ] as const;
  assert.equal(cases.length, 11);
  for (const [selectors, port, expected] of cases) {
    assert.equal(namesPort(selectors, port, pod), expected, JSON.stringify([selectors, port]));
  }
});

test('a target port is a number, or the first port of the name in a container that serves', () => {
  const cases = [
    [7000, 7000],
    ['http', 8080],
    ['setup', undefined],
    ['none', undefined],
    ['HTTP', undefined],
  ] as const;
  assert.equal(cases.length, 5);
  for (const [target, port] of cases) assert.equal(targetPortOn(pod, target), port, `${target}`);
});
