import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Asking, permittedPage, requireRead } from './permitted.ts';

interface Item {
  readonly key: string;
  readonly namespace: string | undefined;
}

/** A request of a caller who may see these namespaces, or all; it remembers what it was asked. */
const asking = (may: ReadonlySet<string> | 'all') => {
  const asked: (string | undefined)[] = [];
  const mayRead = async (_resource: string, namespace: string | undefined): Promise<boolean> => {
    asked.push(namespace);
    return may === 'all' || (namespace !== undefined && may.has(namespace));
  };
  const request = {
    caller: { name: 'jane', mayRead },
    routeOptions: { url: '/v1/streams', config: { access: { reads: 'streams' } } },
  } as unknown as Asking;
  return { asked, request };
};

const listOf = (query: { readonly limit?: number; readonly continue?: string }) => ({
  keyOf: ({ key }: Item) => key,
  namespaceOf: ({ namespace }: Item) => namespace,
  query,
});

const names = Array.from({ length: 40 }, (_, index) => `ns-${index}`);

test('pages are full, in order, and show all that is permitted and nothing else; `continue` names what was shown', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(
        fc.record({ key: fc.string(), namespace: fc.option(fc.constantFrom(...names), { nil: undefined }) }),
        {
          selector: ({ key }) => key,
          maxLength: 80,
        },
      ),
      fc.oneof(
        fc.constant('all' as const),
        fc.subarray(names).map((some) => new Set(some)),
      ),
      fc.integer({ min: 1, max: 20 }),
      async (items, may, limit) => {
        const expected = items
          .filter(({ namespace }) => may === 'all' || (namespace !== undefined && may.has(namespace)))
          .sort((a, b) => (a.key < b.key ? -1 : 1));
        const seen: Item[] = [];
        let more: string | undefined;
        do {
          const query = { limit, ...(more === undefined ? {} : { continue: more }) };
          const page = await permittedPage(asking(may).request, items, listOf(query));
          seen.push(...page.items);
          more = page.continue;
          if (more === undefined) continue;
          assert.equal(page.items.length, limit);
          assert.equal(Buffer.from(more, 'base64url').toString(), page.items.at(-1)?.key);
        } while (more !== undefined);
        assert.deepEqual(seen, expected);
      },
    ),
    { numRuns: 300 },
  ));

test('anyone who may see all is asked about once; others once for each namespace that is needed', async () => {
  const items = names.map((namespace, index) => ({ key: `${index}`.padStart(3, '0'), namespace }));
  const all = asking('all');
  await permittedPage(all.request, items, listOf({}));
  assert.deepEqual(all.asked, [undefined]);
  const some = asking(new Set(names));
  await permittedPage(some.request, [...items, { key: '9', namespace: 'ns-0' }], listOf({ limit: 2 }));
  // A few ahead, so that the questions need not wait for each other.
  assert.deepEqual(some.asked, [undefined, ...names.slice(0, 16)]);
  const nobody = asking(new Set());
  assert.deepEqual(await permittedPage(nobody.request, items, listOf({})), { items: [] });
  assert.equal(nobody.asked.length, 1 + names.length);
});

test('a list over too many namespaces is refused with what to do', async () => {
  const items = Array.from({ length: 1_100 }, (_, index) => ({ key: `${index}`, namespace: `ns-${index}` }));
  const { asked, request } = asking(new Set());
  await assert.rejects(permittedPage(request, items, listOf({})), {
    code: 'failed-precondition',
    message: 'more than 1000 namespaces would have to be asked about: name one with `namespace`',
  });
  assert.ok(asked.length <= 1 + 1_008);
});

test('what a caller may not see is refused by name', async () => {
  const { request } = asking(new Set(['demo']));
  await requireRead(request, 'demo');
  for (const [namespace, where] of [
    ['other', 'in the namespace other'],
    [undefined, 'in all namespaces'],
  ] as const) {
    await assert.rejects(requireRead(request, namespace), {
      code: 'permission-denied',
      message: `jane may not get streams.gatehouse.dev ${where}`,
    });
  }
});
