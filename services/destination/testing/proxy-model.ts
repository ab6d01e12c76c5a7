import assert from 'node:assert/strict';
import { printIp } from '@gatehouse/core/ip-network';
import { Update, type WeightedAddr } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { TcpAddress } from '@gatehouse/wire/gen/io/linkerd/proxy/net';
import { decodeIp } from '@gatehouse/wire/ip';

/** What the proxy takes in one message: 4 MiB, tonic's default. */
const mostBytes = 4 * 1024 * 1024;

/** The endpoints that linkerd2-proxy has after the messages of one Get stream (`contract/proxy.md` §1.3). */
export class ProxyModel {
  readonly pool = new Map<string, WeightedAddr>();
  /** `none` after no_endpoints{exists: false}. */
  state: 'waiting' | 'exists' | 'none' = 'waiting';
  #isFirst = true;

  take(message: Uint8Array): void {
    assert.ok(message.length <= mostBytes, 'a proxy refuses a message beyond 4 MiB');
    const { update } = Update.decode(message);
    switch (update?.$case) {
      case 'add':
        if (update.value.addrs.length === 0) return;
        if (this.#isFirst) this.pool.clear();
        for (const addr of update.value.addrs) {
          const metricLabels = { ...update.value.metricLabels, ...addr.metricLabels };
          this.pool.set(keyOf(addr.addr), { ...addr, metricLabels });
        }
        this.state = 'exists';
        break;
      case 'remove':
        assert.equal(this.#isFirst, false, 'a stream may not begin with a remove');
        for (const addr of update.value.addrs) this.pool.delete(keyOf(addr));
        break;
      case 'noEndpoints':
        this.pool.clear();
        this.state = update.value.exists ? 'exists' : 'none';
        break;
      case undefined:
        return;
    }
    this.#isFirst = false;
  }

  get keys(): readonly string[] {
    return [...this.pool.keys()].sort();
  }
}

const keyOf = (address: TcpAddress | undefined): string => {
  const ip = decodeIp(address?.ip);
  return ip === undefined || address === undefined
    ? assert.fail('no address')
    : `${printIp(ip)} ${address.port}`;
};
