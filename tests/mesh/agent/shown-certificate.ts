import assert from 'node:assert/strict';
import { TLSSocket } from 'node:tls';
import { openStream } from './open-stream.ts';

/** The certificate that a server shows to a client which asks for `serverName`; nothing is said after the handshake. */
export const shownCertificate = async (asked: {
  readonly host: string;
  readonly port: number;
  readonly serverName: string;
}): Promise<{ readonly issuer: string; readonly serial: string }> => {
  const { host, port, serverName } = asked;
  const stream = await openStream({ host, port, speaks: 'tcp', tls: { serverName } });
  // It may be cut at any time by who does not want us.
  stream.on('error', () => undefined);
  try {
    const certificate = stream instanceof TLSSocket ? stream.getPeerX509Certificate() : undefined;
    assert.ok(certificate, `${host}:${port} shows a certificate`);
    return { issuer: certificate.issuer, serial: certificate.serialNumber };
  } finally {
    stream.destroy();
  }
};
