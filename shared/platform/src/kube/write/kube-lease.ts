import { GatehouseError } from '@gatehouse/core/error';
import type { Lease, LeaseClaim } from '@gatehouse/core/writes/leader-election';
import type { KubeClient, KubeRequest, KubeResponse } from '../client/client.ts';
import type { LeaseStore } from './leader-election.ts';

export interface KubeLeaseOptions {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly name: string;
}

interface WireLease {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: { readonly resourceVersion?: string; readonly [field: string]: unknown };
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
    readonly [field: string]: unknown;
  };
}

/** One Lease of coordination.k8s.io/v1; needs get, create and update on `leases` in its namespace. */
export class KubeLease implements LeaseStore {
  readonly name: string;
  readonly #client: KubeClient;
  readonly #namespace: string;
  readonly #leaseName: string;
  /** A PUT replaces: whatever others wrote beside our fields goes back as it came. */
  #last: WireLease = {};

  constructor({ client, namespace, name }: KubeLeaseOptions) {
    this.name = `${namespace}/${name}`;
    this.#client = client;
    this.#namespace = namespace;
    this.#leaseName = name;
  }

  async get(signal: AbortSignal): Promise<Lease | undefined> {
    // Without a resourceVersion the API server reads from etcd itself, by quorum.
    return this.#answer('get', { path: `${this.#path}/${this.#leaseName}`, signal });
  }

  async create(claim: LeaseClaim, signal: AbortSignal): Promise<Lease | undefined> {
    const metadata = { namespace: this.#namespace, name: this.#leaseName };
    const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: printClaim(claim) };
    return this.#answer('create', { method: 'POST', path: this.#path, body, signal });
  }

  async update(version: string, claim: LeaseClaim, signal: AbortSignal): Promise<Lease | undefined> {
    const last = this.#last.metadata?.resourceVersion === version ? this.#last : {};
    const body = {
      ...last,
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...last.metadata,
        namespace: this.#namespace,
        name: this.#leaseName,
        resourceVersion: version,
      },
      spec: { ...last.spec, ...printClaim(claim) },
    };
    return this.#answer('update', { method: 'PUT', path: `${this.#path}/${this.#leaseName}`, body, signal });
  }

  get #path(): string {
    return `/apis/coordination.k8s.io/v1/namespaces/${this.#namespace}/leases`;
  }

  async #answer(verb: 'get' | 'create' | 'update', request: KubeRequest): Promise<Lease | undefined> {
    const response = await this.#client.request(request);
    switch (response.status) {
      case 200:
      case 201: {
        this.#last = readJson(response) as WireLease;
        return readLease(this.#last, this.name);
      }
      case 404:
        // A create is told so when its namespace is gone, which looking again would not fix.
        if (verb !== 'create') return undefined;
        break;
      case 409:
        return undefined;
    }
    throw refused(verb, this.name, response);
  }
}

const printClaim = ({ holder, durationMs, acquireTime, renewTime, transitions }: LeaseClaim) => ({
  holderIdentity: holder,
  leaseDurationSeconds: durationMs / 1000,
  acquireTime,
  renewTime,
  leaseTransitions: transitions,
});

const readLease = ({ metadata, spec = {} }: WireLease, name: string): Lease => {
  const { holderIdentity, leaseDurationSeconds, acquireTime, renewTime, leaseTransitions } = spec;
  const version = metadata?.resourceVersion;
  if (typeof version !== 'string' || version === '')
    throw new GatehouseError('unavailable', `the Lease ${name} came without a resourceVersion`);
  return {
    version,
    holder: holderIdentity ?? '',
    durationMs: (leaseDurationSeconds ?? 0) * 1000,
    acquireTime: acquireTime ?? '',
    renewTime: renewTime ?? '',
    transitions: leaseTransitions ?? 0,
  };
};

const readJson = ({ body }: KubeResponse): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch (cause) {
    throw new GatehouseError('unavailable', 'the API server answered with something that is not JSON', {
      cause,
    });
  }
};

const refused = (verb: string, name: string, response: KubeResponse): GatehouseError => {
  const { status, body } = response;
  if (status === 403)
    return new GatehouseError(
      'permission-denied',
      `the API server does not let us ${verb} the Lease ${name}: grant get, create and update on leases of coordination.k8s.io`,
    );
  const said = body.toString().slice(0, 300);
  return new GatehouseError(
    'unavailable',
    `the API server answered ${status} when asked to ${verb} the Lease ${name}: ${said}`,
  );
};
