import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeRequest } from '../client/client.ts';
import { type Access, reviewAccess } from './access-review.ts';

const user = { name: 'jane', uid: '7', groups: ['g'], extra: { 'example.org/x': ['y'] } };
const path: Access = { kind: 'path', verb: 'get', path: '/v1/health' };

const ask = async (status: number, body: unknown, access: Access = path) => {
  const sent: KubeRequest[] = [];
  const request = async (one: KubeRequest) => {
    sent.push(one);
    return { status, retryAfterMs: undefined, body: Buffer.from(JSON.stringify(body)) };
  };
  const signal = AbortSignal.abort();
  return { sent, verdict: await reviewAccess({ request }, { user, access, signal }) };
};

const review = (status: unknown, spec: unknown = { user: 'jane' }) => ({
  kind: 'SubjectAccessReview',
  spec,
  status,
});

test('the question names the user as the API server did, and the path or the resource', async () => {
  const resource: Access = {
    kind: 'resource',
    verb: 'get',
    group: 'gatehouse.dev',
    resource: 'streams',
    namespace: 'demo',
  };
  const asked = [];
  for (const access of [path, resource]) {
    const { sent } = await ask(201, review({ allowed: true }), access);
    asked.push(...sent.map(({ method, path: at, body }) => ({ method, at, body })));
  }
  const who = { user: 'jane', uid: '7', groups: ['g'], extra: { 'example.org/x': ['y'] } };
  const of = (spec: object) => ({
    method: 'POST',
    at: '/apis/authorization.k8s.io/v1/subjectaccessreviews',
    body: {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: { ...who, ...spec },
    },
  });
  const { kind: _, ...resourceAttributes } = resource;
  assert.deepEqual(asked, [
    of({ nonResourceAttributes: { verb: 'get', path: '/v1/health' } }),
    of({ resourceAttributes }),
  ]);
});

test('only a plain yes is one', async () => {
  const verdicts = [];
  for (const status of [
    { allowed: true },
    { allowed: true, denied: false, reason: 'RBAC: allowed' },
    { allowed: false },
    { allowed: false, denied: true, reason: 'a webhook says no' },
    { allowed: true, denied: true },
    { allowed: false, evaluationError: 'a role is missing' },
  ]) {
    verdicts.push((await ask(201, review(status))).verdict);
  }
  assert.deepEqual(verdicts, [
    { kind: 'allowed' },
    { kind: 'allowed' },
    { kind: 'refused', why: '' },
    { kind: 'refused', why: 'a webhook says no' },
    { kind: 'refused', why: '' },
    { kind: 'refused', why: '' },
  ]);
});

test('what is no answer is `unavailable`, with what to do where that is known', async () => {
  const table: readonly (readonly [number, unknown, RegExp])[] = [
    [403, { kind: 'Status', message: 'forbidden' }, /grant create on subjectaccessreviews/],
    [500, {}, /does not say who may do what at the moment \(500\)/],
    [429, {}, /\(429\)/],
    [404, 'not found', /\(404\)/],
    [201, [], /it is not a SubjectAccessReview/],
    [201, { kind: 'Status' }, /it is not a SubjectAccessReview/],
    [201, { kind: 'TokenReview', status: { allowed: true } }, /it is not a SubjectAccessReview/],
    [201, review({ allowed: true }, { user: 'joe' }), /it is about another user/],
    [201, review({}), /its status has no form/],
    [201, review({ allowed: 'true' }), /its status has no form/],
    [201, review({ allowed: true, denied: 1 }), /its status has no form/],
  ];
  assert.equal(table.length, 11);
  for (const [status, body, message] of table) {
    await assert.rejects(ask(status, body), { code: 'unavailable', message });
  }
});
