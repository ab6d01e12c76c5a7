import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HttpFilter, PathMatch } from '@gatehouse/core/inbound/inbound-server';
import { applyFilters } from './apply-filters.ts';
import type { HttpRequest } from './http-message.ts';

const request: HttpRequest = {
  version: 1,
  method: 'GET',
  path: '/api/items?color=blue',
  authority: 'backend.demo:8080',
  headers: [
    ['x-a', '1'],
    ['x-b', '2'],
  ],
  body: undefined,
  signal: new AbortController().signal,
};

test('request headers are added, then set, then removed', () => {
  const filter: HttpFilter = {
    kind: 'request-headers',
    add: [{ name: 'X-A', value: '3' }],
    set: [{ name: 'x-b', value: '4' }],
    remove: ['x-c', 'X-A'],
  };
  const filtered = applyFilters(request, [filter], undefined);
  assert.deepEqual(filtered.kind === 'pass' && filtered.request.headers, [['x-b', '4']]);
});

test('redirects say where to go: nine of them', () => {
  const api: PathMatch = { kind: 'prefix', value: '/api' };
  const cases: [Partial<Extract<HttpFilter, { kind: 'redirect' }>>, PathMatch | undefined, unknown][] = [
    [{ host: 'new.demo' }, undefined, [301, 'http://new.demo/api/items?color=blue']],
    [{ port: 9000, status: 302 }, undefined, [302, 'http://backend.demo:9000/api/items?color=blue']],
    [{ scheme: 'https' }, undefined, [301, 'https://backend.demo:8080/api/items?color=blue']],
    [{ path: { kind: 'full', value: '/new' } }, undefined, [301, 'http://backend.demo:8080/new']],
    [{ path: { kind: 'prefix', value: '/v2/' } }, api, [301, 'http://backend.demo:8080/v2/items?color=blue']],
    [{ path: { kind: 'prefix', value: '/' } }, api, [301, 'http://backend.demo:8080/items?color=blue']],
    [{ path: { kind: 'prefix', value: '/v2' } }, undefined, 'bad-redirect'],
    [{ path: { kind: 'prefix', value: '/v2' } }, { kind: 'exact', value: '/api/items' }, 'bad-redirect'],
    [{ host: 'backend.demo', port: 8080 }, undefined, 'pass'],
  ];
  assert.equal(cases.length, 9);
  for (const [redirect, matched, expected] of cases) {
    const outcome = applyFilters(request, [{ kind: 'redirect', ...redirect }], matched);
    const found =
      outcome.kind === 'answer'
        ? [outcome.answer.status, new Map(outcome.answer.headers).get('location')]
        : outcome.kind;
    assert.deepEqual(found, expected, JSON.stringify(redirect));
  }
});
