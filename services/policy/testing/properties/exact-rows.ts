import assert from 'node:assert/strict';
import { type Attempt, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { Authorization, InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { type IpAddress, printIp } from '@gatehouse/core/ip-network';
import { hasEnded } from '@gatehouse/core/mesh/workload';
import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { ipOf } from '@gatehouse/testing/inbound-attempt';
import fc from 'fast-check';
import type { WorkloadAsked } from '../../src/core/inbound/rows/inbound-rows.ts';
import { hasAddress, isThisPod, selectsPod } from '../decide/clients.ts';
import { decide } from '../decide/decide.ts';
import type { Situation, Target } from '../decide/situation.ts';
import {
  InboundRowsFixture,
  type InboundRowsParts,
  type Reader,
  targetOf,
  workloadsIn,
} from '../inbound-rows-fixture.ts';
import { anyEvent, type ClusterEvent, type Happening, happeningOf } from '../random-events.ts';
import { identity } from '../random-policies.ts';
import { situationFromIndex } from '../situation-from-index.ts';
import { count, type Seen } from './seen.ts';

type Pod = KubeObject<'Pod'>;

const ports = [8080, 9000];

/** Everybody who may call: each address that pods have and one that none has, with each certificate and without. */
const clients: readonly Pick<Attempt, 'client' | 'tls'>[] = [
  '10.0.0.1',
  '10.0.0.2',
  '10.0.0.3',
  '10.0.0.4',
  '10.0.0.9',
  'fd00::1',
  'fd00::2',
].flatMap((address) => {
  const client = ipOf(address);
  const certified = (['demo', 'other'] as const).flatMap((namespace) =>
    ['default', 'web'].map((account) => ({
      client,
      tls: { kind: 'identified' as const, id: 'dns' as const, name: identity(namespace, account) },
    })),
  );
  return [{ client, tls: { kind: 'none' as const } }, ...certified];
});

const traffics: readonly Attempt['traffic'][] = [
  { kind: 'tcp' },
  { kind: 'http', method: 'GET', target: '/', host: 'a', headers: [] },
];

const attempts: readonly Attempt[] = clients.flatMap((client) =>
  traffics.map((traffic) => ({ ...client, traffic })),
);

/**
 * Exactness (design §6.3), over whole histories: after every event each watched row admits whom the objects admit, read
 * directly, and nobody else; no row has an address that is not surely one pod's, nor the same address for two identities;
 * and what only takes away, or is about pods that nothing selects or about ExternalWorkloads, widens no row of others.
 */
export const rowsAreExact = (parts: InboundRowsParts = {}, seen: Seen = new Map()) =>
  fc.property(fc.array(anyEvent, { minLength: 6, maxLength: 20, size: 'max' }), (events) => {
    const fixture = new InboundRowsFixture(parts);
    for (const event of events) {
      watchAll(fixture);
      const happening = happeningOf(fixture.index, event);
      note(seen, fixture, event);
      const before = mayWiden(fixture, happening) ? undefined : admittedBy(fixture, happening);
      for (const batch of happening.batches) {
        fixture.apply(...batch);
        checkVerdicts(fixture, seen);
        checkAddresses(fixture);
      }
      if (before !== undefined) checkWidening(fixture, before, seen);
    }
  });

const watchAll = (fixture: InboundRowsFixture): void => {
  const portOf = (asked: WorkloadAsked, port: number): string =>
    `${asked.kind}/${asked.namespace}/${asked.pod}:${port}`;
  const watched = new Set([...fixture.watches.values()].map(({ pod, port }) => portOf(pod, port)));
  for (const asked of workloadsIn(fixture)) {
    for (const port of ports)
      if (!watched.has(portOf(asked, port))) fixture.watchWorkload({ ...asked, port });
  }
};

/** Every watch with its row and what `decide` reads. */
function* rowsIn(fixture: InboundRowsFixture): Generator<{
  readonly reader: Reader;
  readonly situation: Situation;
  readonly server: InboundServer;
}> {
  for (const [reader, { pod, port, row }] of fixture.watches) {
    const target = targetOf(fixture, pod);
    assert.ok(target, 'a watch outlived its workload');
    const server = row.answer?.compiled.server;
    assert.ok(server, 'a row was not compiled');
    yield { reader, situation: situationFromIndex(fixture.index, { target, port }, fixture.options), server };
  }
}

const checkVerdicts = (fixture: InboundRowsFixture, seen: Seen): void => {
  for (const { situation, server } of rowsIn(fixture)) {
    for (const attempt of attempts) {
      const verdict = evaluate(server, attempt, situation.matchesRegex);
      const decision = decide(situation, attempt);
      if (verdict.kind === decision.kind) {
        count(seen, verdict.kind);
        if (situation.target.kind === 'ExternalWorkload')
          count(seen, `${verdict.kind} on an ExternalWorkload`);
        if (verdict.kind === 'allowed' && verdict.authorization.kind === 'resource')
          count(seen, `allowed by ${verdict.authorization.resource.kind}`);
        continue;
      }
      const { target, port } = situation;
      assert.fail(
        `${placeOf(target)}:${port} is ${verdict.kind} to ${printAttempt(attempt)}, and should be ${decision.kind}`,
      );
    }
  }
};

const printAttempt = ({ client, tls, traffic }: Attempt): string =>
  `${traffic.kind} from ${printIp(client)} as ${tls.kind === 'identified' ? tls.name : tls.kind}`;

/** Whole addresses come from labels alone here: no policy, Server or setting names one. */
const checkAddresses = (fixture: InboundRowsFixture): void => {
  for (const { situation, server } of rowsIn(fixture)) {
    for (const { ip, name } of addressesIn(server)) {
      const tls = { kind: 'identified', id: 'dns', name } as const;
      const [pod, ...more] = situation.pods.filter((one) => isThisPod(one, situation, { client: ip, tls }));
      assert.ok(pod !== undefined && more.length === 0, `a row holds ${printIp(ip)}, which is not one pod's`);
    }
  }
};

function* addressesIn({ protocol, authorizations }: InboundServer): Generator<{
  readonly ip: IpAddress;
  readonly name: string;
}> {
  const ofRoutes: readonly Authorization[] =
    'routes' in protocol ? protocol.routes.flatMap((route) => route.authorizations) : [];
  for (const { networks, authentication } of [...authorizations, ...ofRoutes]) {
    for (const { net } of networks) {
      if (net.prefix !== (net.family === 4 ? 32 : 128)) continue;
      assert(authentication.kind === 'identities', 'an address is admitted without an identity');
      for (const name of authentication.identities) yield { ip: net, name: printIdentity(name) };
    }
  }
}

/** Whether the event may admit a client to a row of others: it grants, or gives an address or a selected pod back. */
const mayWiden = ({ index }: InboundRowsFixture, { batches, workloads, withdraws }: Happening): boolean => {
  if (withdraws) return false;
  if (workloads.length === 0 || batches.length !== 1) return true;
  return workloads.some(({ before, after }) => {
    // No label, address or identity that an ExternalWorkload claims makes it a source.
    if (before?.kind === 'ExternalWorkload' || after?.kind === 'ExternalWorkload') return false;
    if (before !== undefined && contends(before, [...index.all('Pod')])) return true;
    if (after === undefined || hasEnded(after.spec)) return false;
    // One that only begins to terminate is selected by whatever selected it.
    const isAsBefore = before?.spec === after.spec && before.meta.labels === after.meta.labels;
    return !isAsBefore && isSelected(after, index);
  });
};

const isSelected = (pod: Pod, index: ResourceIndex): boolean => {
  const namespaces = [...index.all('Namespace')];
  return [...index.all('NetworkAuthenticationPolicy')].some(
    ({ meta, spec }) =>
      !isRejected(spec) &&
      spec.sources.some((source) => selectsPod(source, pod, { namespaces, policyNamespace: meta.namespace })),
  );
};

const placeOf = ({ kind, meta }: Target): string => `${kind} ${meta.namespace}/${meta.name}`;

/** Whether the pod keeps an address from another. */
const contends = (pod: Pod, pods: readonly Pod[]): boolean =>
  !hasEnded(pod.spec) &&
  pod.spec.ips.some((text) =>
    pods.some((other) => placeOf(other) !== placeOf(pod) && hasAddress(other, ipOf(text))),
  );

type Admitted = ReadonlyMap<Reader, ReadonlySet<Attempt>>;

/** Which clients each row admits, but for those of the workloads that the event is about. */
const admittedBy = (fixture: InboundRowsFixture, { workloads }: Pick<Happening, 'workloads'>): Admitted => {
  const own = new Set(
    workloads.flatMap(({ before, after }) =>
      [before, after].flatMap((one) => (one === undefined ? [] : [placeOf(one)])),
    ),
  );
  return new Map(
    Array.from(rowsIn(fixture)).flatMap(({ reader, situation, server }) =>
      own.has(placeOf(situation.target)) ? [] : [[reader, new Set(admittedTo(server, situation))] as const],
    ),
  );
};

const admittedTo = (server: InboundServer, { matchesRegex }: Situation): readonly Attempt[] =>
  attempts.filter((attempt) => evaluate(server, attempt, matchesRegex).kind === 'allowed');

const checkWidening = (fixture: InboundRowsFixture, before: Admitted, seen: Seen): void => {
  for (const { reader, situation, server } of rowsIn(fixture)) {
    const was = before.get(reader);
    if (was === undefined) continue;
    const is = admittedTo(server, situation);
    const fresh = is.find((attempt) => !was.has(attempt));
    assert.equal(fresh && printAttempt(fresh), undefined, 'what only takes away admits a client');
    count(seen, is.length < was.size ? 'a row narrowed' : 'a row stayed');
  }
};

const told = {
  change: 'an object changes',
  starts: 'a pod starts',
  claims: 'an ExternalWorkload claims an identity',
  inherits: 'a pod inherits addresses',
  recreated: 'a pod is recreated',
  relabelled: 'a pod is relabelled',
  withdrawn: 'a source is withdrawn',
  removed: 'a grant is removed',
} as const satisfies Record<Exclude<ClusterEvent['kind'], 'ends'>, string>;

/** Which pods there are, and what happens to them. */
const note = (seen: Seen, { index }: InboundRowsFixture, event: ClusterEvent): void => {
  count(seen, event.kind === 'ends' ? `a pod ${event.how}` : told[event.kind]);
  const pods = [...index.all('Pod')];
  for (const { meta, spec } of pods) {
    if (spec.phase === 'Succeeded') count(seen, 'Succeeded');
    if (spec.hostNetwork) count(seen, 'hostNetwork');
    if (spec.ips.length > 1) count(seen, 'several podIPs');
    if (meta.deletedAt !== undefined) count(seen, 'terminating');
    if (meta.labels['linkerd.io/control-plane-ns'] === undefined) count(seen, 'unmeshed');
    const others = pods.filter((other) => other.meta !== meta);
    if (others.some((other) => other.spec.serviceAccount === spec.serviceAccount))
      count(seen, 'a shared ServiceAccount');
    if (others.some((other) => spec.ips.some((text) => hasAddress(other, ipOf(text)))))
      count(seen, 'a shared address');
  }
};
