import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { pemOf, secureContextOptions } from '@gatehouse/platform/tls/material';
import type { PresentedLeaf } from './presented-leaf.ts';
import type { Verifier } from './verifier.ts';

/** A mutual TLS 1.3 handshake in which both sides show the leaf: what every meshed connection begins with. */
export const handshakeVerifier: Verifier = {
  name: 'a mutual TLS handshake of Node',
  missing: undefined,
  refusal: async ({ identity, key, leaf, intermediates, root }) => {
    const material = secureContextOptions(pemOf(root), { key, chain: [leaf, ...intermediates] });
    const server = createServer({ ...material, requestCert: true, rejectUnauthorized: true });
    const complaints: string[] = [];
    server.on('tlsClientError', (error) => complaints.push(`the server says ${error.message}`));
    server.on('secureConnection', (socket) => socket.end('welcome'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({ ...material, host: '127.0.0.1', port, servername: identity });
    try {
      // In TLS 1.3 the client is through before the server has seen its certificate: only what comes back shows consent.
      if (!(await isWelcome(socket))) complaints.push('the server refused the client');
    } catch (error) {
      complaints.push(`the client says ${String(error)}`);
    } finally {
      socket.destroy();
      server.close();
      await once(server, 'close');
    }
    return complaints.length === 0 ? undefined : complaints.join('; ');
  },
};

const isWelcome = async (socket: TLSSocket): Promise<boolean> => {
  let heard = '';
  for await (const chunk of socket) heard += String(chunk);
  return heard === 'welcome';
};

/** Node's reader of certificates, link by link: names, keys and signatures. */
export const nodeLinkVerifier: Verifier = {
  name: 'X509Certificate of Node',
  missing: undefined,
  refusal: async ({ identity, key, leaf, intermediates, root }: PresentedLeaf) => {
    const chain = [leaf, ...intermediates, root].map((der) => new X509Certificate(der));
    const [own] = chain;
    if (own?.checkPrivateKey(key) !== true) return 'the leaf is for another key';
    if (own.checkHost(identity, { subject: 'never', wildcards: false }) !== identity) {
      return `the leaf is for ${own.subjectAltName}`;
    }
    for (const [index, certificate] of chain.entries()) {
      const issuer = chain[index + 1];
      const found = `certificate ${index}`;
      const now = Date.now();
      if (certificate.validFromDate.getTime() > now || certificate.validToDate.getTime() < now) {
        return `${found} is not valid now`;
      }
      if (issuer === undefined) continue;
      if (!issuer.ca) return `the issuer of ${found} is not a CA`;
      if (!certificate.checkIssued(issuer)) return `${found} was issued by somebody else`;
      if (!certificate.verify(issuer.publicKey)) return `the signature of ${found} does not verify`;
    }
    return undefined;
  },
};
