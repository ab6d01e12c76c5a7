import { setTimeout as sleep } from 'node:timers/promises';
import { GetDestination, Update } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import { type ControlPlane, subscribe } from './control-plane.ts';
import { DialError, type DialOptions } from './dial.ts';
import { applyUpdate, type Endpoint, type EndpointSet } from './endpoints.ts';
import { Latest } from './latest.ts';
import { createUpstream, type Upstream } from './upstream.ts';

/** Nothing could be reached within the failfast time: HTTP 504, or the connection closed (contract/proxy.md §1.3). */
export class Failfast extends Error {}

/** Kept connections to whatever answers for one target. */
export interface Balancer {
  /** Runs `work` with an endpoint, and with another if it could not be connected to, until the failfast time is over. */
  use<T>(work: (upstream: Upstream) => Promise<T>): Promise<T>;
  readonly endpoints: readonly Endpoint[];
  close(): Promise<void>;
}

const failfastMs = 3_000;
const retryMs = 100;

const keyOf = ({ address, identity, http2 }: Endpoint): string =>
  JSON.stringify([address.host, address.port, identity?.name, identity?.serverName, http2]);

/** Of two taken at random the one with less under way. */
const pick = (upstreams: readonly Upstream[], random: () => number): Upstream | undefined => {
  const at = (): Upstream | undefined => upstreams[Math.floor(random() * upstreams.length)];
  const [one, other] = [at(), at()];
  return one !== undefined && other !== undefined && other.pending < one.pending ? other : one;
};

const balance = (
  endpoints: Latest<EndpointSet | undefined>,
  dialOptions: DialOptions,
  random: () => number,
): Balancer => {
  const upstreams = new Map<string, Upstream>();
  const adopt = (set: EndpointSet | undefined): void => {
    const wanted = new Map([...(set ?? [])].map(([, endpoint]) => [keyOf(endpoint), endpoint]));
    for (const [key, upstream] of upstreams) {
      if (wanted.has(key)) continue;
      upstreams.delete(key);
      upstream.retire();
    }
    for (const [key, endpoint] of wanted) {
      if (!upstreams.has(key)) upstreams.set(key, createUpstream(endpoint, dialOptions));
    }
  };
  adopt(endpoints.value);
  const unsubscribe = endpoints.subscribe(adopt);
  return {
    get endpoints() {
      return [...upstreams.values()].map(({ endpoint }) => endpoint);
    },
    use: async (work) => {
      const deadline = performance.now() + failfastMs;
      let last = 'no endpoint is known';
      for (;;) {
        const upstream = pick([...upstreams.values()], random);
        try {
          if (upstream !== undefined) return await work(upstream);
        } catch (error) {
          if (!(error instanceof DialError)) throw error;
          last = error.message;
        }
        if (performance.now() + retryMs >= deadline) throw new Failfast(`failfast: ${last}`);
        await sleep(retryMs);
      }
    },
    close: async () => {
      unsubscribe();
      for (const upstream of upstreams.values()) upstream.close();
      upstreams.clear();
    },
  };
};

/** A balancer over one endpoint that is known already. */
export const balanceOne = (endpoint: Endpoint, options: DialOptions): Balancer =>
  balance(new Latest<EndpointSet | undefined>(new Map([['', endpoint]])), options, () => 0);

/** A balancer over what Destination.Get says of an authority (`name:port`), now and later. */
export const balanceAuthority = (
  plane: ControlPlane,
  authority: string,
  dialOptions: DialOptions,
): Balancer => {
  const abort = new AbortController();
  const endpoints = new Latest<EndpointSet | undefined>(undefined);
  const { destinationContext } = plane.config;
  let fresh = true;
  const get = async (): Promise<void> => {
    await subscribe(
      plane,
      {
        service: 'destination',
        path: '/io.linkerd.proxy.destination.Destination/Get',
        request: GetDestination.encode({
          scheme: '',
          path: authority,
          contextToken: destinationContext,
        }).finish(),
        target: authority,
        onReopen: () => {
          fresh = true;
        },
        onMessage: (message) => {
          const next = applyUpdate(endpoints.value ?? new Map(), Update.decode(message), fresh);
          // An update that is ignored does not count as a stream's first.
          if (next === undefined) return;
          fresh = false;
          endpoints.set(next);
          plane.log({
            event: 'endpoints',
            target: authority,
            endpoints: [...next].map(([address, { identity }]) => ({ address, identity: identity?.name })),
          });
        },
      },
      abort.signal,
    );
  };
  const running = get();
  const balancer = balance(endpoints, dialOptions, plane.random);
  return {
    ...balancer,
    get endpoints() {
      return balancer.endpoints;
    },
    close: async () => {
      abort.abort();
      await Promise.all([balancer.close(), running]);
    },
  };
};
