import assert from 'node:assert/strict';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { printProblem } from '@gatehouse/core/problem';
import type { GrpcClient } from '@gatehouse/platform/grpc/client';
import { checkProxyRegex } from '@gatehouse/platform/kube/parse/proxy-regex';
import { decodeInbound } from '@gatehouse/wire/decode-inbound';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import { type Followed, follow } from './followed-stream.ts';

export const inboundService = '/io.linkerd.proxy.inbound.InboundServerPolicies';

/** As a proxy names it. */
export const workload = '{"ns":"demo","pod":"backend-0"}\n';

export const decodeServer = (bytes: Uint8Array): InboundServer => {
  const outcome = decodeInbound(bytes, checkProxyRegex);
  if (!outcome.ok) assert.fail(outcome.problems.map(printProblem).join());
  return outcome.value;
};

/** The stream of the proxy of backend-0 about port 8080, unless the test says which. */
export const watchPort = (
  client: GrpcClient,
  spec: { workload?: string; port?: number } = {},
): Followed<InboundServer> =>
  follow(client, `${inboundService}/WatchPort`, {
    request: PortSpec.encode({ workload, port: 8080, ...spec }).finish(),
    decode: decodeServer,
  });
