import type { Answers } from '../agent/messages.ts';
import type { Pod } from '../rig/pod.ts';
import { total } from '../rig/proxy-metrics.ts';

type Shown = Answers['certificate'];

/** The certificate that a pod's proxy shows to a client: what is on the wire, not what a service says of it. */
export const leafShownBy = (
  onlooker: Pod,
  { address: host, identity: serverName }: Pick<Pod, 'address' | 'identity'>,
): Promise<Shown> => onlooker.hand.ask({ kind: 'certificate', host, port: 8080, serverName });

/** A certificate is good through the whole second that it names (RFC 5280 4.1.2.5). */
const lastSecondMs = 1_000;

/** Whether none of these leaves is worth anything any more. */
export const haveExpired = (leaves: readonly LeafTimes[]): boolean =>
  leaves.every(({ expiresAt }) => Date.now() > expiresAt + lastSecondMs);

export interface LeafTimes {
  /** How many certificates the proxy has taken. */
  readonly taken: number;
  /** Epoch milliseconds. */
  readonly takenAt: number;
  readonly expiresAt: number;
}

/** What a proxy says of its own certificate. */
export const leafTimes = async (pod: Pod): Promise<LeafTimes> => {
  const samples = await pod.metrics();
  const seconds = (name: string): number => 1_000 * total(samples, name, {});
  return {
    taken: total(samples, 'control_identity_cert_refreshes_total', { result: 'ok' }),
    takenAt: seconds('control_identity_cert_refresh_timestamp_seconds'),
    expiresAt: seconds('control_identity_cert_expiration_timestamp_seconds'),
  };
};
