import assert from 'node:assert/strict';
import test from 'node:test';
import { addressKey, asSeen, type Endpoint, type Place } from './endpoint.ts';
import { type ClientPlace, dependsOnNode, endpointsFor, type TrafficRules } from './filter.ts';

const endpoint = (ip: string, place: Partial<Place> = {}): Endpoint => ({
  key: addressKey({ ip, port: 80 }),
  place: { workload: '', hostname: '', nodeName: '', zone: '', forZones: [], forNodes: [], ...place },
  seenAs: asSeen({ ip, port: 80, labels: {}, identity: undefined, hint: undefined }),
});

const onA1 = endpoint('10.0.0.1', { nodeName: 'a1', zone: 'a' });
const onA2 = endpoint('10.0.0.2', { nodeName: 'a2', zone: 'a' });
const onB1 = endpoint('10.0.0.3', { nodeName: 'b1', zone: 'b' });
const spread = [onA1, onA2, onB1];
const forA = endpoint('10.0.1.1', { zone: 'b', forZones: ['a'] });
const forB = endpoint('10.0.1.2', { zone: 'b', forZones: ['b', 'c'] });
const forNodeA1 = endpoint('10.0.1.3', { zone: 'a', forZones: ['a'], forNodes: ['a1'] });
const forNodeA2 = endpoint('10.0.1.4', { zone: 'a', forZones: ['a'], forNodes: ['a2'] });
const v4 = endpoint('10.0.2.1', { workload: 'p', zone: 'a' });
const v6 = endpoint('fd00::1', { workload: 'p', zone: 'b' });
const bare = [endpoint('10.9.9.9'), endpoint('fd00::9')];
const other = endpoint('10.0.2.2', { workload: 'q', zone: 'b' });

const plain: TrafficRules = { local: false, distribution: undefined, prefers: 'IPv6' };
const local: TrafficRules = { ...plain, local: true };
const prefer = (distribution: TrafficRules['distribution']): TrafficRules => ({ ...plain, distribution });
const at = (nodeName: string, zone: string): ClientPlace => ({ nodeName, zone });

interface Case {
  readonly says: string;
  readonly from: readonly Endpoint[];
  readonly rules: TrafficRules;
  readonly client: ClientPlace;
  readonly given: readonly Endpoint[];
}

const cases: readonly Case[] = [
  {
    says: 'without rules everybody gets all',
    from: spread,
    rules: plain,
    client: at('a1', 'a'),
    given: spread,
  },
  { says: 'Local gives those on the node', from: spread, rules: local, client: at('a1', 'a'), given: [onA1] },
  { says: 'Local gives nothing elsewhere', from: spread, rules: local, client: at('c1', 'a'), given: [] },
  {
    says: 'Local gives nothing to whom nobody can place',
    from: spread,
    rules: local,
    client: at('', ''),
    given: [],
  },
  {
    says: 'Local does not look at hints',
    from: [forNodeA2, onA1],
    rules: local,
    client: at('a1', 'a'),
    given: [onA1],
  },
  { says: 'zone hints choose', from: [forA, forB], rules: plain, client: at('', 'a'), given: [forA] },
  {
    says: 'one endpoint may be for several zones',
    from: [forA, forB],
    rules: plain,
    client: at('', 'c'),
    given: [forB],
  },
  {
    says: 'hints for nobody here leave all',
    from: [forA, forB],
    rules: plain,
    client: at('', 'z'),
    given: [forA, forB],
  },
  {
    says: 'hints say nothing to a client without zone',
    from: [forA, forB],
    rules: plain,
    client: at('', ''),
    given: [forA, forB],
  },
  {
    says: 'hints count only if all have them',
    from: [forA, onB1],
    rules: plain,
    client: at('', 'a'),
    given: [forA, onB1],
  },
  {
    says: 'node hints go before zone hints',
    from: [forNodeA1, forNodeA2],
    rules: plain,
    client: at('a2', 'a'),
    given: [forNodeA2],
  },
  {
    says: 'node hints for nobody here leave it to the zone hints',
    from: [forNodeA1, forNodeA2],
    rules: plain,
    client: at('a3', 'a'),
    given: [forNodeA1, forNodeA2],
  },
  {
    says: 'PreferClose keeps to the zone',
    from: spread,
    rules: prefer('PreferClose'),
    client: at('a9', 'a'),
    given: [onA1, onA2],
  },
  {
    says: 'PreferSameZone keeps to the zone',
    from: spread,
    rules: prefer('PreferSameZone'),
    client: at('a1', 'a'),
    given: [onA1, onA2],
  },
  {
    says: 'PreferSameNode keeps to the node',
    from: spread,
    rules: prefer('PreferSameNode'),
    client: at('a1', 'a'),
    given: [onA1],
  },
  {
    says: 'PreferSameNode falls back to the zone',
    from: spread,
    rules: prefer('PreferSameNode'),
    client: at('a9', 'a'),
    given: [onA1, onA2],
  },
  {
    says: 'a preference that leaves nobody is not applied',
    from: spread,
    rules: prefer('PreferSameZone'),
    client: at('c1', 'c'),
    given: spread,
  },
  {
    says: 'a preference needs to know where the client is',
    from: spread,
    rules: prefer('PreferSameNode'),
    client: at('', ''),
    given: spread,
  },
  {
    says: 'hints go before the preference',
    from: [forA, forB],
    rules: prefer('PreferSameZone'),
    client: at('', 'a'),
    given: [forA],
  },
  {
    says: 'a pod with both families is given by IPv6',
    from: [v4, other, v6],
    rules: plain,
    client: at('', ''),
    given: [other, v6],
  },
  {
    says: 'a family in another zone does not count',
    from: [v4, other, v6],
    rules: prefer('PreferSameZone'),
    client: at('', 'a'),
    given: [v4],
  },
  {
    says: 'and by IPv4 where the mesh does not use IPv6',
    from: [v4, other, v6],
    rules: { ...plain, prefers: 'IPv4' },
    client: at('', ''),
    given: [v4, other],
  },
  { says: "bare addresses are nobody's pair", from: bare, rules: plain, client: at('', ''), given: bare },
];

test('a client is given the endpoints that the Service, its hints and its zone leave', () => {
  assert.equal(cases.length, 23);
  for (const { says, from, rules, client, given } of cases) {
    const keys = (endpoints: readonly Endpoint[]) => endpoints.map(({ key }) => key);
    assert.deepEqual(keys(endpointsFor(from, rules, client)), keys(given), says);
  }
});

test('clients of one zone are told apart by node only where that makes a difference', () => {
  assert.equal(dependsOnNode(spread, plain), false);
  assert.equal(dependsOnNode([forA, forB], plain), false);
  assert.equal(dependsOnNode(spread, prefer('PreferSameZone')), false);
  assert.equal(dependsOnNode(spread, prefer('PreferSameNode')), true);
  assert.equal(dependsOnNode(spread, local), true);
  assert.equal(dependsOnNode([forNodeA1, forNodeA2], plain), true);
});
