import { isDeepStrictEqual } from 'node:util';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { invalid, type StatusCause } from './api-status.ts';
import { fieldsOf, metaOf, textOf } from './object-meta.ts';
import type { ResourceType } from './resource-types.ts';
import { eventType } from './resource-types.ts';

/** What an Event of events.k8s.io must have, and all of it that may change: its series. The causes name fields as core/v1 does. */
export const checkEvent = (type: ResourceType, event: WireObject, old?: WireObject): void => {
  if (type !== eventType) return;
  const causes = old === undefined ? flawsOf(event) : changesOf(event, old);
  const all = [...causes, ...seriesFlaws(event)];
  if (all.length > 0) throw invalid({ group: '', kind: 'Event' }, metaOf(event).name ?? '', all);
};

const required = (field: string): StatusCause => ({
  reason: 'FieldValueRequired',
  field,
  message: 'Required value',
});
const wrong = (field: string, message: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  field,
  message: `Invalid value: ${message}`,
});

const flawsOf = (event: WireObject): readonly StatusCause[] => {
  const needed = ['eventTime', 'reportingController', 'reportingInstance', 'action', 'reason'];
  const { type, note } = event;
  return [
    ...needed.filter((field) => textOf(event[field]) === '').map(required),
    ...(Buffer.byteLength(textOf(note)) > 1024
      ? [wrong('message', '"": can have at most 1024 characters')]
      : []),
    ...(type === 'Normal' || type === 'Warning'
      ? []
      : [wrong('type', `"": has invalid value: ${textOf(type)}`)]),
  ];
};

const immutable = [
  ['note', 'message'],
  ['reason', 'reason'],
  ['type', 'type'],
  ['action', 'action'],
  ['eventTime', 'eventTime'],
  ['reportingController', 'reportingController'],
  ['regarding', 'involvedObject'],
] as const;

const changesOf = (event: WireObject, old: WireObject): readonly StatusCause[] =>
  immutable
    .filter(([field]) => !isDeepStrictEqual(event[field], old[field]))
    .map(([field, told]) => wrong(told, `${JSON.stringify(event[field])}: field is immutable`));

const seriesFlaws = ({ series }: WireObject): readonly StatusCause[] => {
  if (series === undefined) return [];
  const { count, lastObservedTime } = fieldsOf(series);
  return [
    ...(typeof count === 'number' && count >= 2 ? [] : [wrong('series.count', '"": should be at least 2')]),
    ...(textOf(lastObservedTime) === '' ? [required('series.lastObservedTime')] : []),
  ];
};
