import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measure } from './hostile/attack.ts';
import { attacks } from './hostile/attacks.ts';

/** A third of `npm run fuzz -- hostile`, always the same cases. */
const options = { share: 1 / 3, seed: 7 };

describe('what attackers, tenants and odd inputs try', () => {
  it('is of seven kinds', () => assert.equal(attacks.length, 7));
  for (const attack of attacks) {
    it(`${attack.name} opens nothing and stops nobody`, { timeout: 240_000 }, async () => {
      const { tried, findings } = await measure(attack, options);
      assert.deepEqual(findings, []);
      assert.ok(tried >= 20, `${tried} cases prove nothing`);
    });
  }
});
