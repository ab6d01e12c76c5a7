import { parseIdentity, printBriefly } from '@gatehouse/core/mesh/workload-identity';
import { podNames } from './demo-mesh.ts';
import type { EventOf, PodEvent } from './event-hub.ts';
import { makeForeignCertificate } from './foreign-certificate.ts';
import { type Narrator, StepFailure } from './narrator.ts';

/** One step of the story: what it is about, and what happens. A step that throws has failed. */
export interface Step {
  readonly title: string;
  run(narrator: Narrator): Promise<void>;
}

const service = 'http://backend.demo';
const seedPolicy = 'frontend-can-talk-to-backend.yaml';
const rulesPolicy = 'frontend-can-get-api.yaml';
const linkerdPolicy = 'blue-tenant-api.yaml';
const eventTimeoutMs = 40_000;

/** The part of a manifest that says what it is about, for the screen. */
const excerpt = (text: string): readonly string[] =>
  text.split('\n').filter((line) => line !== '' && !line.startsWith('#') && !line.startsWith('apiVersion'));

/** Names without what all of them share: the group of a resource, the suffix of an identity. */
const short = (text: string): string =>
  text
    .replaceAll(/policy\.linkerd\.io\/\w+\//g, '')
    .replaceAll(/[a-z0-9][a-z0-9.-]*/g, (name) => printBriefly(parseIdentity(name)));

/** What a change brought to the backend's proxy, without what is the same in every line. */
const printRow = ({ port, row }: EventOf<'row'>): string => {
  const allowed = row.authorizations.length === 0 ? 'nobody' : row.authorizations.map(short).join('; ');
  const routes = row.routes.map((route) => short(route).replace('default/', ''));
  return `port ${port}, ${short(row.server)}, on all routes: ${allowed}; routes: ${routes.join(', ')}`;
};

/** Waits until the backend's proxy was sent a row for the port, and shows it; with the time since the change, if one was made. */
const showRow = async ({ mesh, screen }: Narrator, port: number, changedAt?: number): Promise<void> => {
  const sent = ({ pod, event }: PodEvent): boolean =>
    pod === 'backend-0' && event.event === 'row' && event.port === port && event.at >= (changedAt ?? 0);
  const { event } = await mesh.hub.first(`a row for backend:${port}`, sent, {
    timeoutMs: eventTimeoutMs,
    signal: mesh.interrupted,
  });
  if (event.event !== 'row') return;
  const when = changedAt === undefined ? '' : ` was sent, ${event.at - changedAt} ms later`;
  screen.saw(`backend's proxy${when}`, printRow(event));
};

const startServices: Step = {
  title: 'Three services start',
  run: async ({ mesh, screen }) => {
    const { text } = await mesh.source.apply('demo.yaml');
    const kinds = [...text.matchAll(/^kind: (\w+)$/gm)].map(([, kind]) => kind);
    screen.did(
      `wrote demo.yaml to ${mesh.source.what}: ${kinds.join(', ')}; the namespace denies by default`,
    );
    const started = performance.now();
    await mesh.startServices();
    const ms = Math.round(performance.now() - started);
    for (const [name, { grpc, admin }] of Object.entries(mesh.services)) {
      screen.saw(name, `gRPC ${grpc} (TLS 1.3), REST ${admin}`);
    }
    screen.note(`all ready after ${ms} ms`);
  },
};

const obtainCertificates: Step = {
  title: "Every pod's proxy obtains its certificate with a pod-bound token",
  run: async (narrator) => {
    const { mesh, screen } = narrator;
    await mesh.startPods();
    for (const name of podNames) {
      const { event } = await mesh.hub.first(
        `${name}'s certificate`,
        ({ pod, event }) => pod === name && event.event === 'certificate',
        { timeoutMs: eventTimeoutMs, signal: mesh.interrupted },
      );
      if (event.event !== 'certificate') continue;
      screen.saw(name, `${mesh.pod(name).address}, serial ${event.serial.slice(0, 16).toLowerCase()}…`);
    }
    const identities = new Set(podNames.map((name) => mesh.pod(name).identity));
    if (identities.size !== 1)
      throw new StepFailure(`expected one identity, found ${[...identities].join(', ')}`);
    screen.note('one ServiceAccount, so all three have one identity:');
    screen.note([...identities].join());
    for (const port of [8080, 9000]) await showRow(narrator, port);
  },
};

const denyByDefault: Step = {
  title: 'frontend calls backend, and is denied by default',
  run: async (narrator) => {
    await narrator.call({ from: 'frontend-0', url: `${service}:8080/`, expect: 403 });
    const { address } = narrator.mesh.pod('backend-0');
    await narrator.call({ from: 'frontend-0', url: `http://${address}:8080/`, expect: 403 });
    const [request] = narrator.mesh.hub.of('inbound-request', { pod: 'backend-0', since: 0 });
    if (request?.client.identity === undefined) {
      throw new StepFailure("backend's proxy did not see frontend's identity");
    }
    narrator.screen.saw(
      "backend's proxy",
      `denied ${short(request.client.identity)} at ${request.client.address}, known by its certificate`,
    );
  },
};

/** Calls once, so that there is a connection from before the change; answers which it is. */
const connectionBefore = async (narrator: Narrator): Promise<string | undefined> =>
  (await narrator.mesh.caller('frontend-0').call({ url: `${service}:8080/` })).connections.upstream;

const admitFrontend = (memory: { connection?: string | undefined }): Step => ({
  title: 'A policy is written: frontend may talk to backend on 8080',
  run: async (narrator) => {
    const { mesh, screen } = narrator;
    memory.connection = await connectionBefore(narrator).catch(() => undefined);
    const { text, at } = await mesh.source.apply(seedPolicy);
    screen.did(`wrote ${seedPolicy}`);
    screen.manifest(excerpt(text));
    await showRow(narrator, 8080, at);
    const { result, afterMs } = await narrator.callUntil(
      { from: 'frontend-0', url: `${service}:8080/`, expect: 200 },
      at,
    );
    screen.note(`enforced ${afterMs} ms after the change`);
    if (memory.connection !== undefined && result.connections.upstream !== memory.connection) {
      throw new StepFailure(
        `the call went over ${result.connections.upstream}, not over ${memory.connection}`,
      );
    }
  },
});

const sameConnection = (memory: { readonly connection?: string | undefined }): Step => ({
  title: 'The same call succeeds: the same connection, nothing restarted',
  run: async (narrator) => {
    const { connections } = await narrator.call({ from: 'frontend-0', url: `${service}:8080/`, expect: 200 });
    if (memory.connection !== undefined && connections.upstream !== memory.connection) {
      throw new StepFailure(`the call went over ${connections.upstream}, not over ${memory.connection}`);
    }
    narrator.screen.saw("frontend's proxy", `still ${connections.upstream}`);
    const { address } = narrator.mesh.pod('backend-0');
    await narrator.call({ from: 'frontend-0', url: `http://${address}:8080/`, expect: 200 });
  },
});

const everythingElseStaysShut: Step = {
  title: 'Nothing else opened',
  run: async (narrator) => {
    await narrator.call({ from: 'frontend-0', url: `${service}:9000/`, expect: 403 });
    await narrator.call({ from: 'intruder-0', url: `${service}:8080/`, expect: 403 });
    narrator.screen.note('intruder has the same identity, but not the address of a pod labelled frontend');
    const to = { pod: 'backend-0', port: 8080 } as const;
    await narrator.callFromOutside("frontend's address, no certificate", 'frontend-0', to);
    const name = narrator.mesh.pod('frontend-0').identity;
    const foreign = makeForeignCertificate(name);
    await narrator.callFromOutside(
      "frontend's address, certificate of another root",
      'frontend-0',
      to,
      foreign,
    );
  },
};

const api = `${service}:9000`;

const narrowToRequests: Step = {
  title: 'frontend may GET /api on 9000, and nothing more',
  run: async (narrator) => {
    const { mesh, screen } = narrator;
    const rules = await mesh.source.apply(rulesPolicy);
    screen.did(`wrote ${rulesPolicy}`);
    screen.manifest(
      excerpt(rules.text)
        .filter((line) => /ports|rules/.test(line))
        .map((line) => line.trim()),
    );
    await showRow(narrator, 9000, rules.at);
    const opened = await narrator.callUntil(
      { from: 'frontend-0', url: `${api}/api/x`, expect: 200 },
      rules.at,
    );
    screen.note(`enforced ${opened.afterMs} ms after the change`);
    await narrator.call({ from: 'frontend-0', method: 'POST', url: `${api}/api/x`, expect: 403 });
    await narrator.call({ from: 'frontend-0', url: `${api}/admin`, expect: 403 });
    await narrator.call({ from: 'frontend-0', url: `${api}/api/../admin`, expect: 403 });
    await narrator.call({ from: 'intruder-0', url: `${api}/api/x`, expect: 403 });

    const removed = await mesh.source.remove(rulesPolicy);
    screen.did(`removed ${rulesPolicy}`);
    await narrator.callUntil({ from: 'frontend-0', url: `${api}/api/x`, expect: 403 }, removed);

    const frontend = mesh.pod('frontend-0').address;
    const linkerd = await mesh.source.apply(linkerdPolicy, { FRONTEND_ADDRESS: frontend });
    screen.did(`wrote ${linkerdPolicy}: Linkerd's Server, HTTPRoute and AuthorizationPolicy`);
    await showRow(narrator, 9000, linkerd.at);
    const blue = { 'x-tenant': 'blue' };
    const url = `${api}/api/x`;
    const routed = await narrator.callUntil(
      { from: 'frontend-0', url, headers: blue, expect: 200 },
      linkerd.at,
    );
    screen.note(`enforced ${routed.afterMs} ms after the change`);
    await narrator.call({ from: 'frontend-0', url, expect: 404 });
    await narrator.call({ from: 'frontend-0', method: 'POST', url, headers: blue, expect: 404 });
    await narrator.call({ from: 'frontend-0', url: `${api}/admin`, headers: blue, expect: 404 });
    await narrator.call({ from: 'intruder-0', url, headers: blue, expect: 403 });
  },
};

const revoke: Step = {
  title: 'The first policy is deleted: the next request is denied again',
  run: async (narrator) => {
    const at = await narrator.mesh.source.remove(seedPolicy);
    narrator.screen.did(`removed ${seedPolicy}`);
    await showRow(narrator, 8080, at);
    const { afterMs } = await narrator.callUntil(
      { from: 'frontend-0', url: `${service}:8080/`, expect: 403 },
      at,
    );
    narrator.screen.note(`enforced ${afterMs} ms after the change`);
  },
};

/** The story, from an empty cluster to a policy revoked. Steps share what they must: the connection of step 4 is that of step 5. */
export const tellStory = (): readonly Step[] => {
  const memory: { connection?: string | undefined } = {};
  return [
    startServices,
    obtainCertificates,
    denyByDefault,
    admitFrontend(memory),
    sameConnection(memory),
    everythingElseStaysShut,
    narrowToRequests,
    revoke,
  ];
};

export const stepCount = tellStory().length;
