import type { Finding } from '@gatehouse/cli/commands/check/finding';

export const now = Date.parse('2026-12-01T12:00:00Z');
const ago = (ms: number): string => new Date(now - ms).toISOString();
const hour = 3_600_000;

export interface Situation {
  /** What the API server answers, by path; `may` = what it says to reviews. */
  readonly objects?: Readonly<Record<string, unknown>>;
  readonly may?: boolean;
  /** What services answer, by `SERVICE PATH`. */
  readonly rest?: Readonly<Record<string, unknown>>;
}

const health = (about: object = {}) => ({
  service: '',
  ready: true,
  reasons: [],
  warnings: [],
  kinds: [],
  ...about,
});
const healths = (about: object) => ({
  'identity /v1/health': health(),
  'destination /v1/health': health(),
  'policy /v1/health': health(about),
});
const pods = (about: { readonly startTime?: string } = {}) => ({
  '/api/v1/pods': {
    items: [
      {
        metadata: {
          namespace: 'demo',
          name: 'backend-0',
          uid: 'u1',
          labels: { 'linkerd.io/control-plane-ns': 'gatehouse' },
        },
        spec: {},
        status: { phase: 'Running', startTime: ago(hour), ...about },
      },
    ],
  },
});
const issued = (about: object) => ({
  'identity /v1/certificates': {
    items: [
      {
        issuedAt: ago(hour),
        identity: 'default.demo.serviceaccount.identity.gatehouse.cluster.local',
        pod: { namespace: 'demo', name: 'backend-0', uid: 'u1' },
        serial: '01',
        spkiSha256: '02',
        notBefore: ago(hour),
        notAfter: ago(-23 * hour),
        ...about,
      },
    ],
    partial: [],
  },
  'identity /v1/issuance-log': { since: ago(2 * hour) },
});
const streams = (version: string | undefined) => ({
  'policy /v1/streams': {
    items:
      version === undefined
        ? []
        : [{ method: 'InboundServerPolicies/WatchPort', target: 'demo/backend-0:8080', version }],
    partial: [],
  },
  'policy /v1/workloads/demo/backend-0/ports/8080': { version: 'new' },
});
const issuer = {
  usable: true,
  issuer: { subject: 'CN=issuer', notAfter: ago(-hour) },
  rejected: null,
  warnings: [],
};

/** A check, what it looks at, and what it makes of that. */
export const judgementCases: readonly (readonly [string, Situation, Finding['status'], RegExp])[] = [
  ['Kubernetes version', { objects: { '/version': { gitVersion: 'v1.36.1' } } }, 'ok', /v1\.36\.1/],
  ['Kubernetes version', { objects: { '/version': { gitVersion: 'v1.28.3+k3s1' } } }, 'failed', /v1\.28\.3/],
  ['Kubernetes version', {}, 'warning', /does not say its version/],
  ['Permissions to install', {}, 'ok', /you may create all/],
  [
    'Permissions to install',
    { may: false },
    'failed',
    /you may not create customresourcedefinitions\.\S+, namespaces, .* validatingwebhookconfigurations\./,
  ],
  ['Readiness', { rest: healths({}) }, 'ok', /each service/],
  ['Readiness', { rest: healths({ reasons: ['no issuer'] }) }, 'failed', /^policy is not ready: no issuer$/],
  ['Readiness', { rest: healths({ warnings: ['it ends'] }) }, 'warning', /^policy: it ends$/],
  [
    'Staleness of the watches',
    {
      rest: healths({ kinds: [{ kind: 'Pod', synced: true, aliveAt: ago(200_000), stalenessSeconds: 200 }] }),
    },
    'failed',
    /^policy has heard nothing of Pod for 3m20s/,
  ],
  [
    'Clocks',
    { rest: healths({ kinds: [{ kind: 'Pod', synced: true, aliveAt: ago(1_000), stalenessSeconds: 1 }] }) },
    'ok',
    /within seconds/,
  ],
  [
    'Clocks',
    { rest: healths({ kinds: [{ kind: 'Pod', synced: true, aliveAt: ago(11_000), stalenessSeconds: 1 }] }) },
    'warning',
    /10s behind/,
  ],
  [
    'Clocks',
    { rest: healths({ kinds: [{ kind: 'Pod', synced: true, aliveAt: ago(-60_000), stalenessSeconds: 0 }] }) },
    'failed',
    /60s ahead of/,
  ],
  ['Issuer', { rest: { 'identity /v1/issuer': issuer } }, 'ok', /CN=issuer signs, and ends in 60m/],
  ['Issuer', { rest: { 'identity /v1/issuer': { ...issuer, usable: false } } }, 'failed', /can sign nothing/],
  [
    'Issuer',
    { rest: { 'identity /v1/issuer': { ...issuer, warnings: [{ role: 'root', found: 'ends', fix: 'x' }] } } },
    'warning',
    /^ends$/,
  ],
  ['Certificates of the proxies', { objects: pods(), rest: issued({}) }, 'ok', /1 pod of 1 hold a valid/],
  [
    'Certificates of the proxies',
    { objects: pods(), rest: issued({ pod: null }) },
    'failed',
    /demo\/backend-0 asked for no certificate/,
  ],
  [
    'Certificates of the proxies',
    { objects: pods({ startTime: ago(3 * hour) }), rest: issued({ pod: null }) },
    'ok',
    /0 pods of 1 .* since 120m ago, cannot tell/,
  ],
  [
    'Certificates of the proxies',
    { objects: pods(), rest: issued({ notAfter: ago(1_000) }) },
    'failed',
    /are not valid now/,
  ],
  [
    'Certificates of the proxies',
    { objects: pods(), rest: issued({ issuedAt: ago(20 * hour), notAfter: ago(-4 * hour) }) },
    'warning',
    /should have renewed/,
  ],
  ['Policy of the proxies', { objects: pods(), rest: streams('new') }, 'ok', /has what is in force/],
  [
    'Policy of the proxies',
    { objects: pods(), rest: streams(undefined) },
    'failed',
    /do not watch their policy/,
  ],
  ['Policy of the proxies', { objects: pods(), rest: streams('old') }, 'warning', /were sent another policy/],
  [
    'Policy of the proxies',
    { objects: { '/api/v1/pods': { items: [] } } },
    'skipped',
    /no pod is in the mesh/,
  ],
];
