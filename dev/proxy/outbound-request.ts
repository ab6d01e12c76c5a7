import { Failfast } from './balancer.ts';
import { connectionHeader } from './connection-id.ts';
import type { ControlPlane } from './control-plane.ts';
import { DialError } from './dial.ts';
import { printTarget, type TargetPolicy } from './discovery.ts';
import type { Endpoint } from './endpoints.ts';
import { emptyAnswer, type HttpAnswer, type HttpRequest, withHeader } from './http-message.ts';
import { isSet } from './latest.ts';
import { chooseRule, chooseWay, type Way } from './outbound-row.ts';
import type { OutboundTarget } from './outbound-target.ts';
import type { Lease } from './target-cache.ts';

type Known = Exclude<TargetPolicy, { readonly kind: 'unknown' }>;

const isKnown = (policy: TargetPolicy): policy is Known => policy.kind !== 'unknown';

/** What is to be sent: a request, or a raw connection. */
export type Traffic = { readonly kind: 'http'; readonly request: HttpRequest } | { readonly kind: 'tcp' };

/** What a target with no policy gets: the pod that the profile names, else the address itself in plaintext. */
const withoutPolicy = (target: OutboundTarget, endpoint: Endpoint | undefined): Way => {
  if (endpoint !== undefined) return { kind: 'forward', endpoint };
  return target.kind === 'address'
    ? { kind: 'forward', endpoint: { address: target.at, identity: undefined, http2: false } }
    : { kind: 'refuse', status: 502, reason: `the control plane knows no Service ${target.authority}` };
};

/** Waits for what the control plane says of the target, without a bound, and decides where its traffic goes. */
export const findWay = async (
  traffic: Traffic,
  {
    target,
    lease,
    plane,
  }: { readonly target: OutboundTarget; readonly lease: Lease; readonly plane: ControlPlane },
  signal: AbortSignal,
): Promise<Way> => {
  const { discovery } = lease;
  const policy = await discovery.policy.when(isKnown, signal);
  switch (policy.kind) {
    case 'invalid':
      return { kind: 'refuse', status: 500, reason: `invalid client policy configuration: ${policy.reason}` };
    case 'none': {
      const { endpoint } = await discovery.profile.when(isSet, signal);
      return withoutPolicy(target, endpoint);
    }
    case 'row': {
      if (traffic.kind === 'tcp') return chooseWay(policy.row.tcp, plane.random());
      const { version, method, path, authority, headers } = traffic.request;
      const named = headers.map(([name, value]) => ({ name, value }));
      const request = { version, method, target: path, host: authority, headers: named };
      if (policy.row.opaque) return chooseWay(policy.row.tcp, plane.random());
      return chooseWay(chooseRule(policy.row, request, plane.matchesRegex), plane.random());
    }
  }
};

/** Whether bytes to the target may be looked at for HTTP. */
export const mayDetect = async ({ discovery }: Lease, signal: AbortSignal): Promise<boolean> => {
  const policy = await discovery.policy.when(isKnown, signal);
  const profile = await discovery.profile.when(isSet, signal);
  return !profile.opaque && !(policy.kind === 'row' && policy.row.opaque);
};

/** False for a name without a Service, a policy that cannot be read: there is nothing that is worth keeping. */
export const leadsSomewhere = ({ discovery }: Lease): boolean =>
  discovery.policy.value.kind === 'row' || discovery.profile.value?.endpoint !== undefined;

const refusal = (status: number, reason: string): HttpAnswer =>
  emptyAnswer(status, [['l5d-proxy-error', reason.replace(/[^\x20-\x7e]+/g, ' ')]]);

const failureOf = (error: unknown): { readonly status: number; readonly reason: string } => {
  const reason = error instanceof Error ? error.message : String(error);
  return { status: error instanceof Failfast || error instanceof DialError ? 504 : 502, reason };
};

export interface OutboundContext {
  readonly plane: ControlPlane;
  readonly target: OutboundTarget;
  readonly lease: Lease;
  /** The application's own connection to us. */
  readonly connection: string;
}

/** Sends one request of the pod's application to where the control plane says, and tells which connection carried it. */
export const sendOutbound = async (request: HttpRequest, context: OutboundContext): Promise<HttpAnswer> => {
  const { plane, target, lease, connection } = context;
  let upstreamConnection: string | undefined;
  let identity: string | undefined;
  const attempt = async (): Promise<{ readonly answer: HttpAnswer; readonly reason: string | undefined }> => {
    const way = await findWay({ kind: 'http', request }, context, request.signal);
    if (way.kind === 'refuse') return { answer: refusal(way.status, way.reason), reason: way.reason };
    const answer = await lease
      .balancer(way.kind === 'balance' ? way : { endpoint: way.endpoint })
      .use(async (upstream) => {
        const sent = await upstream.send(request);
        upstreamConnection = sent.connection;
        identity = upstream.endpoint.identity?.name;
        return sent;
      });
    const headers = withHeader(answer.headers, connectionHeader, upstreamConnection ?? '');
    return { answer: { ...answer, headers }, reason: undefined };
  };
  const { answer, reason } = await attempt().catch((error: unknown) => {
    const failure = failureOf(error);
    return { answer: refusal(failure.status, failure.reason), reason: failure.reason };
  });
  plane.log({
    event: 'outbound-request',
    connection,
    upstream: upstreamConnection,
    target: printTarget(target),
    method: request.method,
    path: request.path,
    status: answer.status,
    identity,
    reason,
  });
  return answer;
};
