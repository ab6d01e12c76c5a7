import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type Coverage, coverNames, type NameConstraints, permitName } from './name-constraints.ts';

const dns = (...bases: readonly string[]) => bases.map((base) => ({ kind: 'dns', base }) as const);
const constraints = (permitted: readonly string[], excluded: readonly string[] = []): NameConstraints => ({
  permitted: dns(...permitted),
  excluded: dns(...excluded),
});

describe('a DNS name under name constraints', () => {
  const cases: readonly (readonly [string, NameConstraints, string, boolean])[] = [
    ['itself', constraints(['a.b']), 'a.b', true],
    ['below', constraints(['a.b']), 'x.y.a.b', true],
    ['with the same end but another label', constraints(['a.b']), 'xa.b', false],
    ['above', constraints(['a.b']), 'b', false],
    ['below a base with a dot', constraints(['.a.b']), 'x.a.b', true],
    ['a base with a dot itself', constraints(['.a.b']), 'a.b', false],
    ['anything under an empty base', constraints(['']), 'x', true],
    ['one of several', constraints(['a', 'b']), 'x.b', true],
    ['permitted and excluded', constraints(['b'], ['a.b']), 'x.a.b', false],
    ['excluded elsewhere', constraints([], ['a']), 'b', true],
    ['everything excluded', constraints([], ['']), 'b', false],
    [
      'only other kinds permitted',
      { permitted: [{ kind: 'other', choice: 7 }], excluded: [] },
      'anything',
      true,
    ],
  ];
  it('passes in the known cases', () => {
    assert.equal(cases.length, 12);
    for (const [title, one, name, passes] of cases) assert.equal(permitName([one], name), passes, title);
  });

  it('passes several CAs only if each lets it', () => {
    assert.equal(permitName([constraints(['b']), constraints([], ['a.b'])], 'a.b'), false);
    assert.equal(permitName([constraints(['b']), constraints([], ['a.b'])], 'c.b'), true);
  });
});

describe('the names below a suffix', () => {
  const label = fc.constantFrom('a', 'b', 'c');
  const base = fc
    .tuple(fc.array(label, { maxLength: 4 }), fc.boolean())
    .map(([labels, dot]) => `${dot && labels.length > 0 ? '.' : ''}${labels.join('.')}`);
  const some = fc.array(base, { maxLength: 2 });

  it('are covered as asking for each of them would tell', () => {
    const suffix = 'a.b';
    const labels = ['a', 'b', 'c', 'd'];
    // Deeper than any base reaches, and with a label that no base names.
    const one = labels.map((first) => `${first}.${suffix}`);
    const two = one.flatMap((name) => labels.map((first) => `${first}.${name}`));
    const names = [...one, ...two, ...two.map((name) => `d.${name}`)];
    const seen = new Set<Coverage>();
    fc.assert(
      fc.property(some, some, (permitted, excluded) => {
        const all = constraints(permitted, excluded);
        const passing = names.filter((name) => permitName([all], name)).length;
        const covered = coverNames([all], suffix);
        seen.add(covered);
        if (covered === 'all') assert.equal(passing, names.length);
        if (covered === 'none') assert.equal(passing, 0);
        if (covered === 'some') assert.notEqual(passing, names.length);
      }),
      { numRuns: 2_000 },
    );
    assert.deepEqual([...seen].sort(), ['all', 'none', 'some']);
  });
});
