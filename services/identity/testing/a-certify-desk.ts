import assert from 'node:assert/strict';
import { GatehouseError } from '@gatehouse/core/error';
import {
  type Caller,
  type Certified,
  type Certifier,
  type CertifyRequest,
  certify,
} from '../src/certify/certify.ts';
import type { IssuanceLog } from '../src/certify/recorded-leaf.ts';
import type { IssuanceIntent } from '../src/core/issued/issuance-record.ts';
import { activeIssuer } from './active-issuer.ts';
import { aCa } from './ca-builder.ts';
import { aCsr, aName } from './csr-builder.ts';

const mesh = { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' };
export const frontend: Caller = {
  namespace: 'demo',
  serviceAccount: 'default',
  pod: { name: 'frontend-0', uid: 'p1' },
};
export const dayS = 86_400;
const patient = new AbortController().signal;

export interface Completed extends IssuanceIntent {
  readonly leafSha256: string | undefined;
}

export const aLog = (records: Completed[]): IssuanceLog => ({
  intend: (intent) => void records.push({ ...intent, leafSha256: undefined }),
  complete: (serial, leafSha256) => {
    const at = records.findIndex((record) => record.serial === serial);
    const record = records[at];
    assert.ok(record, 'it completes what was intended');
    records[at] = { ...record, leafSha256 };
  },
});

/** Certifies on a desk where only `token` is believed, and belongs to the frontend. */
export const aDesk = async (change: Partial<Certifier> = {}) => {
  const root = await aCa({ notAfter: Date.now() + 100 * dayS * 1000 });
  const issuer = await aCa({ parent: root });
  const recorded: Completed[] = [];
  const certifier: Certifier = {
    mesh,
    profile: { lifetimeMs: dayS * 1000, clockSkewMs: 20_000 },
    reviewer: {
      review: (token) => {
        if (Buffer.from(token).toString() === 'token') return frontend;
        throw new GatehouseError('failed-precondition', 'the token is not accepted');
      },
    },
    log: aLog(recorded),
    queue: { take: async (work) => work() },
    issuer: () => activeIssuer(issuer),
    now: Date.now,
    ...change,
  };
  return {
    root,
    issuer,
    recorded,
    certify: (request: Partial<CertifyRequest> = {}, signal = patient): Promise<Certified> =>
      certify(certifier, { ...aRequest, ...request }, { from: '10.0.0.1', signal }),
  };
};

const aRequest: CertifyRequest = {
  identity: aName,
  token: Buffer.from('token'),
  certificateSigningRequest: aCsr(),
};
