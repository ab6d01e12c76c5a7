import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import { createLog } from '@gatehouse/platform/log/log';
import { readProxyConfig } from './env.ts';
import { eventLog } from './event-log.ts';
import { type RunningProxy, startProxy } from './proxy.ts';

// Exit codes as linkerd2-proxy's: 64 = the configuration is invalid, 1 = it could not start.
const fail = (thrown: unknown): never => {
  const error = asGatehouseError(thrown);
  const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
  process.stderr.write(`${error.message}${cause}\n`);
  return process.exit(error.code === 'invalid-argument' ? 64 : 1);
};

if (process.platform !== 'linux') {
  // Pods have addresses of their own in 127.0.0.0/8, which only Linux answers for as a whole.
  fail(new GatehouseError('unimplemented', 'the reference proxy runs on Linux only'));
}
let proxy: RunningProxy;
try {
  const config = readProxyConfig(process.env);
  const log = createLog({ service: 'proxy', level: 'info', format: undefined });
  const events = eventLog((line) => process.stdout.write(line), Date.now);
  proxy = await startProxy({ config, events, log });
} catch (error) {
  fail(error);
  throw error;
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void proxy.stop(signal));
// Nothing reads what is told any more: the process that started this proxy is gone.
process.stdout.on('error', () => void proxy.stop('standard output was closed'));
const ended = await proxy.ended;
process.exit(ended.kind === 'stopped' ? 0 : 1);
