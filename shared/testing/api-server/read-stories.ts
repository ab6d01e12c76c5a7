import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, listOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import { continueOf } from './client.ts';
import { aConfigMap, aTop, merge, names, said, type TellStory } from './contract-story.ts';

/** How lists and watches behave. */
export const readStories = (story: TellStory): void => {
  test('pages of a list show the moment of the first and count what remains', () =>
    story(async ({ request, configMaps }) => {
      for (const each of ['a', 'b', 'c', 'd']) await request('POST', configMaps, aConfigMap(each));
      const first = await request('GET', `${configMaps}?limit=2`);
      assert.deepEqual([names(first), metaOf(first.body).remainingItemCount], [['a', 'b'], 2]);
      await request('DELETE', `${configMaps}/c`);
      const second = await request('GET', `${configMaps}?limit=2&continue=${continueOf(first.body)}`);
      assert.deepEqual(names(second), ['c', 'd']);
      assert.equal(metaOf(second.body).resourceVersion, metaOf(first.body).resourceVersion);
      assert.equal(metaOf(second.body).continue ?? '', '');
    }));

  test('items of built-in lists have no kind, items of custom lists do', () =>
    story(async ({ request, configMaps, tops }) => {
      await request('POST', configMaps, aConfigMap('a'));
      await request('POST', tops, aTop('a', { port: 1 }));
      const kinds = async (path: string) =>
        listOf((await request('GET', path)).body.items).map((item) => fieldsOf(item).kind);
      assert.deepEqual(await kinds(configMaps), [undefined]);
      assert.deepEqual(await kinds(tops), ['Top']);
    }));

  test('options of a list that make no sense are refused in these words', () =>
    story(async ({ request, pods }) => {
      const asked = async (query: string) => said(await request('GET', `${pods}?${query}`));
      const [code, reason] = await asked('resourceVersion=99999999');
      assert.deepEqual([code, reason], [504, 'Timeout']);
      assert.deepEqual(await asked('resourceVersionMatch=Exact'), [
        422,
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided',
      ]);
      assert.deepEqual(await asked('resourceVersion=0&resourceVersionMatch=Exact'), [
        422,
        'Invalid',
        'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
      ]);
      assert.deepEqual((await asked('resourceVersion=abc')).slice(0, 2), [400, 'BadRequest']);
      assert.deepEqual((await asked('limit=x')).slice(0, 2), [400, 'BadRequest']);
      assert.deepEqual((await asked('continue=zzz')).slice(0, 2), [400, 'BadRequest']);
      assert.deepEqual(await asked('fieldSelector=foo%3Dbar'), [
        400,
        'BadRequest',
        'field label not supported: foo',
      ]);
      assert.deepEqual((await asked('labelSelector=a%3D%3D%3Db')).slice(0, 2), [400, 'BadRequest']);
    }));

  test('a list as of an exact version shows that moment', () =>
    story(async ({ request, configMaps }) => {
      const made = await request('POST', configMaps, aConfigMap('a'));
      await request('POST', configMaps, aConfigMap('b'));
      const { resourceVersion } = metaOf(made.body);
      const then = await request(
        'GET',
        `${configMaps}?resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`,
      );
      assert.deepEqual([names(then), metaOf(then.body).resourceVersion], [['a'], resourceVersion]);
    }));

  test('labels and fields select, in lists and in watches', () =>
    story(async ({ request, watch, configMaps }) => {
      const labelled = (of: string, tier: string) => aConfigMap(of, { metadata: { labels: { tier } } });
      for (const [of, tier] of [
        ['a', 'x'],
        ['b', 'y'],
      ] as const)
        await request('POST', configMaps, labelled(of, tier));
      const list = await request('GET', configMaps);
      const select = async (query: string) => names(await request('GET', `${configMaps}?${query}`));
      assert.deepEqual(await select('labelSelector=tier%3Dx'), ['a']);
      assert.deepEqual(await select('labelSelector=tier%20in%20(x,y),tier!%3Dx'), ['b']);
      assert.deepEqual(await select('labelSelector=!tier'), []);
      assert.deepEqual(await select('fieldSelector=metadata.name%3Db'), ['b']);
      const from = metaOf(list.body).resourceVersion;
      await using events = await watch(`${configMaps}?labelSelector=tier%3Dx&resourceVersion=${from}`);
      const relabel = (of: string, tier: string) =>
        request('PATCH', `${configMaps}/${of}`, { metadata: { labels: { tier } } }, merge);
      await relabel('b', 'x');
      await relabel('a', 'z');
      const heard = (await events.take(2)).map(([type, of]) => `${type} ${of}`);
      assert.deepEqual(heard, ['ADDED b', 'DELETED a']);
    }));

  test('a watch from a version tells every change since, and ends at timeoutSeconds', () =>
    story(async ({ request, watch, configMaps }) => {
      const from = metaOf((await request('GET', configMaps)).body).resourceVersion;
      await request('POST', configMaps, aConfigMap('a', { data: { k: '1' } }));
      await request('PATCH', `${configMaps}/a`, { data: { k: '2' } }, merge);
      await request('DELETE', `${configMaps}/a`);
      await using events = await watch(`${configMaps}?resourceVersion=${from}&timeoutSeconds=1`);
      const heard = await events.lines(9);
      assert.deepEqual(
        heard.map(({ type, object }) => [type, object.kind, fieldsOf(object.data).k]),
        [
          ['ADDED', 'ConfigMap', '1'],
          ['MODIFIED', 'ConfigMap', '2'],
          ['DELETED', 'ConfigMap', '2'],
        ],
      );
      const versions = heard.map(({ object }) => Number(metaOf(object).resourceVersion));
      assert.deepEqual(
        versions,
        [...new Set(versions)].sort((one, other) => one - other),
      );
    }));
};
