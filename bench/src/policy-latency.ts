import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';
import { type FakeApiServer, startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { Said } from './destination/side.ts';
import { hearChild } from './hear-child.ts';
import { serverName } from './policy/cluster-objects.ts';
import { StreamLoad } from './stream-load.ts';
import { meshedPod } from './watch/meshed-pod.ts';

/** From the event of an API server, of a pod that has another address, to the message on a proxy's stream, over TLS. */
const pods = 2_000;
const namespaces = 20;
const changes = 500;
/** Replaced beside that in other namespaces. */
const rolloutPerSecond = 50;

const withAddress = (index: number, ip: string): WireObject => {
  const pod = meshedPod(index);
  return { ...pod, status: { ...(pod.status as WireObject), podIP: ip, podIPs: [{ ip }] } };
};
const addressOf = (count: number): string => `10.200.${count >> 8}.${count & 255}`;
const nameOf = (index: number): string => String((meshedPod(index).metadata as WireObject).name);

/** All pods of a namespace may call each other, so that each change of an address concerns its row. */
const policyOf = (namespace: string): WireObject =>
  aWireObject('NetworkAuthenticationPolicy', {
    namespace,
    spec: { target: { selector: {} }, ports: [{ port: 8080 }], sources: [{ podSelector: {} }] },
  });

const said = hearChild<Said>();

/** Milliseconds to each message, sorted. */
const measure = async (server: FakeApiServer, load: StreamLoad): Promise<readonly number[]> => {
  const found: number[] = [];
  const half = namespaces / 2;
  for (let count = 0; count < changes; count += 1) {
    const namespace = count % half;
    const heard = load.nextOf(namespace);
    const start = performance.now();
    server.put(withAddress(namespace + namespaces, addressOf(count)));
    await heard;
    found.push(performance.now() - start);
    // Longer than the pause between two compiles, so that each change counts by itself.
    await delay(25 + (count % 7));
  }
  return found.toSorted((a, b) => a - b);
};

/** Changes pods of the other half of the namespaces until the signal aborts. */
const rollOut = async (server: FakeApiServer, signal: AbortSignal): Promise<void> => {
  for (let count = 0; !signal.aborted; count += 1) {
    const index = namespaces / 2 + (count % (namespaces / 2)) + namespaces * (2 + (count % 50));
    server.put(withAddress(index, addressOf(30_000 + count)));
    await delay(1_000 / rolloutPerSecond);
  }
};

const quantile = (sorted: readonly number[], part: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;

const line = (name: string, cells: readonly string[]): void => {
  process.stdout.write(`${name.padEnd(28)}${cells.map((cell) => cell.padStart(10)).join('')}\n`);
};

const row = (name: string, times: readonly number[]): void =>
  line(
    name,
    [0.5, 0.99, 1].map((part) => `${quantile(times, part).toFixed(1)} ms`),
  );

const server = await startFakeApiServer({ keepRevisions: 100_000 });
for (let index = 0; index < pods; index += 1) server.put(meshedPod(index));
for (let namespace = 0; namespace < namespaces; namespace += 1) server.put(policyOf(`ns-${namespace}`));
const child = fork(join(import.meta.dirname, 'policy', 'cluster-side.ts'), [server.url]);
try {
  const { port, trustAnchors } = await said(child, 'listening');
  const request = (index: number): Uint8Array =>
    PortSpec.encode({ workload: `ns-${index}:${nameOf(index)}`, port: 8080 }).finish();
  const path = '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort';
  const load = new StreamLoad({
    port,
    serverName,
    trustAnchors,
    connections: namespaces,
    streams: namespaces,
    path,
    request,
  });
  await load.connect();
  await load.open();
  await measure(server, load);
  line(`${pods} pods`, ['median', '99 %', 'worst']);
  const quiet = await measure(server, load);
  row('nothing else changes', quiet);
  const abort = new AbortController();
  const rolling = rollOut(server, abort.signal);
  const busy = await measure(server, load);
  abort.abort();
  await rolling;
  row(`${rolloutPerSecond} pods change a second`, busy);
  line(
    'ratio',
    [0.5, 0.99, 1].map((part) => (quantile(busy, part) / quantile(quiet, part)).toFixed(2)),
  );
  load.close();
} finally {
  child.disconnect();
  await once(child, 'exit');
  await server.stop();
}
