import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import process from 'node:process';
import { callBytes, clientPreface } from '@gatehouse/testing/raw-http2';
import { CertifyRequest } from '@gatehouse/wire/gen/io/linkerd/proxy/identity';
import type { Said } from './certify/service-side.ts';
import { certifyPath, csr, workload } from './certify/workload.ts';
import type { RetryRule, WorkloadsResult } from './cold-restart/workloads.ts';
import type { Order } from './cold-restart/workloads-side.ts';
import { hearChild } from './hear-child.ts';

/** As many as are asked for: `node bench/src/cold-restart.ts 1000`. */
const workloads = Number(process.argv[2] ?? 5_000);

/** All of them within the second in which a proxy gives up: spread less, and the clients' one process would be what is measured. */
const proxyRule: RetryRule = { kind: 'proxy', withinMs: 1_000 };

export interface ColdRestart extends WorkloadsResult {
  readonly server: Server;
  readonly rule: RetryRule;
  /** CPU of the server's process. */
  readonly cpuMs: number;
}

type Server = 'gatehouse' | 'bare TLS';

/** Time until the last of 5,000 cold workloads has its certificate, beside bare TLS servers that do only the cryptography. */
export const coldRestart = async (server: Server, rule: RetryRule): Promise<ColdRestart> => {
  const side =
    server === 'gatehouse'
      ? fork(join(import.meta.dirname, 'certify', 'service-side.ts'), ['memory'])
      : fork(join(import.meta.dirname, 'cold-restart', 'bare-side.ts'));
  const clients = fork(join(import.meta.dirname, 'cold-restart', 'workloads-side.ts'));
  try {
    const { port, serverName, trustAnchors, tokens } = await said(side, 'up');
    const message = CertifyRequest.encode({
      identity: workload.identity,
      token: Buffer.from(tokens[0]),
      certificateSigningRequest: Buffer.from(csr),
    }).finish();
    const call = callBytes({ stream: 1, path: certifyPath, message });
    const request = Buffer.concat([clientPreface, call]).toString('base64');
    const ask = async (count: number, as: RetryRule): Promise<WorkloadsResult> => {
      const order: Order = { port, serverName, trustAnchors, request, workloads: count, rule: as };
      const answer = once(clients, 'message');
      clients.send(order);
      return ((await answer) as [WorkloadsResult])[0];
    };
    // Code that never ran is slow: a server that has run for a while is asked.
    await ask(300, { kind: 'patient', atOnce: 16 });
    const before = await cpuOf(side);
    const result = await ask(workloads, rule);
    return { ...result, server, rule, cpuMs: (await cpuOf(side)) - before };
  } finally {
    for (const child of [clients, side]) {
      child.disconnect();
      await once(child, 'exit');
    }
  }
};

const cpuOf = async (child: ChildProcess): Promise<number> => {
  const answer = said(child, 'used');
  child.send('use');
  return (await answer).cpuMs;
};

const said = hearChild<Said>();

const print = (
  { server, rule, lastMs, medianMs, cpuMs, attempts }: ColdRestart,
  floor: ColdRestart,
): string => {
  const cells = [
    `${(lastMs / 1_000).toFixed(1)} s`,
    `${(medianMs / 1_000).toFixed(1)} s`,
    `${(cpuMs / 1_000).toFixed(1)} s`,
    `${(lastMs / floor.lastMs).toFixed(2)} ×`,
    `${(cpuMs / floor.cpuMs).toFixed(2)} ×`,
  ];
  const failed = Object.entries(attempts)
    .filter(([outcome, count]) => outcome !== 'answered' && count > 0)
    .map(([outcome, count]) => `${count} ${outcome}`)
    .join(', ');
  const title = `${server}, ${rule.kind === 'proxy' ? "the proxy's rule" : `${rule.atOnce} at a time`}`;
  return `${title.padEnd(34)}${cells.map((cell) => cell.padStart(10)).join('')}  ${failed}\n`;
};

if (import.meta.main) {
  const heads = ['last', 'median', 'CPU', 'of floor', 'CPU'];
  process.stdout.write(
    `${`${workloads} cold workloads`.padEnd(34)}${heads.map((head) => head.padStart(10)).join('')}\n`,
  );
  const patient: RetryRule = { kind: 'patient', atOnce: 64 };
  for (const rule of [patient, proxyRule]) {
    const floor = await coldRestart('bare TLS', rule);
    process.stdout.write(print(floor, floor));
    process.stdout.write(print(await coldRestart('gatehouse', rule), floor));
  }
}
