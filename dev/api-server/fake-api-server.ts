import { writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { pemOf } from '@gatehouse/platform/tls/material';
import { anAuthority, aTlsMaterial } from '../certificates.ts';
import type { Authorize, Tokens } from './access-control.ts';
import { answerRequest, type Parts } from './answer-request.ts';
import { defaultsFor } from './built-in-defaults.ts';
import type { ResolveService } from './call-webhook.ts';
import { openCrds } from './custom-types.ts';
import { Faults } from './faults.ts';
import { printKubeconfig } from './kubeconfig.ts';
import { listen, type ServerTls } from './listener.ts';
import { fieldsOf, metaOf } from './object-meta.ts';
import { defaultAccount, placeOf, putObject } from './put-object.ts';
import { rbac } from './rbac.ts';
import { namespaceType, rbacTypes, resourceKey, serviceAccountType } from './resource-types.ts';
import { answerUpgrade } from './serve-forward.ts';
import type { OpenWatch } from './serve-watch.ts';
import { type ServerState, typeOfObject } from './server-state.ts';
import { makeTokenKey, requestToken, type TokenKeys } from './service-account-tokens.ts';
import { Store, type StoreSnapshot } from './store.ts';

export interface FakeApiServerOptions {
  /** CustomResourceDefinitions to begin with; `open` serves every custom kind of the kind table without a schema. */
  readonly crds?: 'open' | readonly WireObject[];
  /** Objects to begin with, put as they are. */
  readonly objects?: readonly WireObject[];
  /** Serves TLS with a certificate of its own for `localhost`. */
  readonly tls?: boolean;
  /** Whose bearer tokens are good, besides those of service accounts; without it everybody is an administrator. */
  readonly tokens?: Tokens;
  /** Who may do what: whom a function lets, or what the RBAC objects in the store say. Everybody everything, when left out. */
  readonly authorize?: Authorize | 'RBAC';
  /**
   * Whether what a controller manager and kubelet would do is done at once (ServerState); nothing of it when left out, as under a
   * bare API server.
   */
  readonly controllers?: boolean;
  /** Where the control plane of the mesh is that pods are put into, with `controllers`; `gatehouse` when left out. */
  readonly controlPlaneNamespace?: string;
  /** Where the Services are that webhooks name. */
  readonly resolveService?: ResolveService;
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

/** What a token is asked for. */
export interface TokenFor {
  readonly namespace: string;
  readonly serviceAccount: string;
  /** The name of a pod to bind it to. */
  readonly pod?: string;
  readonly audiences?: readonly string[];
}

export interface FakeApiServer {
  readonly url: string;
  /** PEM of the authority that certifies the server; undefined for plain HTTP. */
  readonly ca: string | undefined;
  readonly faults: Faults;
  /** The last thousand requests, oldest first. */
  readonly requests: readonly SeenRequest[];
  /** The watches that are open now. */
  readonly watches: readonly OpenWatch[];
  readonly revision: number;
  /** Writes a kubeconfig that leads here, with a token when one is given. */
  kubeconfig(path: string, token?: string): Promise<void>;
  /** Whether a kind is served in the version that an object says. */
  serves(object: WireObject): boolean;
  /** Writes objects straight into the store, with the uid and status they have: made or replaced, checked by nobody. */
  put(...objects: readonly WireObject[]): readonly WireObject[];
  /** Removes an object from the store at once, whatever its finalizers say; answers whether it was there. */
  remove(object: WireObject): boolean;
  /** What is stored under an object's kind, namespace and name. */
  read(object: WireObject): WireObject | undefined;
  /** A service account's token, as kubelet would get it. */
  mintToken(wanted: TokenFor): Promise<string>;
  /** Tokens are made with a new key from here on; those of the old keys stay good or not. */
  rotateTokenKey(old: 'kept' | 'dropped'): Promise<void>;
  /** Forgets history: reads and watches from earlier versions are gone from here on. */
  compact(): void;
  snapshot(): StoreSnapshot;
  /** Ends every connection and starts again at the same address, with the same store or a restored one. */
  restart(from?: StoreSnapshot): Promise<void>;
  /** Is gone while `meanwhile` runs, and starts again at the same address with what it had. */
  away(meanwhile: () => Promise<void>): Promise<void>;
  stop(): Promise<void>;
}

const kept = 1000;

/** Starts an API server on loopback that behaves as the real one does towards reads, watches and writes. */
export const startFakeApiServer = async (options: FakeApiServerOptions = {}): Promise<FakeApiServer> => {
  const { bookmarkEvery = 60_000, keepRevisions = 10_000, now = Date.now } = options;
  const faults = new Faults();
  const requests: SeenRequest[] = [];
  const watches = new Set<OpenWatch>();
  let keys: TokenKeys = [await makeTokenKey()];
  const { controllers = false, controlPlaneNamespace = 'gatehouse' } = options;
  let state: ServerState = { store: new Store(keepRevisions), now, controllers };
  fill(state, options);
  // Loaded where it is wanted: most tests play the controllers' part themselves.
  const play = controllers ? (await import('./play-workloads.ts')).playWorkloads : undefined;
  play?.(state, controlPlaneNamespace);

  const parts = (): Parts => ({
    state,
    rules: { tokens: options.tokens, authorize: authorizeIn(state, options.authorize), keys },
    faults,
    times: { bookmarkEvery, longest: 30 * 60_000 },
    resolveService: options.resolveService ?? (() => undefined),
    onWatch: (watch: OpenWatch, response: ServerResponse): void => {
      watches.add(watch);
      response.once('close', () => watches.delete(watch));
    },
  });
  const { tls, authority } = options.tls === true ? aServerCertificate() : {};
  const see = ({ url: target = '/', method = '' }: IncomingMessage): void => {
    const { pathname, searchParams } = new URL(target, 'http://fake');
    requests.push({ method, path: pathname, query: searchParams });
    if (requests.length > kept) requests.shift();
  };
  const open = (port: number) =>
    listen(
      {
        handle: (incoming, response) => {
          see(incoming);
          void answerRequest(parts(), incoming, response);
        },
        upgrade: (forwarding) => {
          see(forwarding.incoming);
          void answerUpgrade(parts(), forwarding);
        },
      },
      { port, tls },
    );
  let listener = await open(options.port ?? 0);
  const { port } = listener;
  const url = tls === undefined ? `http://127.0.0.1:${port}` : `https://localhost:${port}`;

  return {
    url,
    ca: authority,
    faults,
    requests,
    get watches() {
      return [...watches];
    },
    get revision() {
      return state.store.revision;
    },
    kubeconfig: (path, token) =>
      writeFile(
        path,
        printKubeconfig({
          server: url,
          ...(authority === undefined ? {} : { authority }),
          ...(token === undefined ? {} : { token }),
        }),
        { mode: 0o600 },
      ),
    serves: (object) => typeOfObject(state.store, object) !== undefined,
    put: (...objects) => objects.map((object) => putObject(state, object)),
    remove: (object) => {
      const { resource, key: place } = placeOf(state, object);
      return state.store.remove(resource, place) !== undefined;
    },
    read: (object) => {
      const { resource, key: place } = placeOf(state, object);
      return state.store.get(resource, place);
    },
    mintToken: async ({ namespace, serviceAccount, pod, audiences = [] }) => {
      const bound = pod === undefined ? {} : { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod } };
      const request = {
        type: serviceAccountType,
        version: 'v1',
        namespace,
        name: serviceAccount,
        subresource: 'token',
        query: new URLSearchParams(),
      };
      const made = await requestToken(state, request, { body: { spec: { audiences, ...bound } }, keys });
      return String(fieldsOf(made.status).token);
    },
    rotateTokenKey: async (old) => {
      const next = await makeTokenKey();
      keys = old === 'kept' ? [next, ...keys] : [next];
    },
    compact: () => state.store.compact(),
    snapshot: () => state.store.snapshot(),
    restart: async (from) => {
      await listener.close();
      if (from !== undefined) {
        state = { store: new Store(keepRevisions, from), now, controllers };
        play?.(state, controlPlaneNamespace);
      }
      listener = await open(port);
    },
    away: async (meanwhile) => {
      await listener.close();
      try {
        await meanwhile();
      } finally {
        listener = await open(port);
      }
    },
    stop: () => listener.close(),
  };
};

const authorizeIn = ({ store }: ServerState, authorize: FakeApiServerOptions['authorize']): Authorize => {
  if (authorize !== 'RBAC') return authorize ?? (() => true);
  return rbac(() =>
    rbacTypes.flatMap((type) => [...store.list(resourceKey(type))].map(([, object]) => object)),
  );
};

const fill = (state: ServerState, { crds = 'open', objects = [] }: FakeApiServerOptions): void => {
  for (const name of ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
    putObject(state, defaultsFor(namespaceType, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }));
  if (state.controllers === true)
    for (const [, { metadata }] of state.store.list(resourceKey(namespaceType)))
      putObject(state, defaultAccount(metaOf({ metadata }).name));
  for (const crd of crds === 'open' ? openCrds() : crds) putObject(state, crd);
  for (const object of objects) putObject(state, object);
};

const aServerCertificate = (): { readonly tls: ServerTls; readonly authority: string } => {
  const authority = anAuthority({ name: 'fake API server' });
  const { key, chain } = aTlsMaterial(authority, { name: 'localhost' });
  const tls = {
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: chain.map(pemOf).join(''),
  };
  return { tls, authority: authority.pem };
};
