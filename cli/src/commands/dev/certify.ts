import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import { findPod, mintPodToken } from '@gatehouse/dev/folder/dev-token';
import { certify } from '@gatehouse/platform/own-leaf/certify-client';
import { pemOf } from '@gatehouse/platform/tls/material';
import { readTrustAnchors } from '@gatehouse/platform/tls/pem-bundle';
import { Argument, Command } from 'commander';
import type { Run, Surroundings } from '../../cli.ts';
import { type ExitCode, exitCode } from '../../exit-code.ts';
import { type OutputFormat, outputOption, printShown, readNamespaced } from '../../print/output.ts';
import { addDevOptions, type DevOptions, openDevMesh } from './dev-mesh.ts';

type Named = ReturnType<typeof readNamespaced>;

/** `gatehouse dev certify NS/POD`: obtains a certificate as the pod's proxy would, with a key of its own, and shows it. */
export const devCertifyCommand = (finish: (run: Run) => void): Command =>
  addDevOptions(new Command('certify'))
    .description('Obtain a certificate as a pod of the folder would, and show it.')
    .addArgument(new Argument('<pod>', 'NAMESPACE/POD').argParser(readNamespaced))
    .addOption(outputOption())
    .action((pod: Named, options: DevOptions & { output: OutputFormat }) =>
      finish((surroundings) => devCertify(pod, options, surroundings)),
    );

const devCertify = async (
  pod: Named,
  options: DevOptions & { readonly output: OutputFormat },
  surroundings: Surroundings,
): Promise<ExitCode> => {
  const devMesh = await openDevMesh(options, surroundings);
  const index = await devMesh.index(['Pod', 'ServiceAccount']);
  const account = findPod(index, pod).pod.spec.serviceAccount;
  const { chain, validUntil } = await certify({
    server: await devMesh.reach('identity'),
    trustAnchors: await readTrustAnchors(devMesh.state.trustAnchors),
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
