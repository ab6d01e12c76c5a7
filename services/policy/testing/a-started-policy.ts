import type { TestContext } from 'node:test';
import { printNetwork } from '@gatehouse/core/ip-network';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { aClock } from '@gatehouse/testing/a-clock';
import { aNetworkAuthenticationPolicy, aPod } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aStreamOf, type FakeStream } from '@gatehouse/testing/fake-stream';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { InboundAnswer } from '../src/core/inbound/rows/row-compiler.ts';
import { aPolicy, type Policy } from './a-policy.ts';

/** The port that is watched and asked about. */
export const port = 80;
export const backend = aPod({ name: 'backend-0', labels: { app: 'backend' } });
export const frontend = (n: number, fields = {}) =>
  aPod({ name: `frontend-${n}`, labels: { app: 'frontend' }, ips: [`10.0.0.${n}`], ...fields });
/** Frontends may call backends. */
export const policy = aNetworkAuthenticationPolicy({ ports: [{ kind: 'range', first: port, last: port }] });

/** A proxy's stream for a pod's port, until the test is over. */
export const open = (
  t: TestContext,
  { methods }: Pick<Policy, 'methods'>,
  pod: string,
  namespace = 'demo',
): FakeStream => {
  // Every byte of it is ASCII, so that it survives as text.
  const request = Buffer.from(PortSpec.encode({ workload: `${namespace}:${pod}`, port }).finish()).toString();
  const stream = aStreamOf(t, request);
  const method = methods['/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort'];
  if (method?.kind === 'server-stream') method.open(stream);
  return stream;
};

/** The policy service on a clock that the test turns; each change is a batch of its own. */
export const started = (
  t: TestContext,
  objects: readonly KubeObject[],
  options: Parameters<typeof aPolicy>[1] & { readonly source?: FakeSource } = {},
) => {
  const clock = aClock();
  const served = aPolicy(t, { clock, now: clock.now, ...options });
  const source = options.source ?? new FakeSource();
  source.put(...objects);
  served.follow(source);
  clock.pass(20);
  /** The row in force, as REST is told it. */
  const answerOf = (pod: string): InboundAnswer | undefined => {
    const asked = { namespace: 'demo', pod, port };
    let heard: InboundAnswer | undefined;
    served.watch.ask(asked, (answer) => {
      heard = answer;
    });
    clock.turn();
    return heard;
  };
  const now = (pod: string): string => Buffer.from(answerOf(pod)?.encoded.bytes ?? []).toString();
  const admitted = (pod: string): readonly string[] =>
    answerOf(pod)?.compiled.server.authorizations.flatMap(({ networks }) =>
      networks.map(({ net }) => printNetwork(net)),
    ) ?? [];
  return { ...served, source, clock, answerOf, now, admitted };
};
