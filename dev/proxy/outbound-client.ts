import type { Socket } from 'node:net';
import { connectionId } from './connection-id.ts';
import { printTarget } from './discovery.ts';
import { leadsSomewhere } from './outbound-request.ts';
import type { OutboundTarget } from './outbound-target.ts';
import type { Lease, TargetCache } from './target-cache.ts';

/** What an application's connection holds: a lease for each target it went to, for as long as it is open. */
export class OutboundClient {
  readonly connection: string;
  readonly gone = new AbortController();
  readonly #targets: TargetCache;
  readonly #leases = new Map<string, Lease>();

  constructor(socket: Socket, targets: TargetCache) {
    this.connection = connectionId(socket, 'server');
    this.#targets = targets;
    socket.once('close', () => {
      this.gone.abort();
      for (const lease of this.#leases.values()) lease.release();
    });
  }

  lease(target: OutboundTarget): Lease {
    const key = printTarget(target);
    const lease = this.#leases.get(key) ?? this.#targets.acquire(target);
    this.#leases.set(key, lease);
    return lease;
  }

  /**
   * To be called when something has been sent. What led nowhere is not held on to: nobody using it for a while, it is
   * asked for again, and may have come to be (contract/proxy.md §2.1).
   */
  sent(target: OutboundTarget): void {
    const key = printTarget(target);
    const lease = this.#leases.get(key);
    if (lease === undefined || leadsSomewhere(lease)) return;
    lease.release();
    this.#leases.delete(key);
  }
}
