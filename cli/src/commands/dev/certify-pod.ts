import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { findPod, mintPodToken } from '@gatehouse/dev/folder/dev-token';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { pemOf } from '@gatehouse/platform/tls/material';
import { readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import type { Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { printShown } from '../../print/output.ts';
import type { NamespacedName } from '../../print/read-arguments.ts';
import type { CertifyOptions } from './certify.ts';
import { openDevMesh } from './dev-mesh.ts';

export const certifyPod = async (
  pod: NamespacedName,
  options: CertifyOptions,
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const devMesh = await openDevMesh(options, surroundings);
  const index = await devMesh.index(['Pod', 'ServiceAccount']);
  const account = findPod(index, pod).pod.spec.serviceAccount;
  const { trustAnchors, ...server } = await devMesh.reach('identity');
  const { chain, validUntil } = await certify({
    server,
    trustAnchors: await readTrustAnchors(trustAnchors),
    name: printIdentity(identityOf(devMesh.mesh, pod.namespace, account)),
    key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    token: Buffer.from(await mintPodToken(devMesh.state, index, pod)),
  });
  const certificates = chain.map((der) => new X509Certificate(der));
  const value = {
    validUntil: new Date(validUntil).toISOString(),
    certificates: certificates.map((one, at) => ({
      ...describe(one),
      pem: pemOf(chain[at] ?? one.raw),
    })),
  };
  surroundings.terminal.out(
    printShown(options.output, {
      value,
      heads: ['certificate', 'subject', 'serial', 'not after'],
      rows: certificates.map((one, at) => {
        const { name, serial, notAfter } = describe(one);
        return [at === 0 ? 'leaf' : 'issuer', name, serial, notAfter];
      }),
      wideHeads: ['not before', 'sha-256'],
      wideRows: certificates.map((one) => [describe(one).notBefore, describe(one).sha256]),
    }),
  );
  return exitCode.ok;
};

const describe = (certificate: X509Certificate) => ({
  /** A leaf has no subject: its name is its SAN. */
  name: certificate.subjectAltName?.replace('DNS:', '') ?? certificate.subject ?? '',
  serial: certificate.serialNumber.toLowerCase(),
  notBefore: certificate.validFromDate.toISOString(),
  notAfter: certificate.validToDate.toISOString(),
  sha256: certificate.fingerprint256.replaceAll(':', '').toLowerCase(),
});
