import { signToken } from '../token-builder.ts';
import type { Dice } from './dice.ts';
import { payloadOf, type TokenAsker } from './odd-tokens.ts';

export interface MutatedToken {
  readonly what: string;
  readonly token: Uint8Array;
}

/** Damage to the bytes of a good token, or a strange value somewhere in a payload that is signed as it is. */
export const mutateToken = (asker: TokenAsker, dice: Dice): MutatedToken =>
  dice.chance(0.5) ? damaged(signToken(asker.signer, payloadOf(asker)), dice) : signedStrangely(asker, dice);

const damaged = (good: Uint8Array, dice: Dice): MutatedToken => {
  const at = dice.below(good.length);
  const join = (...parts: readonly Uint8Array[]): Uint8Array => Buffer.concat(parts);
  switch (dice.below(6)) {
    case 0:
      return {
        what: 'a bit of the token flipped',
        token: good.with(at, (good[at] ?? 0) ^ (1 << dice.below(8))),
      };
    case 1: {
      const count = 1 + dice.below(20);
      return {
        what: 'bytes of the token gone',
        token: join(good.subarray(0, at), good.subarray(at + count)),
      };
    }
    case 2: {
      const more = dice.bytes(1 + dice.below(8));
      return { what: 'bytes in the token', token: join(good.subarray(0, at), more, good.subarray(at)) };
    }
    case 3: {
      const letter = Buffer.from(dice.pick([...'abcXYZ019-_.=+/ \n']));
      return {
        what: 'a letter of the token changed',
        token: join(good.subarray(0, at), letter, good.subarray(at + 1)),
      };
    }
    case 4:
      return { what: 'a token cut off', token: good.subarray(0, at) };
    default:
      return { what: 'a token doubled', token: join(good, good.subarray(at)) };
  }
};

/** Values that readers of JSON take for what they are not. */
const strangeValues: readonly unknown[] = [
  undefined,
  null,
  true,
  false,
  0,
  -1,
  1e308,
  Number.MAX_SAFE_INTEGER,
  0.5,
  '',
  '0',
  '__proto__',
  'toString',
  'x'.repeat(3_000),
  '\0',
  '\ud800',
  [],
  [null],
  [[]],
  {},
  { toString: 'x' },
  { length: 1 },
];

const signedStrangely = (asker: TokenAsker, dice: Dice): MutatedToken => {
  const payload = structuredClone(payloadOf(asker));
  const places = placesIn(payload);
  const { holder, key } = dice.pick(places);
  const value = dice.chance(0.2) ? dice.pick(places).value : dice.pick(strangeValues);
  holder[key] = structuredClone(value);
  return { what: `a strange ${key}`, token: signToken(asker.signer, payload) };
};

interface Place {
  readonly holder: Record<string, unknown>;
  readonly key: string;
  readonly value: unknown;
}

const placesIn = (holder: Record<string, unknown>): Place[] =>
  Object.entries(holder).flatMap(([key, value]) => [
    { holder, key, value },
    ...(typeof value === 'object' && value !== null ? placesIn(value as Record<string, unknown>) : []),
  ]);
