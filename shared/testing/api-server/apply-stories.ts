import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, listOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import { apply, aTop, said, type TellStory } from './contract-story.ts';

/** How server-side apply keeps the owners of fields. */
export const applyStories = (story: TellStory): void => {
  test('applied fields have owners: others conflict, force takes over, what is left out goes', () =>
    story(async ({ request, tops }) => {
      await request('POST', tops, aTop('a', { port: 1 }));
      const status = (manager: string, value: unknown, more = '') =>
        request(
          'PATCH',
          `${tops}/a/status?fieldManager=${manager}${more}`,
          { apiVersion: 'ex.io/v1', kind: 'Top', metadata: { name: 'a' }, status: value },
          apply,
        );
      const first = await status('one', { y: { z: 2, w: 1 }, l: [1] });
      assert.deepEqual([first.code, first.body.status], [200, { y: { z: 2, w: 1 }, l: [1] }]);
      assert.deepEqual(said(await status('two', { y: { z: 3 } })), [
        409,
        'Conflict',
        'Apply failed with 1 conflict: conflict with "one" with subresource "status": .status.y.z',
      ]);
      assert.deepEqual((await status('two', { y: { z: 3 } }, '&force=true')).body.status, {
        y: { z: 3, w: 1 },
        l: [1],
      });
      assert.deepEqual((await status('one', { y: { w: 1 } })).body.status, { y: { z: 3, w: 1 } });
      const again = await status('one', { y: { w: 1 } });
      const once = await status('one', { y: { w: 1 } });
      assert.equal(metaOf(again.body).resourceVersion, metaOf(once.body).resourceVersion);
      assert.equal((await request('PATCH', `${tops}/a/status`, { status: {} }, apply)).code, 422);
      const owners = listOf(metaOf(once.body).managedFields).map(fieldsOf);
      assert.deepEqual(
        owners
          .filter(({ operation }) => operation === 'Apply')
          .map(({ manager, subresource }) => [manager, subresource])
          .sort(),
        [
          ['one', 'status'],
          ['two', 'status'],
        ],
      );
    }));

  test('applied conditions are merged by their type', () =>
    story(async ({ request, tops }) => {
      await request('POST', tops, aTop('a', { port: 1 }));
      const condition = (manager: string, type: string, status: string) =>
        request(
          'PATCH',
          `${tops}/a/status?fieldManager=${manager}`,
          {
            apiVersion: 'ex.io/v1',
            kind: 'Top',
            metadata: { name: 'a' },
            status: { conditions: [{ type, status }] },
          },
          apply,
        );
      await condition('one', 'Ready', 'True');
      await condition('two', 'Live', 'False');
      const { body } = await condition('one', 'Ready', 'False');
      assert.deepEqual(fieldsOf(body.status).conditions, [
        { type: 'Ready', status: 'False' },
        { type: 'Live', status: 'False' },
      ]);
      assert.match(`${(await condition('two', 'Ready', 'True')).body.message}`, /conflict with "one"/);
    }));

  test('applying what is not there makes it', () =>
    story(async ({ request, tops }) => {
      const path = `${tops}/new?fieldManager=one`;
      assert.equal((await request('PATCH', path, aTop('new', { port: 1 }), apply)).code, 201);
      assert.equal((await request('PATCH', path, aTop('new', { port: 1 }), apply)).code, 200);
      const status = await request('PATCH', `${tops}/none/status?fieldManager=one`, aTop('none', {}), apply);
      assert.equal(status.code, 404);
    }));
};
