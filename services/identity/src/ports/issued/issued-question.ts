import { GatehouseError } from '@gatehouse/core/error';
import { identityForm, parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { Problem } from '@gatehouse/core/problem';
import { Type } from 'typebox';
import type { IssuanceQuery } from '../../core/issued/issuance-query.ts';

/** The filters of `/v1/certificates`; all that are given must hold. */
export const issuedFilters = {
  identity: Type.Optional(Type.String({ description: 'The whole name: the DNS SAN' })),
  namespace: Type.Optional(Type.String({ description: "The ServiceAccount's, which is also the pod's" })),
  pod: Type.Optional(
    Type.String({ description: '`namespace/name`, a uid, or with `namespace` the bare name' }),
  ),
  serial: Type.Optional(
    Type.String({ description: 'Hexadecimal; upper case and colons make no difference' }),
  ),
  since: Type.Optional(
    Type.String({ description: 'Issued then or later, as `2026-11-22T10:00:00Z` (RFC 3339)' }),
  ),
  until: Type.Optional(Type.String({ description: 'Issued before then' })),
  active: Type.Optional(
    Type.Boolean({ description: '`true`: valid now; `false`: expired, or not valid yet' }),
  ),
  suspicious: Type.Optional(
    Type.Boolean({ description: '`true`: only those for an older key of a pod that had a newer one' }),
  ),
};

export interface IssuedFilters {
  readonly identity?: string;
  readonly namespace?: string;
  readonly pod?: string;
  readonly serial?: string;
  readonly since?: string;
  readonly until?: string;
  readonly active?: boolean;
  readonly suspicious?: boolean;
}

/** What a request asks of the record. Throws `invalid-argument` with every filter that could never match anything. */
export const readIssuedFilters = (asked: IssuedFilters, nowMs: number): IssuanceQuery => {
  const since = readTime(asked.since);
  const until = readTime(asked.until);
  const problems = [...problemsOf(asked), ...timeProblems(asked, since, until)];
  if (problems.length > 0) {
    const sentence = problems.map(({ field, found, fix }) => `${field} ${found}: ${fix}`).join('; ');
    throw new GatehouseError('invalid-argument', sentence, { details: { problems } });
  }
  const { identity, namespace, pod, serial, active, suspicious } = asked;
  return {
    identity: identity === undefined ? undefined : parseIdentity(identity),
    namespace,
    pod,
    serial,
    since,
    until,
    validity: active === undefined ? undefined : { at: nowMs, isValid: active },
    suspicious,
  };
};

const problemsOf = ({ identity, pod, namespace, serial }: IssuedFilters): readonly Problem[] => {
  const problems: Problem[] = [];
  const refuse = (field: string, found: string, fix: string): void =>
    void problems.push({ field: `query.${field}`, found, fix });
  if (serial !== undefined && !/^[\da-f]+(?::[\da-f]+)*$/i.test(serial)) {
    refuse('serial', `\`${serial}\` is not hexadecimal`, 'use the serial as the certificate shows it');
  }
  if (identity !== undefined && parseIdentity(identity).kind !== 'workload') {
    refuse('identity', `\`${identity}\` is not a valid identity`, `use ${identityForm}`);
  }
  if (pod === '' || pod?.startsWith('/') || pod?.endsWith('/') || (pod?.split('/').length ?? 1) > 2) {
    refuse('pod', `\`${pod}\` names no pod`, 'use namespace/name, or a uid');
  }
  if (namespace === '') refuse('namespace', 'is empty', 'name one, or leave it out');
  return problems;
};

const timeProblems = (
  asked: IssuedFilters,
  since: number | undefined,
  until: number | undefined,
): readonly Problem[] => {
  const fix = 'use a time such as 2026-11-22T10:00:00Z';
  const broken = (['since', 'until'] as const).filter((name) =>
    Number.isNaN(name === 'since' ? since : until),
  );
  if (broken.length > 0) {
    return broken.map((name) => ({
      field: `query.${name}`,
      found: `\`${asked[name]}\` is not a valid time`,
      fix,
    }));
  }
  return since !== undefined && until !== undefined && since >= until
    ? [{ field: 'query.until', found: 'is not after since', fix: 'swap them' }]
    : [];
};

/** RFC 3339 §5.6 with its offset: without one nobody can say which moment is meant. */
const timestamp = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

const readTime = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : timestamp.test(text) ? Date.parse(text) : Number.NaN;
