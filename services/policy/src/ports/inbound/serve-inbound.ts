import { GatehouseError } from '@gatehouse/core/error';
import { isPort } from '@gatehouse/core/port-set';
import { type Problem, printProblem } from '@gatehouse/core/problem';
import type { Methods, StreamCall } from '@gatehouse/platform/grpc/transport';
import { PortSpec } from '@gatehouse/wire/gen/io/linkerd/proxy/inbound';
import type { WorkloadPort } from '../../core/inbound/rows/inbound-rows.ts';
import { readWorkload } from '../../core/inbound/workload-name.ts';
import type { PolicyWatch } from '../policy-watch.ts';
import type { RowStreams } from '../row-streams.ts';

const service = '/io.linkerd.proxy.inbound.InboundServerPolicies';

export interface InboundParts {
  readonly watch: Pick<PolicyWatch, 'knows' | 'look' | 'follow' | 'requireReady' | 'settle'>;
  readonly streams: RowStreams;
}

/** What proxies ask about their own ports (`contract/proxy.md` §1.5). */
export const inboundMethods = (parts: InboundParts): Methods => ({
  [`${service}/GetPort`]: {
    kind: 'unary',
    handle: async ({ request, signal }) => {
      const asked = readPortSpec(request);
      requireKnown(asked, parts);
      const answer = await parts.watch.look(asked, signal);
      if (answer === undefined) throw unknownWorkload(asked);
      return answer.encoded.bytes;
    },
  },
  [`${service}/WatchPort`]: {
    kind: 'server-stream',
    open: (call) => {
      const asked = readPortSpec(call.request);
      requireKnown(asked, parts);
      watchPort(call, asked, parts);
    },
  },
});

/** Nobody is told a row made of half the cluster, nor that something does not exist which a burst still holds back. */
const requireKnown = (asked: WorkloadPort, { watch }: InboundParts): void => {
  watch.requireReady();
  if (!watch.knows(asked)) watch.settle();
  if (!watch.knows(asked)) throw unknownWorkload(asked);
};

const watchPort = (call: StreamCall, asked: WorkloadPort, { watch, streams }: InboundParts): void => {
  const stream = streams.openInbound(call, asked);
  const following = watch.follow(asked, stream);
  if (following === undefined) throw unknownWorkload(asked);
  stream.holds(following.release);
};

/**
 * InvalidArgument ends a proxy's watch until its process restarts (`contract/proxy.md` §0 row 5). The proxy's workload
 * text and ports come from its environment and never change, so what cannot be read here never can; it is refused as
 * Linkerd refuses it. Whatever can be read may come to exist, and is NotFound, which the proxy keeps asking about.
 */
const readPortSpec = (request: Uint8Array): WorkloadPort => {
  const spec = decode(request);
  const workload = readWorkload(spec.workload);
  if (!workload.ok)
    throw invalid(`Invalid workload: ${workload.problems.map(printProblem).join('; ')}`, workload.problems);
  if (!isPort(spec.port)) throw invalid(`Invalid port: ${spec.port}`, []);
  const { kind, namespace, name } = workload.value;
  switch (kind) {
    case 'pod':
      return { namespace, pod: name, port: spec.port };
    case 'external-workload':
      return { kind, namespace, pod: name, port: spec.port };
  }
};

const decode = (request: Uint8Array): PortSpec => {
  try {
    return PortSpec.decode(request);
  } catch (cause) {
    throw new GatehouseError('invalid-argument', 'the request is not a valid PortSpec message', { cause });
  }
};

const invalid = (message: string, problems: readonly Problem[]): GatehouseError =>
  new GatehouseError('invalid-argument', message, { details: { problems } });

const unknownWorkload = ({ kind, namespace, pod }: WorkloadPort): GatehouseError => {
  const what = kind === undefined ? 'meshed pod' : 'ExternalWorkload';
  return new GatehouseError('not-found', `unknown server: no ${what} ${namespace}/${pod} is known`);
};
