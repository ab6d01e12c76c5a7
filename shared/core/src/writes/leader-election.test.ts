import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  claimed,
  type Election,
  inDoubt,
  isInTerm,
  type Lease,
  newElection,
  nextStep,
  release,
  said,
  saw,
  usualElectionTiming,
} from './leader-election.ts';

const aLease = (said: Partial<Lease> = {}): Lease => ({
  version: '1',
  holder: 'other',
  durationMs: 15_000,
  acquireTime: 't0',
  renewTime: 't0',
  transitions: 3,
  ...said,
});

const fresh = newElection('me', usualElectionTiming);

/** Sends the claim of the step due at `now`, which is answered at `answered`. */
const claim = (election: Election, now: number, { answered = now, version = '2', time = 't1' } = {}) => {
  const step = nextStep(election, now, time);
  assert.ok(step.kind === 'create' || step.kind === 'update', step.kind);
  const lease = { ...step.claim, version };
  return claimed(said(election, step.claim), lease, { sentAt: now, now: answered });
};

test('nobody claims before looking, and a Lease that never was is made at once', () => {
  assert.deepEqual(nextStep(fresh, 0, 't1'), { kind: 'look' });
  assert.deepEqual(nextStep(saw(fresh, undefined, 5), 5, 't1'), {
    kind: 'create',
    claim: { holder: 'me', durationMs: 15_000, acquireTime: 't1', renewTime: 't1', transitions: 0 },
  });
});

test('a holder is judged by when its Lease was last seen to change, not by the times in it', () => {
  let election = saw(fresh, aLease({ renewTime: '1970-01-01T00:00:00.000000Z' }), 1_000);
  assert.deepEqual(nextStep(election, 1_000, 't1'), { kind: 'rest', ms: 2_000 });
  election = saw(election, aLease({ version: '2' }), 14_000);
  assert.equal(nextStep(election, 16_000, 't1').kind, 'look');
  election = saw(election, aLease({ version: '2' }), 28_500);
  assert.deepEqual(nextStep(election, 28_500, 't1'), { kind: 'rest', ms: 500 });
  assert.deepEqual(nextStep(election, 29_000, 't1'), {
    kind: 'update',
    version: '2',
    claim: { holder: 'me', durationMs: 15_000, acquireTime: 't1', renewTime: 't1', transitions: 4 },
  });
});

test('a holder that asks for longer is given it', () => {
  const election = saw(saw(fresh, aLease({ durationMs: 60_000 }), 0), aLease({ durationMs: 60_000 }), 59_000);
  assert.deepEqual(nextStep(election, 59_500, 't1'), { kind: 'rest', ms: 500 });
});

test('a released Lease is taken at once', () => {
  assert.equal(nextStep(saw(fresh, aLease({ holder: '' }), 0), 0, 't1').kind, 'update');
});

test('a term counts from when its claim was sent, however late the answer came', () => {
  const election = claim(saw(fresh, undefined, 0), 1_000, { answered: 5_000 });
  assert.deepEqual(
    [isInTerm(election, 10_999), isInTerm(election, 11_000)],
    [true, false],
    'the term is renewDeadlineMs from 1,000',
  );
  assert.equal(isInTerm(claim(saw(fresh, undefined, 0), 1_000, { answered: 12_000 }), 12_000), false);
});

test('a renewal that made no new version renewed nothing', () => {
  const election = claim(saw(fresh, aLease({ holder: '' }), 0), 0);
  const again = claim(election, 5_000, { version: '2', time: 't1' });
  assert.equal(isInTerm(again, 10_000), false);
  assert.equal(nextStep(again, 5_000, 't2').kind, 'look');
});

test('a claim whose answer was lost counts as ours when the Lease shows it, once it is renewed', () => {
  const seen = saw(fresh, aLease({ holder: '' }), 0);
  const step = nextStep(seen, 0, 't1');
  assert.equal(step.kind, 'update');
  const unheard = inDoubt(said(seen, aLease({ holder: 'me', renewTime: 't1' })));
  const found = saw(unheard, aLease({ version: '2', holder: 'me', renewTime: 't1' }), 3_000);
  assert.equal(isInTerm(found, 3_000), false);
  assert.equal(isInTerm(claim(found, 3_000, { version: '3', time: 't2' }), 12_999), true);
});

test('a Lease in our name that we did not say last is waited for: it came from a backup', () => {
  const found = saw(said(fresh, aLease({ renewTime: 't9' })), aLease({ holder: 'me' }), 0);
  assert.equal(nextStep(found, 1_000, 't1').kind, 'rest');
});

test('a Lease that another client wrote ends the term at once', () => {
  const election = claim(saw(fresh, undefined, 0), 0);
  assert.equal(isInTerm(saw(inDoubt(election), aLease({ version: '3' }), 1_000), 1_000), false);
});

test('a failure ends no term, and has the Lease looked at', () => {
  const election = inDoubt(claim(saw(fresh, undefined, 0), 0));
  assert.equal(isInTerm(election, 9_999), true);
  assert.deepEqual(nextStep(election, 100, 't2'), { kind: 'look' });
});

test('a Lease that is gone is made again by its holder at once, by others when its time is up', () => {
  const holder = saw(inDoubt(claim(saw(fresh, undefined, 0), 0)), undefined, 4_000);
  assert.equal(nextStep(holder, 4_000, 't2').kind, 'create');
  const other = saw(saw(fresh, aLease(), 0), undefined, 4_000);
  assert.equal(nextStep(saw(other, undefined, 18_900), 18_900, 't2').kind, 'rest');
  assert.equal(nextStep(saw(other, undefined, 19_000), 19_000, 't2').kind, 'create');
});

test('only a holder lets go, and keeps what the Lease says of its time', () => {
  const election = claim(saw(fresh, aLease({ holder: '' }), 0), 0);
  assert.deepEqual(release(election, 't2'), {
    kind: 'update',
    version: '2',
    claim: { holder: '', durationMs: 15_000, acquireTime: 't1', renewTime: 't2', transitions: 4 },
  });
  assert.equal(release(saw(fresh, aLease(), 0), 't2'), undefined);
  assert.equal(release(saw(election, undefined, 1), 't2'), undefined);
});
