import { type ChildProcess, fork } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { makeCsr } from '@gatehouse/platform/tls/csr';
import { CertifyRequest } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import type { Said } from './certify/service-side.ts';
import { certifyPath, workload } from './certify/workload.ts';
import { hearChild } from './hear-child.ts';

/** A minute of a large mesh. They are asked for as fast as they come, so that an hour of it takes some minutes. */
const perMinute = 10_000;
/** The service remembers the latest 20,000 certificates: memory grows until those are full, and must not after. */
const filling = 3;
const minutes = 10;
const pods = 500;
/** Calls on a connection before the next one is made. */
const callsPerConnection = 50;
const lanes = 16;

export interface Minute {
  readonly certificates: number;
  /** After a collection. */
  readonly heapBytes: number;
  readonly rssBytes: number;
}

/**
 * What identity's memory does over ten minutes of 10,000 certificates each, every one for a new key of one of 500 pods, on
 * connections that come and go; beside what it held when its memory of certificates had filled.
 */
export const certifyMemory = async (tell: (minute: Minute) => void): Promise<readonly Minute[]> => {
  const side = fork(join(import.meta.dirname, 'certify', 'service-side.ts'), ['memory', `${pods}`], {
    execArgv: ['--expose-gc'],
  });
  try {
    const up = await said(side, 'up');
    const found: Minute[] = [];
    for (let minute = 0; minute < filling + minutes; minute += 1) {
      await certify(up, perMinute);
      const { heapBytes, rssBytes } = await askMemory(side);
      const one = { certificates: (minute + 1) * perMinute, heapBytes, rssBytes };
      tell(one);
      found.push(one);
    }
    return found;
  } finally {
    side.disconnect();
    await once(side, 'exit');
  }
};

const certify = async (up: Said & { kind: 'up' }, count: number): Promise<void> => {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      const client = new GrpcClient({
        address: { host: '127.0.0.1', port: up.port },
        security: { serverName: up.serverName, trustAnchors: up.trustAnchors },
        connectTimeoutMs: 30_000,
      });
      for (let call = 0; call < callsPerConnection && left > 0; call += 1) {
        left -= 1;
        await client.unary(certifyPath, aRequest(up.tokens[left % up.tokens.length] ?? ''));
      }
      await client.close();
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
};

/** As after a restart of the pod's container: a new key under the same token. */
const aRequest = (token: string): Uint8Array => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return CertifyRequest.encode({
    identity: workload.identity,
    token: Buffer.from(token),
    certificateSigningRequest: makeCsr(privateKey, workload.identity),
  }).finish();
};

const askMemory = async (side: ChildProcess): Promise<Said & { kind: 'used' }> => {
  const answer = said(side, 'used');
  side.send('use');
  return answer;
};

const said = hearChild<Said>();

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

if (import.meta.main) {
  const heads = ['heap', 'RSS'];
  process.stdout.write(`${'certificates'.padEnd(16)}${heads.map((head) => head.padStart(12)).join('')}\n`);
  const all = await certifyMemory(({ certificates, heapBytes, rssBytes }) => {
    const cells = [megabytes(heapBytes), megabytes(rssBytes)];
    process.stdout.write(
      `${`${certificates}`.padEnd(16)}${cells.map((cell) => cell.padStart(12)).join('')}\n`,
    );
  });
  const [full, last] = [all[filling - 1], all.at(-1)];
  if (full === undefined || last === undefined) throw new Error('nothing was measured');
  const perCertificate = (last.heapBytes - full.heapBytes) / (last.certificates - full.certificates);
  process.stdout.write(
    `after ${full.certificates} it held ${megabytes(full.heapBytes)}, after ${last.certificates} ${(last.heapBytes / full.heapBytes).toFixed(2)} times that: ${perCertificate.toFixed(1)} bytes for each certificate\n`,
  );
}
