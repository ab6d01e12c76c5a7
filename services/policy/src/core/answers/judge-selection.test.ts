import assert from 'node:assert/strict';
import test from 'node:test';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import { aPod } from '@gatehouse/testing/builders';
import { podEnforcement } from '../inbound/enforcement.ts';
import { type JudgedPod, judgeSelection, shortfallsOf } from './judge-selection.ts';

const facts = {
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  namespaceAnnotations: {},
};
const judged = (...pods: readonly ReturnType<typeof aPod>[]) =>
  pods.map((pod) => ({ pod, enforcement: podEnforcement(pod, facts) }));
const selectionOf = (pods: readonly JudgedPod[], ports: readonly PortSelector[] | 'all') =>
  judgeSelection(pods, shortfallsOf(pods, ports));
const skipping = (ports: string) => ({ annotations: { 'config.linkerd.io/skip-inbound-ports': ports } });
const port = (number: number): PortSelector => ({ kind: 'range', first: number, last: number });

test('an object is enforced only where a proxy stands before what it selects', () => {
  const good = aPod({ name: 'good', ports: [{ name: 'http', port: 8080 }] });
  const bare = aPod({ name: 'bare', meshed: false });
  const ended = aPod({ name: 'ended', phase: 'Succeeded' });
  const skips = aPod({ name: 'skips', ports: [{ name: 'http', port: 8080 }], ...skipping('8080') });
  const named: readonly PortSelector[] = [{ kind: 'name', name: 'http' }];
  const cases = [
    [[], named, 'matches-nothing', []],
    [[ended], named, 'matches-nothing', []],
    [[good, ended], named, 'enforced', []],
    [[good, bare], named, 'partly-enforced', ['bare unmeshed']],
    [[bare], named, 'not-enforced', ['bare unmeshed']],
    [[skips], named, 'not-enforced', ['skips skipped-port']],
    [[skips], 'all', 'partly-enforced', ['skips skipped-port']],
    [[skips], [port(8080), port(9000)], 'partly-enforced', ['skips skipped-port']],
    [[skips], [port(9000)], 'enforced', []],
    [[skips, good, bare], named, 'partly-enforced', ['bare unmeshed', 'skips skipped-port']],
  ] as const;
  assert.equal(cases.length, 10);
  for (const [pods, ports, state, notEnforced] of cases) {
    const selection = selectionOf(judged(...pods), ports);
    assert.deepEqual(
      [selection.state, selection.notEnforced.map(({ pod, reason }) => `${pod} ${reason}`)],
      [state, notEnforced],
    );
  }
});

test('many pods are counted, and the first hundred named', () => {
  const pods = Array.from({ length: 150 }, (_, at) =>
    aPod({ name: `p-${String(at).padStart(3, '0')}`, meshed: false }),
  );
  const { count, names, notEnforced, notEnforcedCount } = selectionOf(judged(...pods.toReversed()), 'all');
  assert.deepEqual([count, names.length, notEnforced.length, notEnforcedCount], [150, 100, 100, 150]);
  assert.deepEqual([names[0], names.at(-1)], ['p-000', 'p-099']);
});
