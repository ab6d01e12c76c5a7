import { GatehouseError } from '@gatehouse/core/error';
import { identityOf, type WorkloadIdentity } from '@gatehouse/core/mesh/workload-identity';
import { type Certified, type CertifyRequest, issue } from '../../src/certify/certify.ts';
import { spkiOf } from '../csr-builder.ts';
import type { FuzzedMesh } from './fuzzed-mesh.ts';

export interface CarelessCertifier {
  readonly title: string;
  readonly certify: (request: CertifyRequest) => Promise<Certified>;
}

/** Services with one hole each, which the trials must find: what finds nothing in these proves nothing. */
export const carelessCertifiers = (mesh: FuzzedMesh): readonly CarelessCertifier[] => {
  const { certifier } = mesh;
  /** Issues after all when the reason for the refusal is one that it does not care for. */
  const ignoring =
    (reason: RegExp) =>
    async (request: CertifyRequest): Promise<Certified> => {
      try {
        return await mesh.certify(request);
      } catch (error) {
        if (!(error instanceof GatehouseError) || !reason.test(error.message)) throw error;
        const at = Buffer.from(request.certificateSigningRequest).indexOf(spkiHead);
        const found = request.certificateSigningRequest.slice(at, at + 91);
        return issue(certifier, { identity: believed(request), spki: found, pod: undefined });
      }
    };
  return [
    {
      title: 'does not look at the signature of the request',
      certify: ignoring(/not signed with its own key/),
    },
    {
      title: 'does not look at the names in the request',
      certify: ignoring(/subjectAltName is not exactly/),
    },
    { title: 'takes requests with other extensions', certify: ignoring(/extensions other than one/) },
    { title: 'takes BER for DER', certify: ignoring(/a padded length|an indefinite length/) },
    { title: 'does not look at the signature of the token', certify: ignoring(/signature does not verify/) },
    {
      title: 'takes tokens for other audiences',
      certify: ignoring(/mount a projected token with the audience/),
    },
    { title: 'takes tokens of pods that are gone', certify: ignoring(/there is no pod/) },
    { title: 'takes the name from the request', certify: ignoring(/belongs to another identity/) },
    {
      title: 'refuses what is good',
      certify: async (request) => {
        if (request.certificateSigningRequest.length % 7 === 0) {
          throw new GatehouseError('failed-precondition', 'not today');
        }
        return mesh.certify(request);
      },
    },
    {
      title: 'throws what is not a GatehouseError',
      certify: async (request) => {
        if (request.token[0] === 0x2e) throw new TypeError('cannot read properties of undefined');
        return mesh.certify(request);
      },
    },
    {
      title: 'blames itself for bad requests',
      certify: (request) =>
        mesh.certify(request).catch((error: unknown) => {
          throw new GatehouseError('internal', 'internal error', { cause: error });
        }),
    },
    {
      title: 'certifies for the key of somebody else',
      certify: async (request) => {
        await mesh.certify(request);
        mesh.recorded.length = 0;
        const [stranger] = mesh.workloads.map(({ other }) => spkiOf(other.key));
        return issue(certifier, {
          identity: believed(request),
          spki: stranger ?? new Uint8Array(),
          pod: undefined,
        });
      },
    },
    {
      title: 'does not record',
      certify: async (request) => {
        const certified = await mesh.certify(request);
        mesh.recorded.length = 0;
        return certified;
      },
    },
  ];
};

const spkiHead = Buffer.from('3059301306072a8648ce3d0201', 'hex');

/** What a certifier that proves nothing takes the caller for: whatever it asks to be. */
const believed = ({ identity: name }: CertifyRequest): WorkloadIdentity => ({
  ...identityOf({ controlPlaneNamespace: '', trustDomain: '' }, '', ''),
  name,
});
