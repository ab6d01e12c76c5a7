import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { type ControlPlane, subscribe } from './control-plane.ts';
import { type PortPolicy, readRow, summarize } from './port-policy.ts';

/**
 * Follows what the control plane says of one port until `signal` aborts. What was received stays in force while the
 * policy service is away; InvalidArgument and FailedPrecondition end the watch for good (contract/proxy.md §0 row 5).
 */
export const watchPort = async (
  plane: ControlPlane,
  { port, row }: PortPolicy,
  signal: AbortSignal,
): Promise<void> => {
  const { config, log, checkRegex } = plane;
  await subscribe(
    plane,
    {
      service: 'policy',
      path: '/io.linkerd.proxy.inbound.InboundServerPolicies/WatchPort',
      request: PortSpec.encode({ workload: config.policyWorkload, port }).finish(),
      target: String(port),
      onMessage: (message) => {
        const next = readRow(message, (bytes) => decodeInbound(bytes, checkRegex), Date.now());
        row.set(next);
        const { origin, server } = next;
        if (origin.kind === 'pushed') log({ event: 'row', port, hash: origin.hash, row: summarize(server) });
        if (origin.kind === 'invalid') {
          log({ event: 'row-invalid', port, hash: origin.hash, reason: origin.reason });
        }
      },
    },
    signal,
  );
};
