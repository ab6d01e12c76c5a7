import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { WorkloadIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { ServingLeafOptions } from '@gatehouse/platform/own-leaf/serving-leaf';
import type { Certified, ProvedWorkload } from '../../certify/certify.ts';

const makeKeys = promisify(generateKeyPair);

/**
 * How identity obtains the certificate that it serves with: it issues it to itself. There is nobody to prove anything to;
 * this is the process that holds the issuer's key.
 */
export const mintFor =
  (
    identity: WorkloadIdentity,
    issue: (workload: ProvedWorkload) => Promise<Certified>,
  ): ServingLeafOptions['obtain'] =>
  async (trustAnchors) => {
    const { publicKey, privateKey: key } = await makeKeys('ec', { namedCurve: 'P-256' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const issued = await issue({ identity, spki, pod: undefined });
    return {
      key,
      chain: [issued.leaf, ...issued.intermediates],
      trustAnchors,
      validFrom: issued.validFrom * 1000,
      validUntil: issued.validUntil * 1000,
    };
  };
