import { parseHostPort } from '@gatehouse/shared/core/host-port';
import { startWorkload } from './workload.ts';

// Usage: node workload-main.ts NAME 127.0.0.1:PORT… ; prints where it listens as one line of JSON.
const [name = '', ...addresses] = process.argv.slice(2);
const listen = addresses.map((address) => parseHostPort(address));
if (name === '' || listen.length === 0 || listen.some((one) => !one.ok)) {
  process.stderr.write('usage: workload-main.ts NAME HOST:PORT [HOST:PORT …]\n');
  process.exit(2);
}
const workload = await startWorkload({ name, listen: listen.flatMap((one) => (one.ok ? [one.value] : [])) });
process.stdout.write(`${JSON.stringify({ workload: name, addresses: workload.addresses })}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void workload.stop());
