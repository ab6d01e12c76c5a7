import type { Meta } from '@gatehouse/core/inbound/inbound-server';
import { Type } from 'typebox';
import type { Audit, Counting } from '../../core/inbound/model.ts';
import type { InboundAnswer } from '../../core/inbound/rows/row-compiler.ts';
import { nullable, ObjectName, objectName, wordOf } from './rest-object.ts';
import { Row, type RowContext, rowItem } from './rest-row.ts';

const countings = {
  exact: 'the proxy counts whom enforcing would refuse',
  'upper-bound': 'the proxy counts whom enforcing would refuse, together with whom only `rules` would admit',
  none: 'the proxy counts nothing',
} as const satisfies Record<Counting['kind'], string>;

const uncounted = {
  server: 'a Server governs the port, where enforcing would refuse nobody',
  closed: 'the base policy admits nobody, so enforcing would refuse nobody',
  'too-many-steps': 'the row has no room for it (GATEHOUSE_MAX_COMPILE_STEPS)',
} as const satisfies Record<Extract<Counting, { kind: 'none' }>['why'], string>;

const CountingItem = Type.Object({
  kind: wordOf(countings),
  labels: nullable(
    Type.Object({ authz_group: Type.String(), authz_kind: Type.String(), authz_name: Type.String() }),
    {
      description:
        'Of the samples of `inbound_http_authz_allow_total` and `inbound_tcp_authz_allow_total` in which the proxy counts whom enforcing would refuse; null where it does not',
    },
  ),
  text: Type.String({ description: 'All of it for a reader' }),
});

/** What Audit policies would do to a port, and where that is counted. */
export const AuditItem = Type.Object({
  policies: Type.Array(ObjectName, { description: 'The Audit policies that select the port, oldest first' }),
  counting: CountingItem,
  row: Type.Object(Row.properties, { description: 'What would be in force if all of them were enforced' }),
});
export type AuditItem = Type.Static<typeof AuditItem>;

export const auditItem = (
  { policies, counting }: Audit,
  enforced: InboundAnswer,
  context: RowContext,
): AuditItem => ({
  policies: policies.map(objectName),
  counting: countingItem(counting),
  row: rowItem(enforced, context),
});

const countingItem = (counting: Counting): Type.Static<typeof CountingItem> => {
  const { kind } = counting;
  if (kind === 'none') return { kind, labels: null, text: `${countings[kind]}: ${uncounted[counting.why]}` };
  return { kind, labels: labelsOf(counting.refused), text: countings[kind] };
};

/** As a proxy writes them (`contract/proxy.md` §6.7). */
const labelsOf = (meta: Meta) => {
  const { group, kind, name } =
    meta.kind === 'default' ? { group: '', kind: meta.kind, name: meta.name } : meta.resource;
  return { authz_group: group, authz_kind: kind, authz_name: name };
};
