import assert from 'node:assert/strict';
import { test } from 'node:test';
import { warnOfMissing } from '../../print/warn-of-missing.ts';
import type { AdminApi, Query } from '../../reach/admin-client.ts';
import { readIssued } from './issued.ts';

const anItem = (serial: number) => ({
  issuedAt: '2026-11-22T10:00:00.000Z',
  identity: 'i',
  pod: null,
  serial: `${serial}`,
  spkiSha256: 'aa',
  notBefore: '2026-11-22T10:00:00.000Z',
  notAfter: '2026-11-23T10:00:00.000Z',
});

/** An API with this many certificates, which never pages more than `most` at once, and a replica that is away. */
const anApi = (count: number, most: number) => {
  const asked: Query[] = [];
  const api: AdminApi = {
    place: 'there',
    text: async () => '',
    json: async (_schema, _path, query = {}) => {
      asked.push(query);
      const from = Number(query.continue ?? 0);
      const to = Math.min(count, from + Math.min(most, Number(query.limit)));
      const items = Array.from({ length: to - from }, (_, index) => anItem(from + index));
      const partial = [{ replica: 'identity-1', reason: 'it is away' }];
      return { items, partial, ...(to < count ? { continue: `${to}` } : {}) } as never;
    },
  };
  return { api, asked };
};

test('pages are asked for until there is enough, with the same filters', async () => {
  const { api, asked } = anApi(10, 3);
  const found = await readIssued(api, { namespace: 'demo' }, 7);
  assert.deepEqual(
    found.items.map(({ serial }) => serial),
    ['0', '1', '2', '3', '4', '5', '6'],
  );
  assert.equal(found.hasMore, true);
  assert.deepEqual(
    asked.map(({ namespace, limit }) => [namespace, limit]),
    [
      ['demo', 7],
      ['demo', 4],
      ['demo', 1],
    ],
  );
  const all = await readIssued(anApi(4, 3).api, {}, 100);
  assert.deepEqual([all.items.length, all.hasMore], [4, false]);
});

test('a replica that is away is told once, however many pages there are', async () => {
  const { partial } = await readIssued(anApi(10, 3).api, {}, 10);
  const said: string[] = [];
  const terminal = {
    columns: 80,
    isTty: false,
    out: () => {},
    err: (text: string) => void said.push(text),
    paint: (_style: string, text: string) => text,
  };
  warnOfMissing({ partial }, terminal);
  warnOfMissing({ partial: [{ replica: '*', reason: 'no permission' }] }, terminal);
  assert.deepEqual(said, [
    'not whole: the replica identity-1 is not asked (it is away)',
    'not whole: the other replicas are not asked (no permission)',
  ]);
});
