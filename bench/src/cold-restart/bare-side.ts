import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { createServer } from 'node:tls';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { secureContextOptions } from '@gatehouse/platform/tls/material';
import { floorOf } from '../certify/floor.ts';
import type { Said } from '../certify/service-side.ts';
import { aToken } from '../certify/workload.ts';

/**
 * The floor: a bare TLS 1.3 server that does the unavoidable cryptography once for each request, and answers bytes that it
 * had ready. It limits, records and counts nothing, and its HTTP/2 is one frame.
 */
const say = (said: Said): void => {
  process.send?.(said);
};
process.once('disconnect', () => process.exit(0));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
  say({ kind: 'used', cpuMs: (user + system) / 1_000, rssBytes, heapBytes });
});

const issuer = anAuthority({ name: 'issuer' });
const serverName = 'bare.gatehouse';
const signed = aToken('ES256');
const floor = floorOf(signed);
/** As long as a leaf, its issuer and the fields around them: a DATA frame that ends stream 1 (RFC 9113 §6.1). */
const answer = Buffer.concat([Uint8Array.fromHex('0004b00001' + '00000001'), Buffer.alloc(1_200, 0x5a)]);

const material = aTlsMaterial(issuer, { name: serverName });
const server = createServer({
  ...secureContextOptions(undefined, material),
  // As the service does: asked for, not demanded.
  requestCert: true,
  rejectUnauthorized: false,
});
server.on('secureConnection', (socket) => {
  socket.on('error', () => {});
  socket.once('data', () => {
    floor();
    socket.end(answer);
  });
});
server.on('tlsClientError', () => {});
server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, () => {
  say({
    kind: 'up',
    port: (server.address() as AddressInfo).port,
    serverName,
    trustAnchors: issuer.pem,
    tokens: [Buffer.from(signed.token).toString()],
  });
});
