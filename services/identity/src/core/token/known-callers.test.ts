import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { Moment } from '@gatehouse/core/moment';
import type { Change } from '@gatehouse/core/resources/changes';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aPod, aServiceAccount } from '@gatehouse/testing/builders';
import { KnownCallers } from './known-callers.ts';
import type { TokenClaims } from './token-claims.ts';

const t0 = 1_780_000_000_000;
const pod = aPod({ name: 'frontend-0', uid: 'p1' });
const account = aServiceAccount({ uid: 's1' });

const claims: TokenClaims = {
  issuer: 'https://gatehouse.dev',
  audiences: ['identity.l5d.io'],
  expires: t0 / 1000 + 3600,
  notBefore: t0 / 1000,
  namespace: 'demo',
  serviceAccount: { name: 'default', uid: 's1' },
  pod: { name: 'frontend-0', uid: 'p1' },
  alsoBoundTo: undefined,
};

const apply = (object: KubeObject): Change => ({ type: 'apply', kind: object.kind, object }) as Change;
const gone = ({ kind, meta }: KubeObject): Change => ({
  type: 'delete',
  kind,
  namespace: meta.namespace,
  name: meta.name,
  uid: meta.uid,
});

/** Both clocks, as long as nobody sets one of them. */
const at = (ms: number): Moment => ({ wall: ms, elapsed: ms - t0 });

let callers: KnownCallers;
beforeEach(() => {
  callers = new KnownCallers();
  callers.apply(
    [
      { type: 'reset', kind: 'Pod', objects: [pod] },
      { type: 'reset', kind: 'ServiceAccount', objects: [account] },
    ],
    0,
  );
});

const look = (nowMs = t0, about: Partial<TokenClaims> = {}): string =>
  callers.look({ ...claims, ...about }, at(nowMs)).kind;

describe('callers', () => {
  it('are known while their pod and ServiceAccount exist', () => assert.equal(look(), 'known'));

  it('without a pod are known by their ServiceAccount alone', () =>
    assert.equal(look(t0, { pod: undefined }), 'known'));

  it('are unseen while the watch has not told of their pod', () =>
    assert.equal(look(t0, { pod: { name: 'frontend-1', uid: 'p2' } }), 'unseen'));

  it('are unseen under a uid that their pod does not have', () => {
    assert.equal(look(t0, { pod: { name: 'frontend-0', uid: 'p2' } }), 'unseen');
    assert.equal(look(t0, { serviceAccount: { name: 'default', uid: 's2' } }), 'unseen');
  });

  it('are unseen in another namespace under the same name', () =>
    assert.equal(look(t0, { namespace: 'other' }), 'unseen'));

  it('of a pod that runs as another ServiceAccount are refused', () => {
    const admin = aServiceAccount({ name: 'admin', uid: 's2' });
    callers.apply([apply(admin)], 0);
    assert.equal(look(t0, { serviceAccount: { name: 'admin', uid: 's2' } }), 'refused');
  });

  it('are known for a minute after their pod was deleted, and no longer', () => {
    callers.apply([gone(pod)], 0);
    assert.equal(look(t0 + 60_000), 'known');
    assert.equal(look(t0 + 60_001), 'unseen');
  });

  it('are known for a minute after their pod was deleted, wherever the wall clock is set meanwhile', () => {
    callers.apply([gone(pod)], 0);
    for (const wall of [t0 - 86_400_000, t0 + 86_400_000]) {
      assert.equal(callers.look(claims, { wall, elapsed: 60_000 }).kind, 'known');
      assert.equal(callers.look(claims, { wall, elapsed: 60_001 }).kind, 'unseen');
    }
  });

  it('are known for a minute after their ServiceAccount was deleted, and no longer', () => {
    callers.apply([gone(account)], 0);
    assert.equal(look(t0 + 60_000), 'known');
    assert.equal(look(t0 + 60_001), 'unseen');
  });

  it('are known for a minute after a relist did not mention their pod', () => {
    callers.apply([{ type: 'reset', kind: 'Pod', objects: [] }], 0);
    assert.equal(look(t0 + 60_000), 'known');
    assert.equal(look(t0 + 60_001), 'unseen');
  });

  it('of a deleted pod that ran as another ServiceAccount are refused', () => {
    const admin = aServiceAccount({ name: 'admin', uid: 's2' });
    callers.apply([apply(admin), gone(pod)], 0);
    assert.equal(look(t0, { serviceAccount: { name: 'admin', uid: 's2' } }), 'refused');
  });

  it('whose pod was made again under its name are told apart from the new one', () => {
    callers.apply([gone(pod), apply(aPod({ name: 'frontend-0', uid: 'p2' }))], 0);
    assert.equal(look(t0, { pod: { name: 'frontend-0', uid: 'p2' } }), 'known');
    assert.equal(look(t0), 'known', 'the old one for a minute');
    assert.equal(look(t0 + 60_001), 'unseen');
  });

  it('of a terminating pod are known until a minute after its end', () => {
    callers.apply([apply(aPod({ name: 'frontend-0', uid: 'p1', deletedAt: t0 + 30_000 }))], 0);
    assert.equal(look(t0 + 90_000), 'known');
    assert.equal(look(t0 + 90_001), 'refused');
  });

  it('that left long ago are forgotten', () => {
    callers.apply([gone(pod)], 0);
    callers.apply([], 60_001);
    // Were it remembered, going back in time would show it.
    assert.equal(look(t0 + 1), 'unseen');
  });

  it('cannot be called missing before both kinds were listed', () => {
    const fresh = new KnownCallers();
    assert.equal(fresh.isComplete, false);
    fresh.apply([{ type: 'reset', kind: 'Pod', objects: [] }], 0);
    assert.equal(fresh.isComplete, false);
    fresh.apply([{ type: 'reset', kind: 'ServiceAccount', objects: [] }], 0);
    assert.equal(fresh.isComplete, true);
  });
});

it('a pod whose ServiceAccount cannot be read runs as none, also once it is gone', () => {
  const unread = aPod({ name: 'frontend-0', uid: 'p1', unread: ['serviceAccountName'] });
  callers.apply([apply(unread)], 0);
  assert.deepEqual(callers.look(claims, at(t0)), {
    kind: 'refused',
    why: 'the ServiceAccount of pod demo/frontend-0 cannot be read',
  });
  callers.apply([gone(unread)], 0);
  assert.deepEqual(callers.look(claims, at(t0)), {
    kind: 'refused',
    why: 'the ServiceAccount of pod demo/frontend-0 could not be read',
  });
});
