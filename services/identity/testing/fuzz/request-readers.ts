import 'reflect-metadata';
import { execFile } from 'node:child_process';
import { createPublicKey, webcrypto } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Pkcs10CertificateRequest, SubjectAlternativeNameExtension } from '@peculiar/x509';

/** Somebody else's reader of signing requests, for those that Certify took. */
export interface RequestReader {
  readonly name: string;
  /** Why it cannot be asked on this machine; undefined when it can. */
  readonly missing: string | undefined;
  /** Undefined when it reads just this name in a request that is signed with its own key. */
  flawOf(csr: Uint8Array, identity: string): Promise<string | undefined>;
}

const peculiar: RequestReader = {
  name: '@peculiar/x509',
  missing: undefined,
  flawOf: async (der, identity) => {
    const csr = new Pkcs10CertificateRequest(der as Uint8Array<ArrayBuffer>);
    const san = csr.getExtension('2.5.29.17');
    const names = san instanceof SubjectAlternativeNameExtension ? san.names.items : [];
    if (csr.extensions.length !== 1 || csr.attributes.length !== 1) return 'it asks for more than a name';
    if (names.length !== 1 || names[0]?.type !== 'dns' || names[0].value !== identity) return 'another name';
    if (csr.subject !== '' && csr.subject !== `CN=${identity}`) return `the subject ${csr.subject}`;
    const key = createPublicKey({ key: Buffer.from(csr.publicKey.rawData), format: 'der', type: 'spki' });
    if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') return 'a key of another kind';
    return (await csr.verify(webcrypto as Crypto)) ? undefined : 'its signature does not verify';
  },
};

/** Programs read a file, and say what they find; all of `wanted` must be in it. */
const program = async (
  name: string,
  args: (file: string) => readonly string[],
  wanted: (identity: string) => readonly RegExp[],
): Promise<RequestReader> => {
  const run = promisify(execFile);
  const isThere = await run(name, [name === 'openssl' ? 'version' : '--version']).then(
    () => true,
    () => false,
  );
  return {
    name,
    missing: isThere ? undefined : `${name} is not installed`,
    flawOf: async (csr, identity) => {
      const folder = await mkdtemp(join(tmpdir(), 'gatehouse-csr-'));
      try {
        const file = join(folder, 'csr.der');
        await writeFile(file, csr);
        const { stdout, stderr } = await run(name, args(file));
        const missed = wanted(identity).filter((pattern) => !pattern.test(stdout + stderr));
        return missed.length === 0 ? undefined : `${name} does not say ${missed.join()}: ${stdout}${stderr}`;
      } catch (error) {
        return String(error);
      } finally {
        await rm(folder, { recursive: true });
      }
    },
  };
};

const literally = (text: string): string => text.replaceAll('.', '\\.');

/** OpenSSL and @peculiar/x509 verify with the same arithmetic as we do; GnuTLS with another (nettle). */
export const requestReaders = async (): Promise<readonly RequestReader[]> => [
  peculiar,
  await program(
    'openssl',
    (file) => ['req', '-inform', 'DER', '-in', file, '-noout', '-verify', '-text'],
    (identity) => [/verify OK/, new RegExp(`^ +DNS:${literally(identity)}$`, 'm'), /ASN1 OID: prime256v1/],
  ),
  await program(
    'certtool',
    (file) => ['--crq-info', '--inder', '--infile', file],
    (identity) => [
      /Self signature: verified/,
      new RegExp(`^\\s*DNSname: ${literally(identity)}$`, 'm'),
      /Curve:\s+SECP256R1/,
    ],
  ),
];
