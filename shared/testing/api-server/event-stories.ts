import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { causes, merge, type TellStory } from './contract-story.ts';

const at = '2026-01-01T00:00:00.000000Z';

/** About something in the namespace of `path`: in another it would not be shown, and the server refuses it. */
const anEvent = (path: string, name: string, more: WireObject = {}): WireObject => ({
  apiVersion: 'events.k8s.io/v1',
  kind: 'Event',
  metadata: { name },
  eventTime: at,
  reportingController: 'ex.io/controller',
  reportingInstance: 'controller-0',
  action: 'Read',
  reason: 'Refused',
  type: 'Warning',
  note: 'it is refused',
  regarding: { apiVersion: 'v1', kind: 'Secret', namespace: path.split('/')[5], name: 'a' },
  ...more,
});

/** What may be told as an Event, and how a series goes on. */
export const eventStories = (story: TellStory): void => {
  test('an Event says who reports what and when', () =>
    story(async ({ request, events }) => {
      assert.equal((await request('POST', events, anEvent(events, 'a'))).code, 201);
      const refused: readonly (readonly [WireObject, string])[] = [
        [{ eventTime: null }, 'FieldValueRequired eventTime Required value'],
        [{ reportingInstance: '' }, 'FieldValueRequired reportingInstance Required value'],
        [{ action: '' }, 'FieldValueRequired action Required value'],
        [{ reason: '' }, 'FieldValueRequired reason Required value'],
        [{ type: 'Error' }, 'FieldValueInvalid type Invalid value: "": has invalid value: Error'],
        [
          { note: 'x'.repeat(1025) },
          'FieldValueInvalid message Invalid value: "": can have at most 1024 characters',
        ],
        [
          { series: { count: 1, lastObservedTime: at } },
          'FieldValueInvalid series.count Invalid value: "": should be at least 2',
        ],
        [{ series: { count: 2 } }, 'FieldValueRequired series.lastObservedTime Required value'],
      ];
      assert.equal(refused.length, 8);
      for (const [more, why] of refused) {
        const answer = await request('POST', events, anEvent(events, 'b', more));
        assert.deepEqual([answer.code, causes(answer)], [422, [why]]);
      }
    }));

  test('of an Event only its series goes on', () =>
    story(async ({ request, events }) => {
      await request('POST', events, anEvent(events, 'a'));
      const series = { count: 2, lastObservedTime: '2026-01-01T00:01:00.000000Z' };
      const patched = await request('PATCH', `${events}/a`, { series }, merge);
      assert.deepEqual(
        [patched.code, patched.body.series, patched.body.note],
        [200, series, 'it is refused'],
      );
      const changed = await request('PATCH', `${events}/a`, { note: 'other' }, merge);
      assert.deepEqual(causes(changed), [
        'FieldValueInvalid message Invalid value: "other": field is immutable',
      ]);
      assert.equal((await request('PATCH', `${events}/none`, { series }, merge)).code, 404);
    }));
};
