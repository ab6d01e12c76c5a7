import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckContext } from '@gatehouse/cli/commands/check/check-context';
import { isLooser } from '@gatehouse/cli/commands/check/check-injection';
import { ClusterReader } from '@gatehouse/cli/commands/check/cluster-reader';
import type { Finding } from '@gatehouse/cli/commands/check/finding';
import { sectionsOf } from '@gatehouse/cli/commands/check/sections';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { judgementCases, now, type Situation } from './judgement-cases.ts';

const run = async (
  name: string,
  { objects = {}, may = true, rest = {} }: Situation,
): Promise<readonly Finding[]> => {
  const client = {
    server: 'test',
    request: async ({ method, path }: { readonly method?: string; readonly path: string }) => {
      const answer = method === 'POST' ? { status: { allowed: may } } : objects[path];
      const status = answer === undefined ? 404 : 200;
      return { status, retryAfterMs: undefined, body: Buffer.from(JSON.stringify(answer ?? {})) };
    },
  };
  const context: CheckContext = {
    cluster: new ClusterReader(client as unknown as KubeClient, new AbortController().signal),
    namespace: 'gatehouse',
    of: undefined,
    now: () => now,
    api: async (service) => ({
      place: service,
      text: async () => '',
      json: async (_schema, path) => {
        const answer = rest[`${service} ${path}`];
        assert.ok(answer !== undefined, `${service} is asked for ${path}`);
        return answer as never;
      },
    }),
  };
  const checks = [...sectionsOf({}), ...sectionsOf({ pre: true })].flatMap((section) => section.checks);
  const check = checks.find((one) => one.name === name);
  assert.ok(check !== undefined, `there is a check ${name}`);
  return [await check.run(context)].flat();
};

for (const [name, world, status, found] of judgementCases)
  test(`${name}: ${status}, ${found.source}`, async () => {
    const [finding] = await run(name, world);
    assert.ok(finding !== undefined);
    assert.equal(finding.status, status, finding.found);
    assert.match(finding.found, found);
  });

test('of two default policies the one that admits more is looser', () => {
  const looser: readonly (readonly [string, string])[] = [
    ['all-unauthenticated', 'deny'],
    ['cluster-authenticated', 'deny'],
    ['all-authenticated', 'cluster-authenticated'],
    ['all-authenticated', 'cluster-unauthenticated'],
    ['cluster-unauthenticated', 'all-authenticated'],
    ['audit', 'all-authenticated'],
  ];
  for (const [one, other] of looser) assert.ok(isLooser(one, other), `${one} ${other}`);
  for (const [one, other] of looser.filter(([one]) => !/^(?:all-a|cluster-un)/.test(one)))
    assert.ok(!isLooser(other, one), `${other} ${one}`);
  for (const same of ['deny', 'audit', 'all-authenticated']) assert.ok(!isLooser(same, same));
});
