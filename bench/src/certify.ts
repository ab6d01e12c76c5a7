import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { GrpcClient } from '@gatehouse/platform/grpc/client';
import { CertifyRequest } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import { corePath } from './certify/core-path.ts';
import { floorOf } from './certify/floor.ts';
import type { Behind, Said } from './certify/service-side.ts';
import { aToken, certifyPath, csr, type TokenAlgorithm, workload } from './certify/workload.ts';
import { hearChild } from './hear-child.ts';

/** One way to certify, beside the floor that was measured in the same rounds. */
export interface CertifyFigure {
  readonly name: string;
  /** CPU of the process that certifies, for one certificate, and for the floor of one. */
  readonly cpuMicros: number;
  readonly floorMicros: number;
  /** Certificates per second as the clock had it; on a busy machine the CPU says more. */
  readonly perSecond: number;
  /** floor / Certify by CPU: 1 would be no overhead at all. The goal is 0.6 (design §14). */
  readonly ofFloor: number;
}

const rounds = 8;
const roundMs = 1_000;

/** A service's rows: name, connections, and what stands behind the wire. */
const services: readonly (readonly [string, 'kept' | 'new', Behind])[] = [
  ['the wire alone, kept TLS connections', 'kept', 'echo'],
  ['kept TLS connections', 'kept', 'memory'],
  ['kept, with the issuance log on disk', 'kept', 'file'],
  ['kept, in a cluster, by its keys (jwks)', 'kept', 'jwks'],
  ['kept, in a cluster, by TokenReview', 'kept', 'token-review'],
  ['the wire alone, a new TLS connection each', 'new', 'echo'],
  ['a new TLS connection each', 'new', 'memory'],
];

/**
 * Certify against what cannot be saved of it: without the wire, over kept TLS connections, and over a new one for each call.
 * Only the rows whose name `pattern` matches.
 */
export const certifyBench = async (pattern = /(?:)/): Promise<readonly CertifyFigure[]> => {
  const figures: CertifyFigure[] = [];
  for (const algorithm of ['ES256', 'RS256'] as const) {
    if (pattern.test(coreName(algorithm))) figures.push(await benchCore(algorithm));
  }
  for (const [name, connections, behind] of services) {
    if (pattern.test(name)) figures.push(await benchService(name, connections, behind));
  }
  return figures;
};

const coreName = (algorithm: TokenAlgorithm): string => `without the wire, tokens of ${algorithm}`;

const benchCore = async (algorithm: TokenAlgorithm): Promise<CertifyFigure> => {
  const token = aToken(algorithm);
  const floor = floorOf(token);
  const certify = await corePath(token);
  const one = await inTurns(floor, () => timesOf(certify, ownCpu));
  return figure(coreName(algorithm), one);
};

/** Connections and calls under way on each; the client shares the machine, so more would measure the client. */
const kept = { connections: 4, calls: 50 };

const benchService = async (
  name: string,
  connections: 'kept' | 'new',
  behind: Behind,
): Promise<CertifyFigure> => {
  const child = fork(join(import.meta.dirname, 'certify', 'service-side.ts'), [
    behind,
    // Calls with the same token would share a review.
    behind === 'token-review' ? `${kept.connections * kept.calls}` : '1',
  ]);
  try {
    const up = await said(child, 'up');
    const requests = up.tokens.map((token) =>
      CertifyRequest.encode({
        identity: workload.identity,
        token: Buffer.from(token),
        certificateSigningRequest: Buffer.from(csr),
      }).finish(),
    );
    const connect = (): GrpcClient =>
      new GrpcClient({
        address: { host: '127.0.0.1', port: up.port },
        security: { serverName: up.serverName, trustAnchors: up.trustAnchors },
        connectTimeoutMs: 10_000,
      });
    const ask = (client: GrpcClient, lane = 0) =>
      client.unary(certifyPath, requests[lane % requests.length] ?? Buffer.alloc(0));
    const clients = Array.from({ length: connections === 'kept' ? kept.connections : 0 }, connect);
    const once = async (): Promise<void> => {
      const client = connect();
      await ask(client);
      await client.close();
    };
    const lanes =
      connections === 'kept'
        ? clients.flatMap((client, index) =>
            Array.from({ length: kept.calls }, (_, call) => () => ask(client, index * kept.calls + call)),
          )
        : Array.from({ length: 4 }, () => once);
    const all = (): Promise<Times> => timesOfLanes(lanes, () => cpuOf(child));
    await all();
    const result = await inTurns(floorOf(aToken('ES256')), all);
    await Promise.all(clients.map((client) => client.close()));
    return figure(name, result);
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
};

interface Times {
  readonly cpuMicros: number;
  readonly perSecond: number;
}

interface InTurns {
  readonly floor: readonly Times[];
  readonly certify: readonly Times[];
}

/** Floor and Certify by turns, so that what else the machine does falls on both. */
const inTurns = async (floor: () => void, certify: () => Promise<Times>): Promise<InTurns> => {
  const times: { floor: Times[]; certify: Times[] } = { floor: [], certify: [] };
  // The first round only warms up.
  for (let round = 0; round <= rounds; round += 1) {
    const found = { floor: await timesOf(async () => floor(), ownCpu), certify: await certify() };
    if (round === 0) continue;
    times.floor.push(found.floor);
    times.certify.push(found.certify);
  }
  return times;
};

const timesOf = (work: () => Promise<unknown>, cpu: () => Promise<number>): Promise<Times> =>
  timesOfLanes([work], cpu);

/** Each lane does its work again and again for a while. */
const timesOfLanes = async (
  lanes: readonly (() => Promise<unknown>)[],
  cpu: () => Promise<number>,
): Promise<Times> => {
  const before = await cpu();
  const start = performance.now();
  let count = 0;
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    while (performance.now() - start < roundMs) {
      await work();
      count += 1;
    }
  };
  await Promise.all(lanes.map(run));
  const seconds = (performance.now() - start) / 1_000;
  return { cpuMicros: (1_000 * ((await cpu()) - before)) / count, perSecond: count / seconds };
};

const ownCpu = async (): Promise<number> => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};

const cpuOf = async (child: ChildProcess): Promise<number> => {
  const answer = said(child, 'used');
  child.send('use');
  return (await answer).cpuMs;
};

const said = hearChild<Said>();

/** The best round: what others do on the machine can only make a round worse. */
const least = (values: readonly number[]): number => Math.min(...values);

const figure = (name: string, { floor, certify }: InTurns): CertifyFigure => {
  const cpuMicros = least(certify.map((one) => one.cpuMicros));
  const floorMicros = least(floor.map((one) => one.cpuMicros));
  const perSecond = Math.max(...certify.map((one) => one.perSecond));
  return { name, cpuMicros, floorMicros, perSecond, ofFloor: floorMicros / cpuMicros };
};

const print = ({ name, cpuMicros, floorMicros, perSecond, ofFloor }: CertifyFigure): string => {
  const cells = [
    `${cpuMicros.toFixed(0)} µs`,
    `${floorMicros.toFixed(0)} µs`,
    `${perSecond.toFixed(0)}/s`,
    `${(100 * ofFloor).toFixed(0)} %`,
  ];
  return `${name.padEnd(44)}${cells.map((cell) => cell.padStart(10)).join('')}\n`;
};

if (import.meta.main) {
  const heads = ['CPU', 'floor', 'rate', 'of floor'];
  process.stdout.write(`${'Certify'.padEnd(44)}${heads.map((head) => head.padStart(10)).join('')}\n`);
  // `node bench/src/certify.ts TokenReview` measures only the rows of that name.
  for (const one of await certifyBench(new RegExp(process.argv[2] ?? '', 'u')))
    process.stdout.write(print(one));
}
