import assert from 'node:assert/strict';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { podManifest } from '../rig/pod-manifest.ts';
import { total } from '../rig/proxy-metrics.ts';
import { refused } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { allow } from './policies.ts';
import type { Scenario } from './scenario.ts';
import { callsUnder, steadyAccount } from './steady-calls.ts';

const podCount = 1_000;
/** Network namespaces with a proxy each that stand for them: as many identities. */
const carrierCount = 4;
const perCarrier = podCount / carrierCount;
/** What is left in the end: few enough that each of them is called within seconds. */
const fewCount = 10;
/** A proxy has one for each protocol of a target, and steady calls speak two. */
const balancers = 2;
/** A thousand connections with TLS handshakes at both ends, on a machine that does other things too; calls wait meanwhile. */
const connectedWithinMs = 60_000;
/** Calls after which it is said where calls go. */
const sample = 300;

/** A pod that really is there, and the addresses that it answers for: each is a pod's, with an object of its own. */
interface Carrier {
  readonly pod: Pod;
  readonly account: string;
  readonly addresses: readonly string[];
}

export const serviceOfManyPods = (): Scenario => ({
  part: 'size',
  title: `a Service of ${podCount} pods with ${carrierCount} identities: the proxy balances over all of them, and calls nobody who was removed`,
  run: (mesh, observer) =>
    Fixture.play({ mesh, observer, ports: { http: 8080 } }, async (fixture) => {
      const caller = await fixture.pod('frontend', { serviceAccount: steadyAccount });
      const carriers: Carrier[] = [];
      for (let index = 0; index < carrierCount; index += 1) {
        carriers.push(await startCarrier(fixture, { index, caller }));
      }
      const service = new ManyPods(fixture, { caller, carriers });
      await fixture.put(allow(fixture.namespace, { from: 'frontend', to: 'backend', ports: [8080] }));
      await fixture.until(caller, fixture.toService(8080), '200');
      const [spare = '', ...most] = carriers.flatMap(({ addresses }) => addresses.slice(1));
      const took: string[] = [];
      const calls = await callsUnder(
        fixture,
        caller,
        async () => {
          const [removed = ''] = most;
          took.push(`all but one connected after ${await service.shrinkOrGrowTo([...most])} ms`);
          took.push(`one more ${await service.shrinkOrGrowTo([spare, ...most])} ms`);
          await service.assertCallsGoOnlyTo([spare, ...most]);
          took.push(`one less ${await service.shrinkOrGrowTo([spare, ...most.slice(1)])} ms`);
          await service.assertCallsGoOnlyTo([spare, ...most.slice(1)]);
          const half = [spare, ...most.slice(podCount / 2)];
          took.push(`half ${await service.shrinkOrGrowTo(half)} ms`);
          await service.assertCallsGoOnlyTo(half);
          // The one that came last is among few, and so is the one that was taken out: it came back.
          const few = [spare, removed, ...most.slice(-fewCount)];
          took.push(`few ${await service.shrinkOrGrowTo(few)} ms`);
          await service.assertAllAreCalled(few);
        },
        { timeoutMs: connectedWithinMs },
      );
      const opened = await caller.metrics();
      for (const { pod } of carriers) {
        const labels = { direction: 'outbound', peer: 'dst', tls: 'true', server_id: pod.identity };
        observer.check('proxy', () =>
          assert.ok(total(opened, 'tcp_open_total', labels) >= fewCount, `connections to ${pod.identity}`),
        );
      }
      const intruder = await fixture.pod('intruder');
      await fixture.expect(intruder, fixture.toService(8080), refused());
      return `${calls}; ${took.join(', ')} after the change`;
    }),
});

const startCarrier = async (
  fixture: Fixture,
  { index, caller }: { readonly index: number; readonly caller: Pod },
): Promise<Carrier> => {
  const network = `10.99.${8 + index}`;
  const lent = Array.from({ length: perCarrier - 1 }, (_, at) => `${network}.${at + 1}`);
  const account = `backend-${index}`;
  const pod = await fixture.pod('backend', {
    name: `carrier-${index}`,
    serviceAccount: account,
    ports: { http: 8080 },
    moreAddresses: lent,
  });
  fixture.mesh.lend(`${network}.0/24`, { to: pod, from: caller });
  return { pod, account, addresses: [pod.address, ...lent] };
};

/** The objects of a Service's pods, and what becomes of them at a caller's proxy and at the applications. */
class ManyPods {
  readonly #fixture: Fixture;
  readonly #caller: Pod;
  readonly #carriers: readonly Carrier[];

  constructor(
    fixture: Fixture,
    { caller, carriers }: { readonly caller: Pod; readonly carriers: readonly Carrier[] },
  ) {
    this.#fixture = fixture;
    this.#caller = caller;
    this.#carriers = carriers;
  }

  /** Makes the pods at these addresses all that there are, besides the carriers; answers when the caller's proxy has connected. */
  async shrinkOrGrowTo(addresses: readonly string[]): Promise<number> {
    const { mesh, namespace } = this.#fixture;
    const since = performance.now();
    for (const { account, addresses: own } of this.#carriers) {
      const present = own.slice(1).filter((address) => addresses.includes(address));
      const options = {
        namespace,
        labels: { app: 'backend' },
        serviceAccount: account,
        ports: { http: 8080 },
      };
      await mesh.put(
        `pods-${namespace}-${account}`,
        ...present.map((address) =>
          podManifest({ ...options, name: `at-${address.replaceAll('.', '-')}` }, [address]),
        ),
      );
    }
    const count = balancers * (addresses.length + this.#carriers.length);
    const endpoints = async (state: Readonly<Record<string, string>>): Promise<number> =>
      total(await this.#caller.metrics(), 'outbound_http_balancer_endpoints', {
        parent_namespace: namespace,
        ...state,
      });
    await eventually(
      `${count} endpoints, all connected`,
      async () => {
        const known = [await endpoints({}), await endpoints({ endpoint_state: 'ready' })];
        if (known.every((one) => one === count)) return true;
        throw new Error(`there are ${known.join(', connected ')}`);
      },
      connectedWithinMs,
    );
    const left = await endpoints({});
    this.#fixture.observer.check('proxy', () => assert.equal(left, count));
    return Math.round(performance.now() - since);
  }

  async assertCallsGoOnlyTo(addresses: readonly string[]): Promise<void> {
    const right = new Set([...addresses, ...this.#carriers.map(({ pod }) => pod.address)]);
    // What was on its way when the last endpoint left has arrived before that many more.
    await this.#called(50, await this.#sightings());
    const called = await this.#called(sample, await this.#sightings());
    const wrong = [...called.keys()].filter((address) => !right.has(address));
    this.#fixture.observer.check('application', () =>
      assert.deepEqual(wrong, [], 'addresses that are no endpoints'),
    );
  }

  async assertAllAreCalled(addresses: readonly string[]): Promise<void> {
    await this.assertCallsGoOnlyTo(addresses);
    const before = await this.#sightings();
    const all = [...addresses, ...this.#carriers.map(({ pod }) => pod.address)];
    const called = await eventually(`calls at all ${all.length} endpoints`, async () => {
      const sofar = await this.#called(1, before);
      const missing = all.filter((address) => !sofar.has(address));
      if (missing.length === 0) return sofar;
      throw new Error(`none at ${missing.join(' ')}`);
    });
    this.#fixture.observer.check('application', () =>
      assert.deepEqual([...called.keys()].toSorted(), all.toSorted()),
    );
  }

  /** Which addresses were called, once there have been at least so many calls since. */
  async #called(count: number, before: ReadonlyMap<string, number>): Promise<ReadonlyMap<string, number>> {
    return eventually(`${count} calls`, async () => {
      const called = new Map<string, number>();
      for (const [address, times] of await this.#sightings()) {
        const more = times - (before.get(address) ?? 0);
        if (more > 0) called.set(address, more);
      }
      const sum = [...called.values()].reduce((all, one) => all + one, 0);
      return sum >= count ? called : undefined;
    });
  }

  async #sightings(): Promise<ReadonlyMap<string, number>> {
    const sums = new Map<string, number>();
    const asked = this.#carriers.map(({ pod }) => pod.hand.ask({ kind: 'sightings' }));
    const sightings = (await Promise.all(asked)).flat();
    for (const { at, count } of sightings) sums.set(at, (sums.get(at) ?? 0) + count);
    return sums;
  }
}
