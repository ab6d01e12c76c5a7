import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import type { WireObject } from '../../src/kube/parse/fields.ts';
import { aClient, type Client, continueOf, type Heard, type ServerAddress } from './client.ts';
import { fieldsOf, listOf, metaOf } from './object-meta.ts';
import { topCrd } from './top-crd.ts';

/** A server that the suite talks to, and how to end it. */
export type OpenedServer = ServerAddress & { readonly stop: () => Promise<void> };

/** What the suite's tests are told by: a namespace of their own, and its client. */
interface Story extends Client {
  readonly configMaps: string;
  readonly leases: string;
  readonly pods: string;
  readonly tops: string;
}

const aPod = (name: string, more: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
});
const aTop = (name: string, spec: unknown): WireObject => ({
  apiVersion: 'ex.io/v1',
  kind: 'Top',
  metadata: { name },
  spec,
});
const aConfigMap = (name: string, more: WireObject = {}): WireObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, ...fieldsOf(more.metadata) },
  ...(more.data === undefined ? {} : { data: more.data }),
});
const merge = { 'content-type': 'application/merge-patch+json' };
const apply = { 'content-type': 'application/apply-patch+yaml' };

const said = ({ code, body }: Heard): readonly unknown[] => [code, body.reason, body.message];
const names = ({ body }: Heard): readonly unknown[] =>
  listOf(body.items).map((item) => metaOf(fieldsOf(item)).name);
const causes = ({ body }: Heard): readonly string[] =>
  listOf(fieldsOf(body.details).causes)
    .map(fieldsOf)
    // The real server adds this one when a schema has CEL rules and the object was too broken to ask them.
    .filter(({ message }) => !`${message}`.includes('some validation rules were not checked'))
    .map(({ reason, field, message }) => `${reason} ${field} ${message}`)
    .sort();

/** How an API server behaves, as far as Gatehouse relies on it: run on the fake, and on the real one. */
export const apiServerContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<OpenedServer> },
): void => {
  suite(`${name} behaves as an API server`, { skip }, () => {
    let server: OpenedServer;
    let count = 0;
    before(async () => {
      server = await open();
      const { request } = aClient(server);
      await request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', topCrd);
      // The real server takes a moment until a new CRD is served.
      while ((await request('GET', '/apis/ex.io/v1/tops')).code !== 200);
    });
    after(() => server.stop());

    const story = async (tell: (story: Story) => Promise<void>): Promise<void> => {
      const client = aClient(server);
      count += 1;
      const namespace = `story-${count}`;
      await client.request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { story: namespace } },
      });
      await tell({
        ...client,
        configMaps: `/api/v1/namespaces/${namespace}/configmaps`,
        leases: `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`,
        pods: `/api/v1/namespaces/${namespace}/pods`,
        tops: `/apis/ex.io/v1/namespaces/${namespace}/tops`,
      });
    };

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
        const status = await request(
          'PATCH',
          `${tops}/none/status?fieldManager=one`,
          aTop('none', {}),
          apply,
        );
        assert.equal(status.code, 404);
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
            async (holder) =>
              (await request('PUT', `${leases}/l`, lease(`${holder}2`, resourceVersion))).code,
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

    test('unknown fields of a custom object are pruned, and defaults are filled in', () =>
      story(async ({ request, tops }) => {
        const spec = {
          port: 'x',
          junk: 1,
          mode: null,
          free: { k: [1] },
          list: [{ n: 1, z: 2 }],
          map: { a: 'b' },
          name: null,
        };
        const made = await request('POST', tops, { ...aTop('a', spec), extra: 1 });
        assert.deepEqual(made.body.spec, {
          port: 'x',
          mode: 'A',
          free: { k: [1] },
          list: [{ n: 1 }],
          map: { a: 'b' },
          name: null,
        });
        assert.equal('extra' in made.body, false);
        const other = await request('GET', `${tops.replace('/v1/', '/v2/')}/a`);
        assert.deepEqual([other.body.apiVersion, other.body.spec], ['ex.io/v2', made.body.spec]);
      }));

    test('a custom object that breaks its schema is refused, each field with its rule', () =>
      story(async ({ request, tops }) => {
        const broken = async (spec: unknown) => causes(await request('POST', tops, aTop('a', spec)));
        assert.deepEqual(await broken({}), ['FieldValueRequired spec.port Required value']);
        assert.deepEqual(await broken({ port: 1.5 }), [
          'FieldValueTypeInvalid spec.port Invalid value: "number": spec.port in body must be of type integer,string: "number"',
        ]);
        assert.deepEqual(await broken({ port: 1, mode: 'C', list: [], name: 'bbbbb', map: { a: 1 } }), [
          'FieldValueInvalid spec.list Invalid value: 0: spec.list in body should have at least 1 items',
          'FieldValueNotSupported spec.mode Unsupported value: "C": supported values: "A", "B"',
          'FieldValueTooLong spec.name Too long: may not be more than 4 bytes',
          'FieldValueTypeInvalid spec.map.a Invalid value: "integer": spec.map.a in body must be of type string: "integer"',
        ]);
        assert.deepEqual(await broken({ port: 1, name: 'bb' }), [
          'FieldValueInvalid spec.name Invalid value: "bb": spec.name in body should match \'^a+$\'',
        ]);
        assert.deepEqual(await broken({ port: 1, list: [{ n: 0 }, { n: 10 }, { n: 'x' }] }), [
          'FieldValueInvalid spec.list[0].n Invalid value: 0: spec.list[0].n in body should be greater than or equal to 1',
          'FieldValueInvalid spec.list[1].n Invalid value: 10: spec.list[1].n in body should be less than or equal to 9',
          'FieldValueTooMany spec.list Too many: 3: must have at most 2 items',
          'FieldValueTypeInvalid spec.list[2].n Invalid value: "string": spec.list[2].n in body must be of type integer: "string"',
        ]);
        assert.deepEqual(await broken({ port: 1, one: { a: '1', b: '2' } }), [
          'FieldValueInvalid <nil> Invalid value: "": "spec.one" must validate one and only one schema (oneOf). Found 2 valid alternatives',
        ]);
        assert.equal((await request('POST', tops, aTop('a', { port: 1, one: { b: '2' } }))).code, 201);
      }));

    test('rules in CEL are asked of objects that keep to the schema, those on changes at changes', () =>
      story(async ({ request, tops }) => {
        const broken = async (spec: unknown) => causes(await request('POST', tops, aTop('a', spec)));
        assert.deepEqual(await broken({ port: 1, name: 'aaa' }), [
          'FieldValueInvalid spec Invalid value: not aaa',
        ]);
        assert.deepEqual(await broken({ port: 1, namespace: 'n' }), [
          'FieldValueInvalid spec Invalid value: too short',
        ]);
        assert.deepEqual(await broken({ port: 1, mode: 'B' }), []);
        const moved = await request('PATCH', `${tops}/a`, { spec: { port: 2 } }, merge);
        assert.deepEqual(causes(moved), [
          'FieldValueInvalid spec Invalid value: failed rule: self.port == oldSelf.port || self.mode.lowerAscii() != "b"',
        ]);
      }));

    test('a kind nobody serves is plainly not there, an unknown one of a built-in group by a Status', () =>
      story(async ({ request }) => {
        for (const path of ['/apis/nope.io/v1/foos', '/apis/ex.io/v1/nopes']) {
          const { code, body } = await request('GET', path);
          assert.deepEqual([code, `${body.text}`.trim()], [404, '404 page not found']);
        }
        const unknown = await request('GET', '/api/v1/foos');
        assert.deepEqual(said(unknown), [
          404,
          'NotFound',
          'the server could not find the requested resource',
        ]);
      }));

    test('discovery lists groups, versions and resources', () =>
      story(async ({ request }) => {
        assert.deepEqual((await request('GET', '/api')).body.versions, ['v1']);
        const groups = listOf((await request('GET', '/apis')).body.groups).map(
          (group) => fieldsOf(group).name,
        );
        for (const group of ['ex.io', 'authentication.k8s.io', 'coordination.k8s.io'])
          assert.equal(groups.includes(group), true, group);
        const { body } = await request('GET', '/apis/ex.io/v1');
        const resources = listOf(body.resources)
          .map(fieldsOf)
          .map(({ name: plural, kind, namespaced }) => [plural, kind, namespaced]);
        assert.deepEqual(resources, [
          ['tops', 'Top', true],
          ['tops/status', 'Top', true],
        ]);
        assert.equal(typeof (await request('GET', '/version')).body.gitVersion, 'string');
      }));

    test('a token is reviewed for its audience, and ends with the pod it is bound to', () =>
      story(async ({ request, pods }) => {
        const accounts = pods.replace(/pods$/, 'serviceaccounts');
        await request('POST', accounts, {
          apiVersion: 'v1',
          kind: 'ServiceAccount',
          metadata: { name: 'sa' },
        });
        const pod = await request('POST', pods, aPod('p', { serviceAccountName: 'sa' }));
        const mint = () =>
          request('POST', `${accounts}/sa/token`, {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenRequest',
            spec: {
              audiences: ['identity.l5d.io'],
              expirationSeconds: 600,
              boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: metaOf(pod.body).uid },
            },
          });
        const made = await mint();
        // Reviewed only after its pod is gone: the real server believes its own good answers for ten seconds.
        const unseen = fieldsOf((await mint()).body.status).token;
        assert.equal(made.code, 201);
        const { token } = fieldsOf(made.body.status);
        const review = async (audience: string, of: unknown = token) => {
          const { code, body } = await request('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
            apiVersion: 'authentication.k8s.io/v1',
            kind: 'TokenReview',
            spec: { token: of, audiences: [audience] },
          });
          assert.equal(code, 201);
          return fieldsOf(body.status);
        };
        const good = await review('identity.l5d.io');
        const { username, groups, extra } = fieldsOf(good.user);
        const namespace = metaOf(pod.body).namespace;
        assert.deepEqual(
          [good.authenticated, good.audiences, username],
          [true, ['identity.l5d.io'], `system:serviceaccount:${namespace}:sa`],
        );
        assert.deepEqual(groups, [
          'system:serviceaccounts',
          `system:serviceaccounts:${namespace}`,
          'system:authenticated',
        ]);
        assert.deepEqual(fieldsOf(extra)['authentication.kubernetes.io/pod-name'], ['p']);
        for (const refused of [await review('other'), await review('identity.l5d.io', 'no-token')]) {
          assert.equal(refused.authenticated ?? false, false);
          assert.equal(typeof refused.error, 'string');
        }
        await request('DELETE', `${pods}/p`, { gracePeriodSeconds: 0 });
        assert.equal((await review('identity.l5d.io', unseen)).authenticated ?? false, false);
      }));

    test('access reviews answer about oneself and about others', () =>
      story(async ({ request }) => {
        const ask = async (kind: string, spec: WireObject) => {
          const path = `/apis/authorization.k8s.io/v1/${kind.toLowerCase()}s`;
          const { code, body } = await request('POST', path, {
            apiVersion: 'authorization.k8s.io/v1',
            kind,
            spec,
          });
          return [code, fieldsOf(body.status).allowed];
        };
        const resourceAttributes = { verb: 'list', resource: 'pods', namespace: 'default' };
        assert.deepEqual(await ask('SelfSubjectAccessReview', { resourceAttributes }), [201, true]);
        const nonResourceAttributes = { verb: 'get', path: '/v1/policies' };
        assert.deepEqual(await ask('SubjectAccessReview', { user: 'u', nonResourceAttributes }), [201, true]);
      }));
  });
};
