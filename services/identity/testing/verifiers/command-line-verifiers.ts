import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { LeafFiles } from './presented-leaf.ts';
import type { Verifier } from './verifier.ts';

/** What the program says, and undefined when it ends with 0. */
const complaintOf = async (program: string, args: readonly string[]): Promise<string | undefined> => {
  try {
    await promisify(execFile)(program, args, { timeout: 60_000 });
    return undefined;
  } catch (error) {
    const { stdout, stderr, message } = error as Error & { stdout?: string; stderr?: string };
    return `${program} ${args.join(' ')}: ${stdout ?? ''}${stderr ?? ''}`.trim() || message;
  }
};

const missing = async (program: string, flag: string): Promise<string | undefined> =>
  (await complaintOf(program, [flag])) === undefined ? undefined : `${program} is not installed`;

const first = async (
  ...complaints: readonly (() => Promise<string | undefined>)[]
): Promise<string | undefined> => {
  for (const complaint of complaints) {
    const found = await complaint();
    if (found !== undefined) return found;
  }
  return undefined;
};

/** OpenSSL by the letter of RFC 5280, for both purposes and the name. */
export const opensslVerifier = async (): Promise<Verifier> => ({
  name: 'openssl verify -x509_strict',
  missing: await missing('openssl', 'version'),
  refusal: ({ identity, intermediates }, files) => {
    const ask = (purpose: string) => () =>
      complaintOf('openssl', [
        ...['verify', '-x509_strict', '-purpose', purpose, '-verify_hostname', identity],
        ...['-no-CApath', '-no-CAstore', '-CAfile', files.root],
        ...(intermediates.length === 0 ? [] : ['-untrusted', files.intermediates]),
        files.leaf,
      ]);
    return first(ask('sslserver'), ask('sslclient'));
  },
});

const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** GnuTLS, which shares no code with OpenSSL, for both purposes and the name. */
export const gnutlsVerifier = async (): Promise<Verifier> => ({
  name: 'certtool --verify',
  missing: await missing('certtool', '--version'),
  refusal: ({ identity }, { root, whole }: LeafFiles) => {
    const ask = (purpose: string) => () =>
      complaintOf('certtool', [
        ...['--verify', '--verify-hostname', identity, '--verify-purpose', purpose],
        ...['--load-ca-certificate', root, '--infile', whole],
      ]);
    return first(ask(purposes.server), ask(purposes.client));
  },
});
