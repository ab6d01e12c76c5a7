import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import {
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  aRejected,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import { aSituation, asPod, at, backend, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

const seed = aNetworkAuthenticationPolicy();

describe('what governs a port', () => {
  const open = {
    target: {
      ...backend,
      meta: {
        ...backend.meta,
        annotations: { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
      },
    },
  };
  const stranger = at('192.0.2.1');

  it('an Enforce policy makes deny the base of the ports it selects, and of no other', () => {
    const situation = aSituation({ ...open, networkAuthenticationPolicies: [seed] });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.equal(verdictOf({ ...situation, port: 9000 }, stranger), 'allowed');
    assert.equal(verdictOf(aSituation(open), stranger), 'allowed');
  });

  it('an Audit policy grants nothing and closes nothing', () => {
    const audited = aNetworkAuthenticationPolicy({ mode: 'Audit' });
    assert.equal(
      verdictOf(aSituation({ ...open, networkAuthenticationPolicies: [audited] }), stranger),
      'allowed',
    );
    assert.equal(
      verdictOf(aSituation({ networkAuthenticationPolicies: [audited] }), asPod(frontend)),
      'unauthorized',
    );
  });

  it('a policy with empty sources closes and admits nobody', () => {
    const empty = aNetworkAuthenticationPolicy({ sources: [] });
    assert.equal(
      verdictOf(aSituation({ ...open, networkAuthenticationPolicies: [empty] }), stranger),
      'unauthorized',
    );
  });

  it('policies for all ports leave the proxy its own', () => {
    const all = aNetworkAuthenticationPolicy({ ports: 'all' });
    for (const [port, expected] of [
      [8080, 'unauthorized'],
      [4143, 'allowed'],
      [4190, 'allowed'],
      [4191, 'allowed'],
    ] as const) {
      assert.equal(
        verdictOf(aSituation({ ...open, port, networkAuthenticationPolicies: [all] }), stranger),
        expected,
      );
    }
  });

  it('a Server takes over from default and policies: its accessPolicy opens, and the policy is told so', () => {
    const situation = aSituation({
      networkAuthenticationPolicies: [seed],
      servers: [aServer({ accessPolicy: 'all-unauthenticated' })],
    });
    assert.equal(verdictOf(situation, stranger), 'allowed');
    assert.deepEqual(findingsOf(situation), ['OpenedByServer frontend-can-talk-to-backend']);
    const { governedBy, server } = compileSituation(situation);
    assert.deepEqual(governedBy, {
      kind: 'server',
      server: { kind: 'Server', namespace: 'demo', name: 'a' },
      base: 'all-unauthenticated',
    });
    assert.deepEqual(server.meta, {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'server', name: 'a' },
    });
  });

  it('a Server names the port and says its protocol', () => {
    const protocols = [
      ['unknown', 'detect', true],
      ['HTTP/1', 'http1', true],
      ['HTTP/2', 'http2', true],
      ['gRPC', 'grpc', true],
      ['opaque', 'opaque', false],
      ['TLS', 'tls', false],
    ] as const;
    for (const [proxyProtocol, kind, hasRoutes] of protocols) {
      const situation = aSituation({ ...open, servers: [aServer({ name: 'web', proxyProtocol })] });
      const { protocol, meta } = compileSituation(situation).server;
      assert.deepEqual([protocol.kind, 'routes' in protocol], [kind, hasRoutes]);
      const resource = { group: 'policy.linkerd.io', kind: 'server', name: 'web' };
      assert.deepEqual(meta, { kind: 'resource', resource });
    }
    assert.equal(protocols.length, 6);
  });

  it('a Server that denies is joined by the grants of policies', () => {
    const situation = aSituation({ networkAuthenticationPolicies: [seed], servers: [aServer()] });
    assert.equal(verdictOf(situation, asPod(frontend)), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder)), 'unauthorized');
    assert.deepEqual(findingsOf(situation), []);
  });

  it('while a manifest is unreadable, nothing is open that is not granted', () => {
    const unread = { ...open, unreadableManifests: 'some' } as const;
    assert.equal(verdictOf(aSituation(unread), stranger), 'unauthorized');
    assert.deepEqual(compileSituation(aSituation(unread)).governedBy, { kind: 'unreadable-manifest' });
    const opened = { ...unread, servers: [aServer({ accessPolicy: 'all-unauthenticated' })] };
    assert.equal(verdictOf(aSituation(opened), stranger), 'unauthorized');
    const granted = { ...unread, networkAuthenticationPolicies: [seed] };
    assert.equal(verdictOf(aSituation(granted), asPod(frontend)), 'allowed');
  });

  it('a rejected policy closes what it still names and grants nothing', () => {
    const rejected = aRejected('NetworkAuthenticationPolicy', {
      name: 'broken',
      closes: { selector: labelled({ app: 'backend' }), ports: [{ kind: 'range', first: 8080, last: 8080 }] },
    });
    const situation = aSituation({ ...open, networkAuthenticationPolicies: [rejected] });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.equal(verdictOf({ ...situation, port: 9000 }, stranger), 'allowed');
    assert.deepEqual(findingsOf(situation), ['Rejected broken']);
    const opened = { ...situation, servers: [aServer({ accessPolicy: 'all-unauthenticated' })] };
    assert.equal(verdictOf(opened, stranger), 'unauthorized');
    const others = { ...situation, networkAuthenticationPolicies: [seed, rejected] };
    assert.equal(verdictOf(others, asPod(frontend)), 'allowed');
  });

  it('a rejected policy whose ports nobody can read closes also the ports of the proxy', () => {
    const rejected = aRejected('NetworkAuthenticationPolicy', {
      closes: { selector: everything, ports: 'all' },
    });
    assert.equal(
      verdictOf(aSituation({ ...open, port: 4191, networkAuthenticationPolicies: [rejected] }), stranger),
      'unauthorized',
    );
  });

  it('a rejected Server keeps its place with deny, and what is granted through it is void', () => {
    const closes = { selector: everything, ports: [{ kind: 'range', first: 8080, last: 8080 } as const] };
    const rejected = aRejected('Server', { name: 'a', closes });
    const younger = aServer({ name: 'b', createdAt: 1, accessPolicy: 'all-unauthenticated' });
    const situation = aSituation({
      ...open,
      servers: [younger, rejected],
      authorizationPolicies: [anAuthorizationPolicy({ name: 'everybody', authentications: [] })],
    });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.deepEqual(findingsOf(situation), ['Rejected a', 'Overlapped b', 'TargetRejected everybody']);
    const granted = { ...situation, networkAuthenticationPolicies: [seed] };
    assert.equal(verdictOf(granted, asPod(frontend)), 'allowed');
  });
});
