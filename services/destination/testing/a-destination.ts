import assert from 'node:assert/strict';
import { asGatehouseError } from '@gatehouse/core/error';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Clock } from '@gatehouse/platform/process/clock';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { GetDestination } from '@gatehouse/wire/gen/io/linkerd/proxy/destination';
import type { ClusterSettings } from '../src/core/cluster.ts';
import { DestinationServer } from '../src/ports/serve.ts';
import { ClusterWatch } from '../src/ports/watch.ts';
import { settings } from './a-cluster.ts';
import { FakeCall } from './fake-call.ts';

const service = '/io.linkerd.proxy.destination.Destination';

export interface Ask {
  readonly path: string;
  readonly contextToken?: string;
}

/** Destination on a fake source, without a socket: every change is settled before the call that made it returns. */
export const aDestination = (...objects: readonly KubeObject[]) => aDestinationWith({}, ...objects);

/** The same with other settings. */
export const aDestinationWith = (said: Partial<ClusterSettings>, ...objects: readonly KubeObject[]) => {
  const source = new FakeSource(...objects);
  const abort = new AbortController();
  const watch = new ClusterWatch({ ...settings, ...said }, inNoHurry());
  const server = new DestinationServer(watch, () => 1_700_000_000_000);
  const open = (method: 'Get' | 'GetProfile', request: Uint8Array): FakeCall => {
    const call = new FakeCall(request);
    const handler = server.methods[`${service}/${method}`];
    try {
      if (handler?.kind === 'server-stream') handler.open(call);
    } catch (thrown) {
      const { code, message } = asGatehouseError(thrown);
      call.end({ code, message });
    }
    return call;
  };
  return {
    source,
    watch,
    server,
    /** Lists the source for the first time. */
    start: () => {
      void watch.run(source, abort.signal);
    },
    stop: () => abort.abort(),
    ask: (method: 'Get' | 'GetProfile', { path, contextToken = '' }: Ask) =>
      open(method, GetDestination.encode({ scheme: '', path, contextToken }).finish()),
    askRaw: open,
  };
};

/** A clock on which so much time passes between any two looks that nothing ever comes in a burst. */
const inNoHurry = (): Clock => {
  let now = 0;
  return {
    now: () => {
      now += 1_000;
      return now;
    },
    after: () => assert.fail('nothing waits'),
    soon: () => assert.fail('nothing waits'),
  };
};

/** Until the queue of first messages has had its turns. */
export const admitted = async (server: DestinationServer): Promise<void> => {
  while (server.load.waiting > 0) await new Promise((resolve) => setImmediate(resolve));
};
