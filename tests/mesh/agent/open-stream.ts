import { once } from 'node:events';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { Call, OwnTls } from './messages.ts';

/** Opens what a call goes over: a plain connection, or TLS of the client's own. Rejects when it is refused. */
export const openStream = async ({ host, port, from, tls, timeoutMs = 10_000 }: Call): Promise<Duplex> => {
  const raw = connect({ host, port, ...(from === undefined ? {} : { localAddress: from }) });
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    await once(raw, 'connect', { signal });
    raw.setNoDelay(true);
    if (tls === undefined) return raw;
    const secured = connectTls({
      socket: raw,
      servername: tls.serverName,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.3',
      ...(tls.certificate === undefined ? {} : { cert: tls.certificate, key: tls.key }),
      ...(tls.transportHeaderPort === undefined ? {} : { ALPNProtocols: ['transport.l5d.io/v1'] }),
    });
    await once(secured, 'secureConnect', { signal });
    if (tls.transportHeaderPort !== undefined) secured.write(transportHeader(tls.transportHeaderPort));
    return secured;
  } catch (error) {
    raw.destroy();
    throw error;
  }
};

/** contract/proxy.md §1.3: the preface, the length, and a message whose field 1 is the port. */
export const transportHeader = (port: NonNullable<OwnTls['transportHeaderPort']>): Buffer => {
  const varint: number[] = [];
  let rest = port;
  for (; rest > 0x7f; rest >>>= 7) varint.push((rest & 0x7f) | 0x80);
  const message = Buffer.from([0x08, ...varint, rest]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  return Buffer.concat([Buffer.from('transport.l5d.io/v1\r\n\r\n'), length, message]);
};
