import { printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { limitedLog } from '@gatehouse/platform/log/limited-log';
import type { Log } from '@gatehouse/platform/log/log';
import type { Metrics } from '@gatehouse/platform/metrics/metrics';
import type { OnSuspicious } from './issued.ts';

/** Counts and tells the certificates of keys that their pods had left. */
export const countOlderKeys = (metrics: Metrics, log: Log): OnSuspicious => {
  const counter = metrics.counter({
    name: 'gatehouse_identity_older_keys_total',
    help: 'Certificates for an older key of a pod that already had one for a newer key: two processes hold keys of the pod.',
  });
  // The holder of such a key may ask without end; all its certificates are in /v1/certificates?suspicious=true.
  const say = limitedLog((fields, message) => log.warn(fields, message));
  return ({ identity, pod, serial, spkiSha256, suspicious }) => {
    counter.inc();
    say(
      {
        identity: printIdentity(identity),
        pod,
        serial,
        spkiSha256,
        newerSpkiSha256: suspicious?.newerSpkiSha256,
      },
      'a pod goes on with an older key than its newest: two hold keys of this pod, one of them may be stolen',
    );
  };
};
