import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import type { TokenClaims } from '../../core/token/token-claims.ts';
import { type Standing, WatchedCallers } from './watched-callers.ts';

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
  alsoBoundTo: undefined,
});

/** Callers on a source and clocks that the test holds. */
const watched = (test: TestContext, ...objects: readonly KubeObject[]) => {
  test.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_780_000_000_000 });
  const source = new FakeSource(account, ...objects);
  const health = source.health.bind(source);
  let ahead = 0;
  let frozenAt: number | undefined;
  const silentMs = (): number => (frozenAt === undefined ? 0 : Date.now() - frozenAt);
  source.health = () => health().map((kind) => ({ ...kind, staleMs: silentMs() }));
  const callers = new WatchedCallers({
    source,
    maxStalenessMs: 90_000,
    now: () => Date.now() + ahead,
    elapsed: Date.now,
  });
  const end = new AbortController();
  const run = (): void => void callers.run(end.signal);
  test.after(() => end.abort());
  const judge = (claims = claimsOf(), signal = new AbortController().signal): Standing | Promise<Standing> =>
    callers.judge(claims, signal);
  return {
    source,
    callers,
    judge,
    run,
    freeze: () => {
      frozenAt = Date.now();
    },
    pass: (ms: number) => test.mock.timers.tick(ms),
    setClock: (byMs: number) => {
      ahead += byMs;
    },
  };
};

const known: Standing = { kind: 'known' };
const missing = 'there is no pod demo/frontend-0 with uid p1';

/** Lets waits begin and end that do not wait for the clock. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('watched callers', () => {
  it('are known without waiting when the watch shows them', (test) => {
    const { judge, run } = watched(test, pod);
    run();
    assert.deepEqual(judge(), known);
  });

  it('are waited for, and known as soon as the watch shows their pod', async (test) => {
    const { source, callers, judge, run, pass } = watched(test);
    run();
    const waiting = judge();
    assert.ok(waiting instanceof Promise);
    pass(2_999);
    source.put(pod);
    assert.deepEqual(await waiting, known);
    assert.equal(callers.waiting, 0);
  });

  it('are unseen when the watch has not shown their pod for 3 s', async (test) => {
    const { judge, run, pass } = watched(test);
    run();
    const waiting = judge();
    pass(3_000);
    assert.deepEqual(await waiting, { kind: 'unseen', why: missing, uid: 'p1' });
  });

  it('are unseen when the watch shows their pod but not their ServiceAccount', async (test) => {
    const { source, judge, run, pass } = watched(test, pod);
    run();
    source.remove(account);
    pass(60_001);
    const waiting = judge();
    pass(3_000);
    const why = 'there is no ServiceAccount demo/default with uid s1';
    assert.deepEqual(await waiting, { kind: 'unseen', why, uid: 's1' });
  });

  it('that somebody who knows has not heard of are refused at once for a minute, then waited for again', async (test) => {
    const { callers, judge, run, pass } = watched(test);
    run();
    callers.remember('p1');
    assert.deepEqual(judge(), { kind: 'refused', why: missing });
    pass(59_999);
    assert.deepEqual(judge(), { kind: 'refused', why: missing });
    pass(1);
    const again = judge();
    assert.ok(again instanceof Promise);
    pass(3_000);
    assert.equal((await again).kind, 'unseen');
  });

  it('that were not heard of are known once the watch shows them all the same', (test) => {
    const { source, callers, judge, run } = watched(test);
    run();
    callers.remember('p1');
    source.put(pod);
    assert.deepEqual(judge(), known);
  });

  it('that were not heard of are forgotten beyond 4,096, the oldest first', (test) => {
    const { callers, judge, run } = watched(test);
    run();
    for (let index = 0; index < 4_096; index += 1) callers.remember(`u${index}`);
    callers.remember('u0');
    callers.remember('one-more');
    const kindOf = (uid: string): string => {
      const standing = judge(claimsOf(uid), AbortSignal.abort());
      if (!(standing instanceof Promise)) return standing.kind;
      standing.catch(() => {});
      return 'waited for';
    };
    assert.deepEqual(['u0', 'u1', 'u2', 'u4095', 'one-more'].map(kindOf), [
      'refused',
      'waited for',
      'refused',
      'refused',
      'refused',
    ]);
  });

  it('of one pod wait together', async (test) => {
    const { source, callers, judge, run } = watched(test);
    run();
    const waiting = Array.from({ length: 1_000 }, () => judge());
    assert.equal(callers.waiting, 1);
    source.put(pod);
    for (const standing of await Promise.all(waiting)) assert.deepEqual(standing, known);
  });

  it('of another life of the ServiceAccount wait by themselves', async (test) => {
    const { source, callers, judge, run, pass } = watched(test);
    run();
    const other = judge({ ...claimsOf(), serviceAccount: { name: 'default', uid: 's2' } });
    const waiting = judge();
    assert.equal(callers.waiting, 2);
    source.put(pod);
    assert.deepEqual(await waiting, known);
    pass(3_000);
    assert.equal((await other).kind, 'unseen');
  });

  it('of more than 256 pods are told to try again', async (test) => {
    const { judge, run, pass } = watched(test);
    run();
    const waiting = Array.from({ length: 256 }, (_, index) => judge(claimsOf(`p${index}`, `pod-${index}`)));
    const many = judge(claimsOf('one-more', 'one-more'));
    await assert.rejects(Promise.resolve(many), { code: 'unavailable' });
    const joining = judge(claimsOf('p0', 'pod-0'));
    pass(3_000);
    const ends = await Promise.all([...waiting, joining]);
    assert.equal(ends.filter(({ kind }) => kind === 'unseen').length, 257);
  });

  it('that go away leave their place to others', async (test) => {
    const { callers, judge, run, pass } = watched(test);
    run();
    const gone = new AbortController();
    const waiting = Array.from({ length: 256 }, (_, index) =>
      judge(claimsOf(`p${index}`, `pod-${index}`), gone.signal),
    );
    const stays = judge(claimsOf('p0', 'pod-0'));
    gone.abort();
    for (const one of waiting) await assert.rejects(Promise.resolve(one), { code: 'cancelled' });
    assert.equal(callers.waiting, 1);
    const next = judge(claimsOf('one-more', 'one-more'));
    await settle();
    pass(3_000);
    assert.equal((await stays).kind, 'unseen');
    assert.equal((await next).kind, 'unseen');
  });

  it('whose pod appears as another ServiceAccount are refused without waiting longer', async (test) => {
    const { source, judge, run } = watched(test);
    run();
    const waiting = judge();
    source.put(aPod({ name: 'frontend-0', uid: 'p1', serviceAccount: 'other' }));
    assert.deepEqual(await waiting, {
      kind: 'refused',
      why: 'pod demo/frontend-0 runs as the ServiceAccount other',
    });
  });

  it('cannot be judged before everything was listed, but are waited for', async (test) => {
    const { judge, run, pass } = watched(test, pod);
    const waiting = judge();
    pass(3_000);
    assert.equal((await waiting).kind, 'undecided');
    const again = judge();
    assert.ok(again instanceof Promise, 'that is no reason to remember anything');
    run();
    assert.deepEqual(await again, known);
  });

  it('are not judged by a watch that shows no life', (test) => {
    const { judge, run, freeze, pass } = watched(test, pod);
    run();
    freeze();
    pass(90_000);
    assert.deepEqual(judge(), known);
    pass(1);
    assert.deepEqual(judge(), {
      kind: 'undecided',
      why: 'the watch of pods and ServiceAccounts is stale: try again',
    });
  });

  it('are not judged by a watch that shows no life, wherever the wall clock is set', (test) => {
    const { judge, run, freeze, pass, setClock } = watched(test, pod);
    run();
    freeze();
    setClock(86_400_000);
    pass(90_000);
    assert.deepEqual(judge(), known, 'a clock that jumps forward makes nothing old');
    setClock(-2 * 86_400_000);
    pass(1);
    const standing = judge();
    assert.ok(
      !(standing instanceof Promise) && standing.kind === 'undecided',
      'nor does one that is set back keep it new',
    );
  });

  it('that somebody who knows has not heard of are refused for a minute, wherever the wall clock is set', (test) => {
    const { callers, judge, run, pass, setClock } = watched(test);
    run();
    callers.remember('p1');
    setClock(86_400_000);
    assert.deepEqual(judge(), { kind: 'refused', why: missing });
    setClock(-2 * 86_400_000);
    pass(60_000);
    const waiting = judge();
    assert.ok(waiting instanceof Promise);
    waiting.catch(() => {});
  });

  it('that wait while the watch dies cannot be judged', async (test) => {
    const { judge, run, freeze, pass } = watched(test);
    run();
    freeze();
    pass(88_000);
    const waiting = judge();
    pass(3_000);
    assert.equal((await waiting).kind, 'undecided');
  });
});
