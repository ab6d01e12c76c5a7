import { createHash } from 'node:crypto';
import { identityOf } from '@gatehouse/core/mesh/workload-identity';
import type { IssuanceIntent } from '../src/core/issued/issuance-record.ts';

/** What is asked to be recorded; what is not given follows from the serial. */
export const anIntent = (serial: string, about: Partial<IssuanceIntent> = {}): IssuanceIntent => ({
  identity: identityOf(
    { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
    'demo',
    'default',
  ),
  pod: { namespace: 'demo', name: 'frontend-0', uid: 'p1' },
  serial,
  spkiSha256: 'aa',
  tbsSha256: hashOf(`tbs ${serial}`),
  issuedAt: 1_780_000_000_123,
  notBefore: 1_779_999_980,
  notAfter: 1_780_086_420,
  ...about,
});

/** What its certificate is said to hash to. */
export const leafHashOf = (serial: string): string => hashOf(`leaf ${serial}`);

const hashOf = (text: string): string => createHash('sha256').update(text).digest('hex');
