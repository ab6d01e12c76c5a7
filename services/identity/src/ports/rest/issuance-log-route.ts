import type { AdminApp } from '@gatehouse/platform/admin/admin-server';
import { Type } from 'typebox';
import type { ServiceIssuanceLog } from '../issued/open-issuance-log.ts';

const IssuanceLogReport = Type.Object({
  since: Type.String({
    format: 'date-time',
    description:
      'What was issued since then is told of. Older certificates may be in use: replicas hand on what they know, but a single one that starts again knows only its file.',
  }),
  file: Type.Union([Type.String(), Type.Null()], {
    description: 'Null: the latest certificates are remembered in memory only',
  }),
  bytes: Type.Integer(),
  writable: Type.Boolean({ description: 'Certificates can be recorded; none is signed otherwise' }),
  failure: Type.Union(
    [
      Type.Object({
        since: Type.String({ format: 'date-time' }),
        why: Type.String({ description: 'Such as ENOSPC' }),
        refused: Type.Integer({ description: 'Certificates that were refused since' }),
      }),
      Type.Null(),
    ],
    { description: 'Why nothing can be recorded' },
  ),
  damagedLines: Type.Integer({ description: 'Lines that are unreadable or missing by their numbers' }),
  firstDamageAt: Type.Union([Type.Integer(), Type.Null()], {
    description: 'Where the first of them was found, in bytes from the beginning of its file',
  }),
});

/** How the issuance log of this replica is. */
export const issuanceLogRoute =
  (log: ServiceIssuanceLog, now: () => number) =>
  (app: AdminApp): void => {
    const startedAt = now();
    app.get(
      '/v1/issuance-log',
      {
        config: { access: 'mesh' },
        schema: {
          summary: 'Whether certificates can be recorded, and what is wrong with the file',
          response: { 200: IssuanceLogReport },
        },
      },
      async () => {
        const file = log.kind === 'file' ? log.issued : undefined;
        const { failure, damage } = file ?? {};
        return {
          since: new Date(log.issued.knownSince(startedAt)).toISOString(),
          file: file?.path ?? null,
          bytes: file?.bytes ?? 0,
          writable: failure === undefined,
          failure:
            failure === undefined ? null : { ...failure, since: new Date(failure.since).toISOString() },
          damagedLines: damage?.lines ?? 0,
          firstDamageAt: damage?.firstAt ?? null,
        };
      },
    );
  };
