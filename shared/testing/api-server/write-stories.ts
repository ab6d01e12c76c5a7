import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldsOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aConfigMap, aPod, aTop, causes, merge, said, type TellStory } from './contract-story.ts';

/** How objects are made, changed and deleted. */
export const writeStories = (story: TellStory): void => {
  test('a new object gets its uid, time, version and generation from the server', () =>
    story(async ({ request, tops, configMaps, pods }) => {
      const mine = { uid: 'mine', generation: 7, creationTimestamp: '2001-01-01T00:00:00Z' };
      const made = await request('POST', tops, {
        ...aTop('a', { port: 1 }),
        metadata: { name: 'a', ...mine },
      });
      const { uid, generation, creationTimestamp, resourceVersion } = metaOf(made.body);
      assert.equal(made.code, 201);
      assert.match(`${uid}`, /^[0-9a-f-]{36}$/);
      assert.notEqual(creationTimestamp, mine.creationTimestamp);
      assert.deepEqual([generation, typeof resourceVersion], [1, 'string']);
      assert.equal(metaOf((await request('POST', configMaps, aConfigMap('a'))).body).generation, undefined);
      const pod = await request('POST', pods, { ...aPod('a'), status: { phase: 'Running' } });
      assert.equal(fieldsOf(pod.body.status).phase, 'Pending');
    }));

  test('a Service gets a cluster IP of its own, unless it wants none', () =>
    story(async ({ request, pods }) => {
      const create = async (name: string, spec: WireObject) => {
        const { body } = await request('POST', pods.replace(/pods$/, 'services'), {
          apiVersion: 'v1',
          kind: 'Service',
          metadata: { name },
          spec: { ports: [{ port: 80 }], ...spec },
        });
        return fieldsOf(body.spec).clusterIP;
      };
      const [one, other] = [await create('a', {}), await create('b', {})];
      assert.match(`${one}`, /^10\.96\./);
      assert.notEqual(one, other);
      assert.equal(await create('c', { clusterIP: 'None' }), 'None');
    }));

  test('what cannot be created is refused in these words', () =>
    story(async ({ request, configMaps, tops }) => {
      await request('POST', configMaps, aConfigMap('a'));
      assert.deepEqual(said(await request('POST', configMaps, aConfigMap('a'))), [
        409,
        'AlreadyExists',
        'configmaps "a" already exists',
      ]);
      assert.deepEqual(said(await request('POST', '/api/v1/namespaces/nope/configmaps', aConfigMap('a'))), [
        404,
        'NotFound',
        'namespaces "nope" not found',
      ]);
      const versioned = aConfigMap('b', { metadata: { resourceVersion: '5' } });
      assert.deepEqual(said(await request('POST', configMaps, versioned)), [
        500,
        undefined,
        'resourceVersion should not be set on objects to be created',
      ]);
      const elsewhere = aConfigMap('b', { metadata: { namespace: 'other' } });
      assert.deepEqual(said(await request('POST', configMaps, elsewhere)), [
        400,
        'BadRequest',
        'the namespace of the provided object does not match the namespace sent on the request',
      ]);
      assert.deepEqual(causes(await request('POST', configMaps, aConfigMap(''))), [
        'FieldValueRequired metadata.name Required value: name or generateName is required',
      ]);
      assert.equal((await request('POST', configMaps, aConfigMap('A_'))).code, 422);
      assert.equal((await request('POST', configMaps, { ...aConfigMap('c'), kind: 'Pod' })).code, 400);
      const other = { ...aTop('x', { port: 1 }), apiVersion: 'ex.io/v2' };
      assert.deepEqual(said(await request('POST', tops, other)), [
        400,
        'BadRequest',
        'the API version in the data (ex.io/v2) does not match the expected API version (ex.io/v1)',
      ]);
      assert.equal((await request('POST', tops, { metadata: { name: 'x' } })).code, 400);
      assert.equal((await request('POST', `${configMaps}/a`, {})).code, 405);
    }));

  test('an update must name the newest version, or none where the kind allows it', () =>
    story(async ({ request, configMaps, tops }) => {
      const made = await request('POST', configMaps, aConfigMap('a', { data: { k: '1' } }));
      const changed = { ...made.body, data: { k: '2' } };
      assert.equal((await request('PUT', `${configMaps}/a`, changed)).code, 200);
      assert.deepEqual(said(await request('PUT', `${configMaps}/a`, changed)), [
        409,
        'Conflict',
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to the latest version and try again',
      ]);
      assert.equal((await request('PUT', `${configMaps}/a`, aConfigMap('a'))).code, 200);
      assert.equal((await request('PUT', `${configMaps}/none`, aConfigMap('none'))).code, 404);
      assert.equal((await request('PUT', `${configMaps}/a`, aConfigMap('b'))).code, 400);
      await request('POST', tops, aTop('a', { port: 1 }));
      assert.deepEqual(causes(await request('PUT', `${tops}/a`, aTop('a', { port: 2 }))), [
        'FieldValueInvalid metadata.resourceVersion Invalid value: 0: must be specified for an update',
      ]);
    }));

  test('an update that changes nothing makes no new version', () =>
    story(async ({ request, configMaps }) => {
      const made = await request('POST', configMaps, aConfigMap('a', { data: { k: '1' } }));
      const again = await request('PUT', `${configMaps}/a`, aConfigMap('a', { data: { k: '1' } }));
      assert.equal(metaOf(again.body).resourceVersion, metaOf(made.body).resourceVersion);
    }));

  test('status and spec are written apart, and generation counts the spec alone', () =>
    story(async ({ request, tops }) => {
      await request('POST', tops, { ...aTop('a', { port: 1 }), status: { x: 0 } });
      const read = async () => {
        const { body } = await request('GET', `${tops}/a`);
        return [metaOf(body).generation, fieldsOf(body.spec).port, body.status];
      };
      assert.deepEqual(await read(), [1, 1, undefined]);
      await request('PATCH', `${tops}/a/status`, { spec: { port: 7 }, status: { x: 1 } }, merge);
      assert.deepEqual(await read(), [1, 1, { x: 1 }]);
      await request('PATCH', `${tops}/a`, { spec: { port: 2 }, status: { x: 2 } }, merge);
      assert.deepEqual(await read(), [2, 2, { x: 1 }]);
      const stale = { metadata: { resourceVersion: '1' }, status: { x: 3 } };
      assert.equal((await request('PATCH', `${tops}/a/status`, stale, merge)).code, 409);
    }));

  test('JSON patches change lists by position, and patches of unknown types are refused', () =>
    story(async ({ request, tops }) => {
      await request('POST', tops, aTop('a', { port: 1, list: [{ n: 1 }] }));
      const patch = (operations: unknown) =>
        request('PATCH', `${tops}/a`, operations, { 'content-type': 'application/json-patch+json' });
      const patched = await patch([
        { op: 'test', path: '/spec/port', value: 1 },
        { op: 'add', path: '/spec/list/-', value: { n: 2 } },
        { op: 'remove', path: '/spec/list/0' },
      ]);
      assert.deepEqual(fieldsOf(patched.body.spec).list, [{ n: 2 }]);
      assert.equal((await patch([{ op: 'test', path: '/spec/port', value: 9 }])).code, 422);
      const strategic = { 'content-type': 'application/strategic-merge-patch+json' };
      assert.equal((await request('PATCH', `${tops}/a`, {}, strategic)).code, 415);
    }));

  test('a Lease is claimed by PUT, and of two claims on one version one fails', () =>
    story(async ({ request, leases }) => {
      const lease = (holderIdentity: string, resourceVersion?: string): WireObject => ({
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: 'l', ...(resourceVersion === undefined ? {} : { resourceVersion }) },
        spec: { holderIdentity, leaseDurationSeconds: 15 },
      });
      const made = await request('PUT', `${leases}/l`, lease('a'));
      assert.equal(made.code, 201);
      const { resourceVersion } = metaOf(made.body);
      const codes = await Promise.all(
        ['a', 'b'].map(
          async (holder) => (await request('PUT', `${leases}/l`, lease(`${holder}2`, resourceVersion))).code,
        ),
      );
      assert.deepEqual(codes.sort(), [200, 409]);
    }));

  test('a delete says what went, and may be held to one life and one version of a name', () =>
    story(async ({ request, configMaps, pods }) => {
      const made = await request('POST', configMaps, aConfigMap('a'));
      const asked = await request('DELETE', `${configMaps}/a`, { preconditions: { uid: 'another' } });
      assert.deepEqual([asked.code, asked.body.reason], [409, 'Conflict']);
      const gone = await request('DELETE', `${configMaps}/a`);
      assert.deepEqual(
        [gone.code, gone.body.status, gone.body.details],
        [200, 'Success', { name: 'a', kind: 'configmaps', uid: metaOf(made.body).uid }],
      );
      assert.deepEqual(said(await request('DELETE', `${configMaps}/a`)), [
        404,
        'NotFound',
        'configmaps "a" not found',
      ]);
      await request('POST', pods, aPod('unscheduled'));
      assert.equal((await request('DELETE', `${pods}/unscheduled`)).body.kind, 'Pod');
      assert.equal((await request('GET', `${pods}/unscheduled`)).code, 404);
    }));

  test('a scheduled pod that is deleted is terminating until its grace is cut to nothing', () =>
    story(async ({ request, pods }) => {
      await request('POST', pods, aPod('a', { nodeName: 'n' }));
      const first = await request('DELETE', `${pods}/a`);
      const { deletionGracePeriodSeconds, deletionTimestamp } = metaOf(first.body);
      assert.deepEqual(
        [first.code, deletionGracePeriodSeconds, typeof deletionTimestamp],
        [200, 30, 'string'],
      );
      assert.equal((await request('GET', `${pods}/a`)).code, 200);
      await request('DELETE', `${pods}/a`, { gracePeriodSeconds: 0 });
      assert.equal((await request('GET', `${pods}/a`)).code, 404);
    }));

  test('an object with finalizers stays until the last is taken away', () =>
    story(async ({ request, watch, configMaps }) => {
      await request('POST', configMaps, aConfigMap('a', { metadata: { finalizers: ['ex.io/f'] } }));
      await using events = await watch(configMaps);
      await request('DELETE', `${configMaps}/a`);
      const waiting = await request('GET', `${configMaps}/a`);
      assert.equal(typeof metaOf(waiting.body).deletionTimestamp, 'string');
      await request('PATCH', `${configMaps}/a`, { metadata: { finalizers: null } }, merge);
      assert.equal((await request('GET', `${configMaps}/a`)).code, 404);
      const types = (await events.take(3)).map(([type]) => type);
      assert.deepEqual(types, ['ADDED', 'MODIFIED', 'DELETED']);
    }));

  test('a dry run answers as if, and writes nothing', () =>
    story(async ({ request, configMaps }) => {
      assert.equal((await request('POST', `${configMaps}?dryRun=All`, aConfigMap('a'))).code, 201);
      assert.equal((await request('GET', `${configMaps}/a`)).code, 404);
    }));
};
