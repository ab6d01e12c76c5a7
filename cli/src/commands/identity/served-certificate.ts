import { once } from 'node:events';
import type { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { asGatehouseError, GatehouseError } from '@gatehouse/core/error';
import type { IssuedItem } from './issued-item.ts';

/** The certificate that a pod's proxy shows to a client, held against what was issued. */
export type Served =
  | {
      readonly kind: 'seen';
      readonly serial: string;
      readonly sha256: string;
      readonly notAfter: string;
      /** As its certificate names it. */
      readonly issuer: string;
      /** Why a client with this mesh's trust bundle would refuse it; null = it would not. */
      readonly refusedFor: string | null;
      readonly match: 'the latest' | 'an older one' | 'not remembered';
    }
  | { readonly kind: 'not seen'; readonly reason: string };

interface Expected {
  /** The proxy ends TLS itself only for this server name. */
  readonly identity: string;
  /** PEM. */
  readonly trustBundle: string;
  /** What was issued to the pod, newest first. */
  readonly issued: readonly IssuedItem[];
  readonly signal: AbortSignal;
}

/** A proxy answers a handshake at once. */
const handshakeWithinMs = 10_000;

/** Asks a proxy by a TLS handshake over an open connection to one of its ports. Nothing else is said to it. */
export const seeServed = async (open: () => Promise<Duplex>, expected: Expected): Promise<Served> => {
  try {
    return await handshake(await open(), expected);
  } catch (thrown) {
    expected.signal.throwIfAborted();
    return { kind: 'not seen', reason: asGatehouseError(thrown).message };
  }
};

const handshake = async (stream: Duplex, expected: Expected): Promise<Served> => {
  const { identity, trustBundle, issued } = expected;
  const signal = AbortSignal.any([expected.signal, AbortSignal.timeout(handshakeWithinMs)]);
  // What it shows is to be seen, trusted or not; whether it would be trusted is said beside it.
  const socket = connect({
    socket: stream,
    servername: identity,
    ca: trustBundle,
    rejectUnauthorized: false,
  });
  // TLS over a stream tells an error of the stream more than once; the first one ends the wait.
  socket.on('error', () => {});
  stream.on('error', (error) => socket.destroy(error));
  try {
    await once(socket, 'secureConnect', { signal });
    const leaf = socket.getPeerX509Certificate();
    if (leaf === undefined) throw new GatehouseError('unavailable', 'it shows no certificate');
    const serial = leaf.serialNumber.toLowerCase();
    const found = issued.findIndex((item) => item.serial === serial);
    return {
      kind: 'seen',
      serial,
      sha256: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
      notAfter: leaf.validToDate.toISOString(),
      issuer: leaf.issuer ?? '',
      refusedFor: socket.authorized ? null : String(socket.authorizationError),
      match: found === 0 ? 'the latest' : found > 0 ? 'an older one' : 'not remembered',
    };
  } catch (cause) {
    if (cause instanceof GatehouseError) throw cause;
    throw new GatehouseError(
      'unavailable',
      `its proxy does not end TLS for this identity (${reasonOf(cause)})`,
      {
        cause,
      },
    );
  } finally {
    socket.destroy();
    stream.destroy();
  }
};

/** OpenSSL's errors say in `reason` what their message buries between numbers and file names. */
const reasonOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause);
  return 'reason' in cause && typeof cause.reason === 'string' ? cause.reason : cause.message;
};
