import assert from 'node:assert/strict';
import { createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClientTls, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { type IpAddress, printIp, readIp } from '@gatehouse/core/ip-network';
import { aCertificate, aKey, anAuthority } from '@gatehouse/dev/certificates';
import { pemOf } from '@gatehouse/platform/tls/material';
import { encodeInbound } from '@gatehouse/policy/ports/inbound/encode-inbound';
import { compileSituation } from '@gatehouse/policy/testing/compile-situation';
import { type Case, cases } from '@gatehouse/policy/testing/random-situation';
import fc from 'fast-check';
import { Agent } from '../rig/agent.ts';
import { eventually } from '../rig/eventually.ts';
import { parseMetrics } from '../rig/proxy-metrics.ts';
import type { RealMesh } from '../rig/real-mesh.ts';
import { prepareRealProxy } from '../rig/real-proxy.ts';
import { startAnswers } from './answers.ts';
import { countedOn, expectedCounter, expectedOutcome, reachedApplication, seenOutcome } from './expected.ts';
import { realAttempt } from './real-attempt.ts';

const controlPlane = '10.99.0.11';
const grpcPort = 8090;
const serverName = 'answers.gatehouse.serviceaccount.identity.gatehouse.cluster.local';
const podName = 'backend.demo.serviceaccount.identity.gatehouse.cluster.local';
const target = { 4: '10.0.1.1', 6: 'fd00::101', serverName: podName };
/** All that random attempts call from, but for loopback, which no client beyond the pod has. */
const clients = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.4',
  '10.0.0.9',
  '192.168.0.1',
  'fd00::1',
  'fd00::9',
];
const stranger = readIp('10.0.0.9') as IpAddress;
const firstPort = 8001;
const casesPerProxy = 50;
const adminPort = 4191;

interface Numbered extends Case {
  readonly index: number;
  readonly port: number;
  readonly server: InboundServer;
}

export interface Mismatch {
  readonly what: string;
  readonly case: number;
  readonly server: InboundServer;
}

export interface Compared {
  readonly attempts: number;
  readonly told: string;
}

/**
 * Random policies and attempts through the compiler and `evaluate`, and through a real proxy that was sent the same row:
 * what the client sees and what the proxy counts must be what `evaluate` says, and the application sees what clients are
 * answered by it and nothing else. Throws with the first differences.
 */
export const compareWithReality = async (
  mesh: RealMesh,
  { seed, runs }: { readonly seed: number; readonly runs: number },
): Promise<Compared> => {
  const all = fc.sample(cases, { seed, numRuns: runs }).map((one, index): Numbered => {
    return {
      ...one,
      index,
      port: firstPort + (index % casesPerProxy),
      server: unlimited(compileSituation(one.situation).server),
    };
  });
  const mismatches: Mismatch[] = [];
  let attempts = 0;
  for (let at = 0; at < all.length; at += casesPerProxy) {
    const batch = all.slice(at, at + casesPerProxy);
    attempts += await compareBatch(mesh, `differential-${at}`, batch, mismatches);
  }
  const [first] = mismatches;
  const shown = mismatches.slice(0, 10).map(({ what, case: index }) => `case ${index}: ${what}`);
  assert.equal(
    mismatches.length,
    0,
    `seed ${seed}: ${mismatches.length} differ\n${shown.join('\n')}\n${JSON.stringify(first?.server, print)}`,
  );
  return { attempts, told: `${all.length} cases, ${attempts} attempts, seed ${seed}` };
};

/** With rate limits that the attempts of a case never meet: `evaluate` counts no requests, a scenario does. */
const unlimited = (server: InboundServer): InboundServer => {
  const { protocol } = server;
  if (!('rateLimit' in protocol) || protocol.rateLimit === undefined) return server;
  const { total, identity, overrides, ...rest } = protocol.rateLimit;
  const raised = (limit: number | undefined) => limit && limit + 10_000;
  const rateLimit = {
    ...rest,
    total: raised(total),
    identity: raised(identity),
    overrides: overrides.map((one) => ({ ...one, requestsPerSecond: one.requestsPerSecond + 10_000 })),
  };
  return { ...server, protocol: { ...protocol, rateLimit } };
};

const compareBatch = async (
  mesh: RealMesh,
  name: string,
  batch: readonly Numbered[],
  mismatches: Mismatch[],
): Promise<number> => {
  const root = anAuthority({ name: 'root of the differential test' });
  const places = {
    answers: mesh.addPlace(`${name}-answers`, { addresses: [`${controlPlane}/16`], redirect: false }),
    target: mesh.addPlace(`${name}-target`, {
      addresses: [`${target[4]}/16`, '10.99.0.12/16', '192.168.0.200/16', `${target[6]}/64`],
      redirect: true,
    }),
    client: mesh.addPlace(`${name}-client`, {
      addresses: clients.map((address) => `${address}/${address.includes(':') ? 64 : 16}`),
      redirect: false,
    }),
  };
  const log = (who: string): string => join(mesh.logs, `${name}-${who}.log`);
  const rows = Object.fromEntries(batch.map(({ port, server }) => [port, base64(encodeInbound(server))]));
  const answers = await startAnswers(places.answers, log('answers'), {
    address: { host: controlPlane, port: grpcPort },
    serverName,
    authority: {
      name: root.name,
      key: root.key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      certificate: base64(root.certificate),
      pem: root.pem,
    },
    rows: { ...rows, [adminPort]: base64(encodeInbound(openToAll)) },
  });
  const app = new Agent(places.target, log('app'));
  const client = new Agent(places.client, log('client'));
  const ports = batch.map(({ port }) => port);
  const proxy = await prepareRealProxy({
    binary: mesh.binary,
    place: places.target,
    folder: mesh.podFolder(name),
    logFile: log('proxy'),
    namespace: 'demo',
    pod: 'backend',
    identity: podName,
    addresses: [target[4], target[6]],
    ports,
    trustAnchors: root.pem,
    token: `e30.${Buffer.from(JSON.stringify({ sub: 'system:serviceaccount:demo:backend' })).toString('base64url')}.`,
    env: Object.fromEntries(
      ['IDENTITY', 'DESTINATION', 'POLICY'].flatMap((service) => [
        [`LINKERD2_PROXY_${service}_SVC_ADDR`, `${controlPlane}:${grpcPort}`],
        [`LINKERD2_PROXY_${service}_SVC_NAME`, serverName],
      ]),
    ),
  });
  try {
    await app.ask({ kind: 'listen', name: 'app', ports });
    proxy.start();
    await eventually('the proxy', () => app.read(`http://127.0.0.1:${adminPort}/ready`));
    // All rows were sent on one connection before or right after that of the admin port; labels tell if one was not.
    await sleep(500);
    const certificates = new Map<string, { readonly certificate: string; readonly key: string }>();
    const certify = (tls: Extract<ClientTls, { kind: 'identified' }>) => {
      let known = certificates.get(tls.name);
      if (known === undefined) {
        const key = aKey();
        const names = tls.id === 'dns' ? { dns: [tls.name] } : { uris: [tls.name] };
        const leaf = aCertificate(root, { ...names, publicKey: createPublicKey(key) });
        known = { certificate: pemOf(leaf), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
        certificates.set(tls.name, known);
      }
      return known;
    };
    const expectedCounts = new Map<number, Record<string, number>>();
    const reached = new Map<number, number>();
    let attempts = 0;
    for (const { index, port, server, situation, attempts: wanted } of batch) {
      const counts: Record<string, number> = {};
      expectedCounts.set(port, counts);
      for (const [turn, one] of wanted.entries()) {
        const { attempt, call } = realAttempt(one, {
          port,
          protocol: server.protocol.kind,
          turn,
          target,
          stranger,
          canCallFrom: (ip) => clients.includes(printIp(ip)),
          certify,
        });
        const verdict = evaluate(server, attempt, situation.matchesRegex);
        const counter = expectedCounter(verdict, attempt, server.protocol.kind);
        if (counter !== undefined) counts[counter] = (counts[counter] ?? 0) + 1;
        const expected = expectedOutcome(verdict, attempt);
        const outcome = await client.call(call);
        attempts += 1;
        if (reachedApplication(outcome)) reached.set(port, (reached.get(port) ?? 0) + 1);
        const seen = seenOutcome(outcome, expected);
        if (seen !== expected) {
          const { certificate: _, key: __, ...tls } = call.tls ?? {};
          const told = JSON.stringify({ attempt, tls, speaks: call.speaks, outcome }, print);
          mismatches.push({ what: `expected ${expected}, saw ${seen}: ${told}`, case: index, server });
        }
      }
    }
    const samples = parseMetrics(await app.read(`http://127.0.0.1:${adminPort}/metrics`));
    const sightings = await app.ask({ kind: 'sightings' });
    for (const { index, port, server } of batch) {
      const saw = sightings
        .filter((sighting) => sighting.port === port)
        .reduce((sum, { count }) => sum + count, 0);
      if (saw !== (reached.get(port) ?? 0)) {
        const what = `the application saw ${saw} requests, and clients were answered by it ${reached.get(port) ?? 0} times`;
        mismatches.push({ what, case: index, server });
      }
      const counted = countedOn(samples, port);
      const expected = expectedCounts.get(port) ?? {};
      try {
        assert.deepEqual(counted, expected);
      } catch {
        const what = `the proxy counted ${JSON.stringify(counted)}, expected ${JSON.stringify(expected)}`;
        mismatches.push({ what, case: index, server });
      }
    }
    return attempts;
  } finally {
    await proxy.end();
    await Promise.all([app.end(), client.end(), answers.end()]);
    for (const place of Object.values(places)) mesh.removePlace(place);
  }
};

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const print = (_: string, value: unknown): unknown => (typeof value === 'bigint' ? `${value}` : value);

const openToAll: InboundServer = {
  protocol: { kind: 'detect', timeoutMs: 10_000, routes: [] },
  authorizations: [],
  meta: { kind: 'default', name: 'deny' },
};
