import assert from 'node:assert/strict';
import { test } from 'node:test';
import { aTop, causes, merge, type TellStory } from './contract-story.ts';

/** How a CRD holds objects to its schema. */
export const schemaStories = (story: TellStory): void => {
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
};
