import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/shared/kube/kinds';
import { aPod, aServiceAccount } from '@gatehouse/shared/testing/builders';
import { FakeSource } from '@gatehouse/shared/testing/fake-source';
import type { TokenClaims } from '../core/token-claims.ts';
import { WatchedCallers } from './watched-callers.ts';

const account = aServiceAccount({ uid: 's1' });
const pod = aPod({ name: 'frontend-0', uid: 'p1' });

const claimsOf = (uid = 'p1', name = 'frontend-0'): TokenClaims => ({
  issuer: 'https://gatehouse.dev',
  audiences: ['identity.l5d.io'],
  expires: Number.MAX_SAFE_INTEGER,
  notBefore: 0,
  namespace: 'demo',
  serviceAccount: { name: 'default', uid: 's1' },
  pod: { name, uid },
});

/** Callers on a source and a clock that the test holds. */
const watched = (test: TestContext, ...objects: readonly KubeObject[]) => {
  test.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_780_000_000_000 });
  const source = new FakeSource(account, ...objects);
  const health = source.health.bind(source);
  let aliveAt: number | undefined;
  source.health = () => health().map((kind) => ({ ...kind, aliveAt: aliveAt ?? kind.aliveAt }));
  const callers = new WatchedCallers({ source, maxStalenessMs: 90_000, now: Date.now });
  const end = new AbortController();
  const run = (): void => void callers.run(end.signal);
  test.after(() => end.abort());
  return {
    source,
    callers,
    run,
    freeze: () => {
      aliveAt = Date.now();
    },
    pass: (ms: number) => test.mock.timers.tick(ms),
  };
};

describe('watched callers', () => {
  it('are accepted without waiting when the watch shows them', (test) => {
    const { callers, run } = watched(test, pod);
    run();
    assert.equal(callers.require(claimsOf()), undefined);
  });

  it('are waited for, and accepted as soon as the watch shows their pod', async (test) => {
    const { source, callers, run, pass } = watched(test);
    run();
    const waiting = callers.require(claimsOf());
    assert.ok(waiting instanceof Promise);
    pass(2_999);
    source.put(pod);
    await waiting;
    assert.equal(callers.waiting, 0);
  });

  it('are refused when the watch has not shown their pod for 3 s', async (test) => {
    const { callers, run, pass } = watched(test);
    run();
    const waiting = callers.require(claimsOf());
    pass(3_000);
    await assert.rejects(Promise.resolve(waiting), {
      code: 'failed-precondition',
      message: /there is no pod demo\/frontend-0/,
    });
  });

  it('that were refused are refused at once for a minute, then waited for again', async (test) => {
    const { callers, run, pass } = watched(test);
    run();
    const waiting = callers.require(claimsOf());
    pass(3_000);
    await assert.rejects(Promise.resolve(waiting));
    assert.throws(() => callers.require(claimsOf()), { code: 'failed-precondition' });
    pass(59_999);
    assert.throws(() => callers.require(claimsOf()), { code: 'failed-precondition' });
    pass(1);
    const again = callers.require(claimsOf());
    assert.ok(again instanceof Promise);
    pass(3_000);
    await assert.rejects(again);
  });

  it('that were refused are accepted once the watch shows them all the same', async (test) => {
    const { source, callers, run, pass } = watched(test);
    run();
    const waiting = callers.require(claimsOf());
    pass(3_000);
    await assert.rejects(Promise.resolve(waiting));
    source.put(pod);
    assert.equal(callers.require(claimsOf()), undefined);
  });

  it('of one pod wait together', async (test) => {
    const { source, callers, run } = watched(test);
    run();
    const waiting = Array.from({ length: 1_000 }, () => callers.require(claimsOf()));
    assert.equal(callers.waiting, 1);
    source.put(pod);
    await Promise.all(waiting);
  });

  it('of more than 256 pods are told to try again', async (test) => {
    const { callers, run, pass } = watched(test);
    run();
    const waiting = Array.from({ length: 256 }, (_, index) =>
      callers.require(claimsOf(`p${index}`, `pod-${index}`)),
    );
    const many = callers.require(claimsOf('one-more', 'one-more'));
    await assert.rejects(Promise.resolve(many), { code: 'unavailable' });
    pass(3_000);
    const ends = await Promise.allSettled(waiting);
    assert.equal(ends.filter(({ status }) => status === 'rejected').length, 256);
  });

  it('whose pod appears as another ServiceAccount are refused without waiting longer', async (test) => {
    const { source, callers, run } = watched(test);
    run();
    const waiting = callers.require(claimsOf());
    source.put(aPod({ name: 'frontend-0', uid: 'p1', serviceAccount: 'other' }));
    await assert.rejects(Promise.resolve(waiting), {
      code: 'failed-precondition',
      message: /runs as .* other/,
    });
  });

  it('cannot be judged before everything was listed', async (test) => {
    const { callers, pass } = watched(test);
    const waiting = callers.require(claimsOf());
    pass(3_000);
    await assert.rejects(Promise.resolve(waiting), { code: 'unavailable' });
    const again = callers.require(claimsOf());
    assert.ok(again instanceof Promise, 'that is no reason to remember anything');
    pass(3_000);
    await assert.rejects(again);
  });

  it('are not judged by a watch that shows no life', (test) => {
    const { callers, run, freeze, pass } = watched(test, pod);
    run();
    freeze();
    pass(90_000);
    assert.equal(callers.require(claimsOf()), undefined);
    pass(1);
    assert.throws(() => callers.require(claimsOf()), { code: 'unavailable' });
  });
});
