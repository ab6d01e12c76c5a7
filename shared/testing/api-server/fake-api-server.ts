import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WireObject } from '../../src/kube/parse/fields.ts';
import { ApiStatus, expired, noSuchPath } from './api-status.ts';
import { defaultsFor } from './built-in-defaults.ts';
import { openCrds } from './custom-types.ts';
import { type Fault, Faults, faultStatus } from './faults.ts';
import { printKubeconfig } from './kubeconfig.ts';
import { metaOf, withMeta } from './object-meta.ts';
import { parseRequest } from './request-info.ts';
import type { ResourceRequest } from './resource-request.ts';
import { printTime } from './resource-request.ts';
import { crdType, namespaceType, resourceKey } from './resource-types.ts';
import { noSuchMethod, parseBody, serveResource } from './serve-resource.ts';
import { type OpenWatch, serveWatch } from './serve-watch.ts';
import { objectKey, Store, type StoreSnapshot } from './store.ts';
import { servedAt, typeOfObject } from './world.ts';

export interface FakeApiServerOptions {
  /** CustomResourceDefinitions to begin with; `open` serves every custom kind of the kind table without a schema. */
  readonly crds?: 'open' | readonly WireObject[];
  /** Objects to begin with, put as they are. */
  readonly objects?: readonly WireObject[];
  /** Milliseconds between bookmarks. */
  readonly bookmarkEvery?: number;
  /** How many changes can at least be watched from behind. */
  readonly keepRevisions?: number;
  /** Epoch milliseconds. */
  readonly now?: () => number;
  /** 0 takes a free one. */
  readonly port?: number;
}

/** A request as the server saw it, for tests that count them. */
export interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
}

export interface FakeApiServer {
  readonly url: string;
  readonly faults: Faults;
  /** Every request since the start, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** The watches that are open now. */
  readonly watches: readonly OpenWatch[];
  readonly revision: number;
  /** Writes a kubeconfig that leads here. */
  kubeconfig(path: string): Promise<void>;
  /** Writes objects straight into the store, with the uid and status they have: made or replaced, checked by nobody. */
  put(...objects: readonly WireObject[]): readonly WireObject[];
  /** Removes an object from the store at once, whatever its finalizers say; answers whether it was there. */
  remove(object: WireObject): boolean;
  /** What is stored under an object's kind, namespace and name. */
  read(object: WireObject): WireObject | undefined;
  /** Forgets history: reads and watches from earlier versions are gone from here on. */
  compact(): void;
  snapshot(): StoreSnapshot;
  /** Ends every connection and starts again at the same address, with the same store or a restored one. */
  restart(from?: StoreSnapshot): Promise<void>;
  stop(): Promise<void>;
}

/** Starts an API server on loopback that behaves as the real one does towards list, watch and write. */
export const startFakeApiServer = async (options: FakeApiServerOptions = {}): Promise<FakeApiServer> => {
  const { bookmarkEvery = 60_000, keepRevisions = 10_000, now = Date.now } = options;
  const times = { bookmarkEvery, longest: 30 * 60_000 };
  const faults = new Faults();
  const requests: SeenRequest[] = [];
  const watches = new Set<OpenWatch>();
  const timers = new Set<NodeJS.Timeout>();
  let store = new Store(keepRevisions);

  const put = (object: WireObject): WireObject => {
    const type = typeOfObject(store, object);
    if (type === undefined) throw new TypeError(`${object.apiVersion} ${object.kind} is not served`);
    const { name = '', namespace, uid, creationTimestamp } = metaOf(object);
    const key = objectKey(type.namespaced ? (namespace ?? 'default') : '', name);
    const before = store.get(resourceKey(type), key);
    const meta = {
      namespace: type.namespaced ? (namespace ?? 'default') : undefined,
      uid: uid ?? (before === undefined ? undefined : metaOf(before).uid) ?? randomUUID(),
      creationTimestamp: creationTimestamp ?? printTime(now()),
    };
    const made = withMeta(object, meta);
    return store.put(resourceKey(type), type === crdType ? defaultsFor(type, made) : made);
  };
  const named = (object: WireObject): readonly [resource: string, key: string] => {
    const type = typeOfObject(store, object);
    if (type === undefined) throw new TypeError(`${object.apiVersion} ${object.kind} is not served`);
    const { name = '', namespace = 'default' } = metaOf(object);
    return [resourceKey(type), objectKey(type.namespaced ? namespace : '', name)];
  };

  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    put(defaultsFor(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  for (const crd of options.crds === undefined || options.crds === 'open' ? openCrds() : options.crds)
    put(crd);
  for (const object of options.objects ?? []) put(object);

  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url ?? '/', 'http://fake');
    const { method = 'GET' } = incoming;
    requests.push({ method, path: url.pathname, query: url.searchParams });
    const bytes = await readBody(incoming);
    const info = parseRequest(method, url);
    if (info === undefined) throw noSuchPath();
    const fault = faults.take(info);
    if (fault !== undefined && (await hit(fault, info.verb === 'watch', response))) return;
    const type = servedAt(store, info);
    if (type === undefined) throw noSuchPath();
    const request: ResourceRequest = { ...info, type, query: url.searchParams };
    const { verb } = info;
    if (verb === 'watch') {
      const watch = serveWatch({ store, now }, request, { response, fault, times });
      watches.add(watch);
      response.once('close', () => watches.delete(watch));
      return;
    }
    if (request.subresource !== '' && request.subresource !== 'status') throw noSuchPath();
    if (request.subresource === 'status' && !type.hasStatus) throw noSuchPath();
    if (verb === 'create' && request.name !== '') throw noSuchMethod(request);
    const sent = { contentType: incoming.headers['content-type'] ?? '', body: () => parseBody(bytes) };
    const { code, body } = await serveResource(
      { store, now },
      { ...request, verb },
      { sent, admit: async (_operation, object) => object },
    );
    send(response, code, body);
  };

  /** Lets a fault befall a request; answers whether that was all of its answer. */
  const hit = async (fault: Fault, isWatch: boolean, response: ServerResponse): Promise<boolean> => {
    switch (fault.kind) {
      case 'status':
        throw faultStatus(fault);
      case 'gone':
        if (isWatch) return false;
        throw expired('The resourceVersion for the provided list is too old.');
      case 'hang-up':
        response.destroy();
        return true;
      case 'silence':
        return !isWatch;
      case 'slow': {
        const { promise, resolve } = Promise.withResolvers<void>();
        const timer = setTimeout(resolve, fault.ms);
        timers.add(timer);
        response.once('close', resolve);
        await promise;
        clearTimeout(timer);
        timers.delete(timer);
        return response.destroyed;
      }
      case 'cut':
      case 'dribble':
      case 'garbage':
        return false;
    }
  };

  const handle = (incoming: IncomingMessage, response: ServerResponse): void => {
    answer(incoming, response).catch((thrown: unknown) => {
      if (response.destroyed) return;
      const status =
        thrown instanceof ApiStatus
          ? thrown
          : new ApiStatus({ code: 500, reason: 'InternalError', message: String(thrown) });
      if (status.retryAfterSeconds !== undefined) response.setHeader('retry-after', status.retryAfterSeconds);
      send(response, status.code, status.toObject());
    });
  };

  let server = await listen(handle, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;

  return {
    url,
    faults,
    requests,
    get watches() {
      return [...watches];
    },
    get revision() {
      return store.revision;
    },
    kubeconfig: (path) => writeFile(path, printKubeconfig({ server: url }), { mode: 0o600 }),
    put: (...objects) => objects.map(put),
    remove: (object) => store.remove(...named(object)) !== undefined,
    read: (object) => store.get(...named(object)),
    compact: () => store.compact(),
    snapshot: () => store.snapshot(),
    restart: async (from) => {
      await close(server);
      if (from !== undefined) store = new Store(keepRevisions, from);
      server = await listen(handle, port);
    },
    stop: async () => {
      for (const timer of timers) clearTimeout(timer);
      await close(server);
    },
  };
};

const listen = (
  handle: (incoming: IncomingMessage, response: ServerResponse) => void,
  port: number,
): Promise<Server> => {
  const { promise, resolve, reject } = Promise.withResolvers<Server>();
  const server = createServer(handle);
  server.once('error', reject);
  server.listen(port, '127.0.0.1', () => resolve(server));
  return promise;
};

const close = (server: Server): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  server.close(() => resolve());
  server.closeAllConnections();
  return promise;
};

const readBody = async (incoming: IncomingMessage): Promise<Uint8Array> => {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
};

const send = (response: ServerResponse, code: number, body: WireObject): void => {
  const text = JSON.stringify(body);
  response.writeHead(code, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
};
