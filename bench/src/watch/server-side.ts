import process from 'node:process';
import { startFakeApiServer } from '@gatehouse/dev/api-server/fake-api-server';
import { meshedPod } from './meshed-pod.ts';
import type { ServerOrder, ServerSaid } from './side.ts';

/** A fake API server with so many pods, in a process of its own. */
const [pods = 0] = process.argv.slice(2).map(Number);
const server = await startFakeApiServer({ keepRevisions: 100_000 });
for (let index = 0; index < pods; index += 1) server.put(meshedPod(index));

const say = (said: ServerSaid): void => {
  process.send?.(said);
};

/** Spread over each second in twenty steps, as kubelets do not wait for one another. */
const change = async ({ perSecond, seconds }: ServerOrder): Promise<void> => {
  const steps = 20;
  const begun = performance.now();
  for (let step = 0; step < seconds * steps; step += 1) {
    for (let index = 0; index < perSecond / steps; index += 1) {
      const count = step * (perSecond / steps) + index;
      server.put(meshedPod(count % pods, 1 + Math.floor(count / pods)));
    }
    const next = begun + ((step + 1) * 1000) / steps;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, next - performance.now())));
  }
  say({ kind: 'changed', tookMs: performance.now() - begun });
};

process.on('message', (order: ServerOrder) => void change(order));
process.once('disconnect', () => void server.stop().then(() => process.exit(0)));
say({ kind: 'serving', url: server.url });
