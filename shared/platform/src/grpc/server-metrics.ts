import type { StrangerLog } from '../log/stranger-log.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { Acceptor, Refusal } from './acceptor.ts';
import type { CallGuard, CallRefusal } from './call-guard.ts';
import type { ServerLimits } from './server-limits.ts';

export interface Measured {
  readonly acceptor: Acceptor;
  readonly guard: CallGuard;
  readonly limits: ServerLimits;
}

/** Registers what a server tells of its connections and calls; the values are read at each scrape. */
export const measureServer = (metrics: Metrics, { acceptor, guard, limits }: Measured): void => {
  metrics.gauge({
    name: 'grpc_server_connections',
    help: 'Connections that are open now, those in a handshake included.',
    collect() {
      this.set(acceptor.connections);
    },
  });
  metrics.gauge({
    name: 'grpc_server_calls',
    help: 'Calls that are open now, streams included, their requests whole or not.',
    collect() {
      this.set(guard.open);
    },
  });
  metrics.gauge({
    name: 'grpc_server_calls_waiting',
    help: 'Calls that wait for their turn to be opened, since very many came at once.',
    collect() {
      this.set(guard.waiting);
    },
  });
  metrics.gauge({
    name: 'grpc_server_limit',
    help: 'What may be open at once: `connections`, `calls`, and calls `per_address` and `per_connection`.',
    labelNames: ['of'],
    collect() {
      this.set({ of: 'connections' }, limits.connections);
      this.set({ of: 'calls' }, limits.all);
      this.set({ of: 'per_address' }, limits.perAddress);
      this.set({ of: 'per_connection' }, limits.perConnection);
    },
  });
  metrics.gauge({
    name: 'grpc_server_handshakes',
    help: 'Connections whose handshake is not done, by state: `silent` without a ClientHello, `waiting` for a place, `running`, or `slow` while the client lets us wait.',
    labelNames: ['state'],
    collect() {
      if (acceptor.handshakes === undefined) return;
      const { limit: _, ...states } = acceptor.handshakes;
      for (const [state, count] of Object.entries(states)) this.set({ state }, count);
    },
  });
  metrics.gauge({
    name: 'grpc_server_handshakes_limit',
    help: 'TLS handshakes that may run at once now; it follows how long they take.',
    collect() {
      if (acceptor.handshakes !== undefined) this.set(acceptor.handshakes.limit);
    },
  });
};

/**
 * Why a connection carried no call: `no-call` sent something that is not HTTP/2. `unused` spoke HTTP/2 and was closed again, as the
 * proxy's balancer does, which connects to every replica and calls one.
 */
export type ConnectionEnd = Refusal | 'no-call' | 'unused';

/**
 * Ends that healthy clients and probes cause by the second, and those of a service that starts, which says why it is not ready: worth
 * a number, not a line.
 */
const usual: ReadonlySet<ConnectionEnd> = new Set<ConnectionEnd>(['hung-up', 'unused', 'no-certificate']);

/** Counts connections that ended before a call, and logs some of them: strangers decide how many there are. */
export const connectionRefusals = (strangers: StrangerLog, metrics: Metrics) => {
  const counter = metrics.counter({
    name: 'grpc_server_connections_refused_total',
    help: 'Connections that ended before a call or made room for others, by reason.',
    labelNames: ['reason'],
  });
  return (reason: ConnectionEnd, error: Error | undefined, client: string): void => {
    counter.inc({ reason });
    if (usual.has(reason)) return;
    strangers.say(
      'warn',
      { reason, client, ...(error === undefined ? {} : { err: error }) },
      'a connection ended before a call',
    );
  };
};

/** The same for calls that a bound refused. */
export const callRefusals = (strangers: StrangerLog, metrics: Metrics) => {
  const counter = metrics.counter({
    name: 'grpc_server_calls_refused_total',
    help: 'Calls that a bound refused or ended, by reason.',
    labelNames: ['reason'],
  });
  return (reason: CallRefusal, client: string): void => {
    counter.inc({ reason });
    strangers.say(
      'warn',
      { reason, client },
      'a call was refused: too many are open, or it was too large or too slow',
    );
  };
};
