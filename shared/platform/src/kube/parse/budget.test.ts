import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import { defaultObjectBudgets, type ObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import { rowOf } from '../kind-table.ts';
import { readObject } from '../read-object.ts';

const list = <T>(count: number, item: (at: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, at) => item(at));

const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const route = (rules: unknown, more: object = {}) => ({ parentRefs: [server], rules, ...more });
const policy = (more: object) => ({ target: { selector: {} }, sources: [], ...more });
const pattern = (at: number) => ({ path: { type: 'RegularExpression', value: `/v${at}/.*` } });
const header = (at: number) => ({ name: `x-${at}`, value: '1' });
const cidr = (at: number) => ({ cidr: `10.${at >> 8}.${at & 255}.0/24` });

/** A spec that holds so many of something. */
interface Budgeted {
  readonly kind: Kind;
  readonly budget: keyof ObjectBudgets;
  readonly what: string;
  readonly spec: (count: number) => object;
  /** Where the first that is too many stands. */
  readonly field: string;
  /** How many come together. */
  readonly step?: number;
}

const cases: readonly Budgeted[] = [
  {
    kind: 'HTTPRoute',
    budget: 'patterns',
    what: 'patterns of paths',
    spec: (count) => route([{ matches: list(count, pattern) }]),
    field: 'spec.rules[0].matches[64].path',
  },
  {
    kind: 'GatewayHTTPRoute',
    budget: 'patterns',
    what: 'patterns of headers',
    spec: (count) =>
      route(
        list(count, (at) => ({ matches: [{ headers: [{ ...header(at), type: 'RegularExpression' }] }] })),
      ),
    field: 'spec.rules[64].matches[0].headers[0]',
  },
  {
    kind: 'GRPCRoute',
    budget: 'patterns',
    what: 'patterns of headers',
    spec: (count) =>
      route([
        { matches: list(count, (at) => ({ headers: [{ ...header(at), type: 'RegularExpression' }] })) },
      ]),
    field: 'spec.rules[0].matches[64].headers[0]',
  },
  {
    kind: 'ServiceProfile',
    budget: 'patterns',
    what: 'patterns of routes',
    spec: (count) => ({
      routes: list(count, (at) => ({ name: `r${at}`, condition: { pathRegex: `/v${at}` } })),
    }),
    field: 'spec.routes[64].condition',
  },
  {
    kind: 'HTTPRoute',
    budget: 'patternBytes',
    what: 'letters of a pattern',
    spec: (count) =>
      route([{ matches: [{ path: { type: 'RegularExpression', value: `/${'a'.repeat(count - 1)}` } }] }]),
    field: 'spec.rules[0].matches[0].path.value',
  },
  {
    kind: 'HTTPRoute',
    budget: 'patternBytes',
    what: 'repetitions of a pattern',
    step: 2,
    spec: (count) =>
      route([{ matches: [{ path: { type: 'RegularExpression', value: `(?:ab){${count / 2}}` } }] }]),
    field: 'spec.rules[0].matches[0].path.value',
  },
  {
    kind: 'HTTPRoute',
    budget: 'patternBytes',
    what: 'letters of a path',
    spec: (count) => route([{ matches: [{ path: { type: 'Exact', value: `/${'a'.repeat(count - 1)}` } }] }]),
    field: 'spec.rules[0].matches[0].path.value',
  },
  {
    kind: 'NetworkAuthenticationPolicy',
    budget: 'patternBytes',
    what: 'letters of a path',
    spec: (count) => policy({ rules: [{ paths: [{ type: 'Exact', value: `/${'a'.repeat(count - 1)}` }] }] }),
    field: 'spec.rules[0].paths[0].value',
  },
  {
    kind: 'HTTPRoute',
    budget: 'matches',
    what: 'matches',
    spec: (count) =>
      route(list(count / 2, (at) => ({ matches: [{ method: 'GET' }, { headers: [header(at)] }] }))),
    field: 'spec.rules[512].matches[0]',
    step: 2,
  },
  {
    kind: 'GRPCRoute',
    budget: 'matches',
    what: 'matches',
    spec: (count) => route([{ matches: list(count, (at) => ({ method: { service: `S${at}` } })) }]),
    field: 'spec.rules[0].matches[1024]',
  },
  {
    kind: 'NetworkAuthenticationPolicy',
    budget: 'matches',
    what: 'paths times methods',
    spec: (count) =>
      policy({
        rules: list(count / 64, (at) => ({
          methods: list(8, (method) => `M${method}`),
          paths: list(8, (path) => ({ type: 'Exact', value: `/${at}/${path}` })),
        })),
      }),
    field: 'spec.rules[16]',
    step: 64,
  },
  {
    kind: 'ServiceProfile',
    budget: 'matches',
    what: 'conditions',
    spec: (count) => ({
      routes: [{ name: 'r', condition: { any: list(count - 1, () => ({ method: 'GET' })) } }],
    }),
    field: 'spec.routes[0].condition.any[1023]',
  },
  {
    kind: 'HTTPRoute',
    budget: 'hosts',
    what: 'host names',
    spec: (count) => route([{}], { hostnames: list(count, (at) => `h${at}.example.com`) }),
    field: 'spec',
  },
  {
    kind: 'TLSRoute',
    budget: 'hosts',
    what: 'host names',
    spec: (count) => ({
      parentRefs: [{ group: '', kind: 'Service', name: 'web' }],
      hostnames: list(count, (at) => `h${at}.example.com`),
      rules: [{ backendRefs: [{ name: 'web', port: 80 }] }],
    }),
    field: 'spec',
  },
  {
    kind: 'HTTPRoute',
    budget: 'headers',
    what: 'headers of a match',
    spec: (count) => route([{ matches: [{ headers: list(count, header) }] }]),
    field: 'spec.rules[0].matches[0].headers',
  },
  {
    kind: 'HTTPRoute',
    budget: 'headers',
    what: 'query parameters of a match',
    spec: (count) => route([{ matches: [{ queryParams: list(count, header) }] }]),
    field: 'spec.rules[0].matches[0].queryParams',
  },
  {
    kind: 'NetworkAuthenticationPolicy',
    budget: 'headers',
    what: 'headers of a rule',
    spec: (count) => policy({ rules: [{ headers: list(count, header) }] }),
    field: 'spec.rules[0].headers',
  },
  {
    kind: 'NetworkAuthentication',
    budget: 'networks',
    what: 'networks',
    spec: (count) => ({ networks: list(count, cidr) }),
    field: 'spec.networks[4096]',
  },
  {
    kind: 'NetworkAuthenticationPolicy',
    budget: 'networks',
    what: 'networks and exceptions',
    spec: (count) =>
      policy({
        sources: [{ networks: [{ cidr: '10.0.0.0/8', except: list(count - 1, (at) => cidr(at).cidr) }] }],
      }),
    field: 'spec.sources[0].networks[0]',
  },
  {
    kind: 'MeshTLSAuthentication',
    budget: 'identities',
    what: 'identities',
    spec: (count) => ({ identities: list(count, (at) => `w${at}.example.com`) }),
    field: 'spec',
  },
  {
    kind: 'MeshTLSAuthentication',
    budget: 'identities',
    what: 'references',
    spec: (count) => ({ identityRefs: list(count, (at) => ({ kind: 'ServiceAccount', name: `w${at}` })) }),
    field: 'spec.identityRefs[4096]',
  },
  {
    kind: 'NetworkAuthenticationPolicy',
    budget: 'identities',
    what: 'sources',
    spec: (count) =>
      policy({ sources: list(count, (at) => ({ podSelector: { matchLabels: { app: `a${at}` } } })) }),
    field: 'spec.sources[4096]',
  },
  {
    kind: 'ServerAuthorization',
    budget: 'identities',
    what: 'ServiceAccounts',
    spec: (count) => ({
      server: { name: 'web' },
      client: { meshTLS: { serviceAccounts: list(count, (at) => ({ name: `w${at}` })) } },
    }),
    field: 'spec.client.meshTLS.serviceAccounts[4096]',
  },
];

const read = (kind: Kind, body: object): KubeObject => {
  const { group, versions } = rowOf(kind);
  const outcome = readObject(kind, {
    apiVersion: group === '' ? versions[0] : `${group}/${versions[0]}`,
    metadata: { name: 'a', namespace: 'demo' },
    ...body,
  });
  assert(outcome.outcome === 'read');
  return outcome.object;
};

describe('what a policy object may hold', () => {
  assert.equal(cases.length, 23);
  for (const { kind, budget, what, spec, field, step = 1 } of cases) {
    const limit = defaultObjectBudgets[budget];

    it(`${kind}: ${limit} ${what}, and no more`, () => {
      const full = read(kind, { spec: spec(limit) });
      assert.equal(isRejected(full.spec), false);
      const over = read(kind, { spec: spec(limit + step) });
      assert(isRejected(over.spec));
      const [problem, ...more] = over.spec.rejected;
      assert.deepEqual(more, []);
      assert(problem !== undefined);
      assert.equal(problem.field, field);
      assert.match(problem.fix, new RegExp(`use at most ${limit}, or raise GATEHOUSE_MAX_`));
    });
  }

  it('an operator may raise each, and an object of much more is read no further', () => {
    const spec = route([{ matches: list(2_000, pattern) }]);
    const body = {
      apiVersion: 'policy.linkerd.io/v1beta3',
      metadata: { name: 'a', namespace: 'demo' },
      spec,
    };
    const raised = readObject('HTTPRoute', body, {
      ...defaultObjectBudgets,
      patterns: 2_000,
      matches: 2_000,
    });
    assert(raised.outcome === 'read' && !isRejected(raised.object.spec));
    const usual = readObject('HTTPRoute', body);
    assert(usual.outcome === 'read' && isRejected(usual.object.spec));
    assert.deepEqual(usual.object.spec.rejected.map(printProblem), [
      'spec.rules[0].matches[64].path: more than 64 regular expressions: use at most 64, or raise GATEHOUSE_MAX_PATTERNS',
      'spec.rules[0].matches[1024]: more than 1024 matches: use at most 1024, or raise GATEHOUSE_MAX_MATCHES',
    ]);
  });
});

describe('regular expressions', () => {
  const routeOf = (patterns: readonly string[]) =>
    route([{ matches: patterns.map((value) => ({ path: { type: 'RegularExpression', value } })) }]);
  const cpuOf = (work: () => void): number => {
    const started = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(started);
    return (user + system) / 1_000;
  };

  it('are judged once, not again with each list of the same routes', () => {
    const routes = list(10, (at) => ({
      spec: routeOf(list(64, (each) => `/${at}/${each}/(?:a|b|c){1,100}`)),
    }));
    const listed = (): void => {
      for (const one of routes) read('HTTPRoute', one);
    };
    const [first, again] = [cpuOf(listed), cpuOf(listed)];
    assert(again < first / 4, `${first} ms, then ${again} ms`);
  });

  it('that would take seconds to judge are not judged', () => {
    const heavy = [
      '(?:a|ab|abc|abcd|b|bc){1,90}'.repeat(36),
      `(?i)${'[\u0100-\u{10ffff}]'.repeat(60)}`,
      '(?i:\\pL)'.repeat(100),
      'x*'.repeat(2_000),
    ];
    const cpu = cpuOf(() => {
      for (const pattern of heavy) assert(isRejected(read('HTTPRoute', { spec: routeOf([pattern]) }).spec));
    });
    // They took 2 s together.
    assert(cpu < 200, `${cpu} ms`);
  });
});

describe('what a core object may hold', () => {
  const opaque = 'config.linkerd.io/opaque-ports';
  const deny = { 'config.linkerd.io/default-inbound-policy': 'deny', 'linkerd.io/inject': 'enabled' };

  it('annotations that are read and too long mean deny; others do not count', () => {
    const annotated = (annotations: object) =>
      read('Namespace', { metadata: { name: 'demo', annotations } }).meta.annotations;
    const most = '1'.repeat(16_384 - opaque.length);
    assert.deepEqual(annotated({ [opaque]: most, other: 'x'.repeat(100_000) }), { [opaque]: most });
    assert.deepEqual(annotated({ [opaque]: `${most}1` }), deny);
  });

  const probed = (paths: readonly string[]): KubeObject<'Pod'>['spec'] =>
    read('Pod', {
      spec: {
        containers: paths.map((path, at) => ({
          name: `c${at}`,
          livenessProbe: { httpGet: { port: 80, path } },
        })),
      },
    }).spec as KubeObject<'Pod'>['spec'];

  it('of too many probes none is kept open, of too long ones not these', () => {
    const many = list(32, (at) => `/${at}`);
    assert.equal(probed(many).probes.length, 32);
    assert.equal(probed(many).shutProbes, undefined);
    assert.deepEqual(probed([...many, '/more']).probes, []);
    assert.equal(probed([...many, '/more']).shutProbes, 33);
    const long = probed(['/short', `/${'a'.repeat(256)}`, `/${'a'.repeat(255)}`]);
    assert.deepEqual(
      long.probes.map((probe) => probe.kind === 'http' && probe.path.length),
      [6, 256],
    );
    assert.equal(long.shutProbes, 1);
  });
});
