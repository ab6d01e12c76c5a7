import process from 'node:process';
import { runWorkloads, type WorkloadsOptions, type WorkloadsResult } from './workloads.ts';

/** What is asked of this process; the request in base64, since messages between processes are JSON. */
export type Order = Omit<WorkloadsOptions, 'request'> & { readonly request: string };

/** A process of its own for the workloads, so that they take nothing of the server's time but the other core's. */
process.on('message', (order: Order) => {
  const run = async (): Promise<void> => {
    const result: WorkloadsResult = await runWorkloads({
      ...order,
      request: Buffer.from(order.request, 'base64'),
    });
    process.send?.(result);
  };
  void run();
});
process.once('disconnect', () => process.exit(0));
