import type { IncomingMessage } from 'node:http';
import type { RequestOptions } from 'node:https';
import { Duplex } from 'node:stream';
import { type ErrorCode, GatehouseError } from '@gatehouse/core/error';
import { WebSocket } from 'ws';

/**
 * Kubelet's protocol for forwarding over WebSocket: each binary message begins with its channel, and each channel's first
 * two bytes from the server are the port (KEP-4006 tells its history). With one port, channel 0 carries its bytes both
 * ways, and on channel 1 the server says what went wrong.
 */
const subprotocol = 'v4.channel.k8s.io';
const dataChannel = 0;
const errorChannel = 1;
const portBytes = 2;

/** A Status, or a proxy's page: enough to say what is wrong. */
const longestRefusal = 64 * 1024;

export interface PortForwardTo {
  /** `wss://…/api/v1/namespaces/NS/pods/POD/portforward?ports=PORT`, or `ws://` */
  readonly url: URL;
  /** `demo/backend-0:8080`, for messages. */
  readonly target: string;
  /** Headers, certificates and agent that prove us to the API server. */
  readonly options: RequestOptions;
  readonly signal: AbortSignal;
}

/**
 * Opens a stream of bytes to a port inside a pod, through the API server. Rejects with what the API server said. The
 * stream fails with what the kubelet says, such as that nobody listens; it ends when the pod closes. There is no half
 * close in this protocol: ending the stream ends the connection.
 *
 * client-node has a class for this, but it drops what the server says about a refusal, does not hold back a pod that
 * sends faster than it is read, and never tells that the pod closed.
 */
export const openPortForward = async ({ url, target, options, signal }: PortForwardTo): Promise<Duplex> => {
  signal.throwIfAborted();
  const socket = new WebSocket(url, [subprotocol], { ...options, perMessageDeflate: false });
  const { promise: opened, resolve, reject } = Promise.withResolvers<Duplex>();
  const abort = (): void => socket.terminate();
  signal.addEventListener('abort', abort, { once: true });
  // Errors before the handshake is over are told here, and those after it by `close`.
  socket.on('error', (cause) => reject(unreachable(url, cause)));
  socket.once('unexpected-response', (_request, response) => {
    refusal(response, target).then(reject, reject).finally(abort);
  });
  // Made at once: the first message may come before anybody who awaits.
  socket.once('open', () => resolve(new ForwardedPort(socket, target)));
  try {
    return await opened;
  } catch (error) {
    throw signal.aborted ? signal.reason : error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
};

/** One forwarded connection as a stream. */
class ForwardedPort extends Duplex {
  readonly #socket: WebSocket;
  readonly #target: string;
  /** Of each channel, how many bytes of the port are still to come. */
  readonly #unread = [portBytes, portBytes];

  constructor(socket: WebSocket, target: string) {
    // Once the pod has closed there is nobody to write to.
    super({ allowHalfOpen: false });
    this.#socket = socket;
    this.#target = target;
    // What went wrong may come with the handshake: it waits until somebody reads, who listens for errors too.
    socket.pause();
    socket.on('message', (message: Buffer) => this.#take(message));
    socket.once('close', (code) => {
      // 1006: cut without a closing frame (RFC 6455 §7.1.5), so nobody knows whether this was all.
      if (code === 1006) this.destroy(this.#failed('the connection to the API server was cut'));
      else this.push(null);
    });
  }

  override _read(): void {
    // Once it is closed there is nothing to go on with.
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.send(Buffer.concat([Uint8Array.of(dataChannel), chunk]), (error) =>
      done(error ? this.#failed(error.message) : null),
    );
  }

  override _final(done: () => void): void {
    this.#socket.close();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #take(message: Buffer): void {
    const channel = message[0];
    if (channel !== dataChannel && channel !== errorChannel) return;
    const left = this.#unread[channel] ?? 0;
    const bytes = message.subarray(1);
    this.#unread[channel] = Math.max(0, left - bytes.length);
    const rest = bytes.subarray(left);
    if (rest.length === 0) return;
    if (channel === errorChannel) this.destroy(this.#failed(rest.toString('utf8').trim()));
    else if (!this.push(rest)) this.#socket.pause();
  }

  #failed(why: string): GatehouseError {
    return new GatehouseError('unavailable', `the port-forward to ${this.#target} failed: ${why}`);
  }
}

const refusal = async (response: IncomingMessage, target: string): Promise<GatehouseError> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response) {
    chunks.push(chunk as Buffer);
    length += (chunk as Buffer).length;
    if (length > longestRefusal) break;
  }
  const text = Buffer.concat(chunks).toString('utf8');
  const { statusCode = 0 } = response;
  const said = (messageIn(text) ?? text).trim();
  return new GatehouseError(
    codeOf(statusCode),
    `the API server refuses to forward to ${target} (${statusCode}): ${said}${statusCode === 403 ? needed : ''}`,
  );
};

/** The real server's own words about the second verb end in `is forbidden: `. */
const needed = ' (needed are get and create on pods/portforward in its namespace)';

const codeOf = (status: number): ErrorCode => {
  switch (status) {
    case 401:
      return 'unauthenticated';
    case 403:
      return 'permission-denied';
    case 404:
      return 'not-found';
    case 400:
    case 409:
      return 'failed-precondition';
    default:
      return 'unavailable';
  }
};

/** A Status says it in words. */
const messageIn = (text: string): string | undefined => {
  try {
    const status: unknown = JSON.parse(text);
    const isStatus = typeof status === 'object' && status !== null && 'message' in status;
    return isStatus && typeof status.message === 'string' ? status.message : undefined;
  } catch {
    return undefined;
  }
};

const unreachable = (url: URL, cause: Error): GatehouseError =>
  new GatehouseError('unavailable', `the API server ${url.host} cannot be reached: ${cause.message}`, {
    cause,
  });
