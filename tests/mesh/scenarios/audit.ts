import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Call } from '../agent/messages.ts';
import { eventually } from '../rig/eventually.ts';
import type { Pod } from '../rig/pod.ts';
import { parseMetrics, type Sample, total } from '../rig/proxy-metrics.ts';
import { echoed, refused, served } from './expectations.ts';
import { Fixture } from './fixture.ts';
import { app, networkAuthenticationPolicy } from './policies.ts';
import type { Scenario } from './scenario.ts';

const ports = { http: 8080, tcp: 7000 };
const open = { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' };

const audit = (title: string, play: Parameters<typeof Fixture.play>[1]): Scenario => ({
  part: 'audit',
  title,
  run: (mesh, observer) => Fixture.play({ mesh, observer, ports }, play),
});

/** Frontend may call backend: the policy of docs/policy.md. */
const name = 'frontend-can-talk-to-backend';
const policy = ({ namespace }: Fixture, mode: 'Audit' | 'Enforce', from = 'frontend') =>
  networkAuthenticationPolicy(namespace, from === 'frontend' ? name : `${from}-too`, {
    mode,
    target: { selector: app('backend') },
    ports: [{ port: 8080 }, { port: 7000 }],
    sources: [{ podSelector: app(from) }],
  });

const direct = ({ address: host }: Pod, port: number, speaks: Call['speaks'] = 'http1'): Call => ({
  host,
  port,
  speaks,
});

const group = 'policy.linkerd.io';
const admitted = { authz_group: group, authz_kind: 'networkauthenticationpolicy', authz_name: name };
const wouldRefuse = { ...admitted, authz_kind: 'networkauthenticationpolicy-audit' };

/** Calls until the proxy of the server counts by these labels: whatever came of calls before says nothing. */
const untilCounted = (
  from: Pod,
  call: Call,
  to: Pod,
  labels: Readonly<Record<string, string>>,
): Promise<true> =>
  eventually(`${to.name}'s proxy to count by ${JSON.stringify(labels)}`, async () => {
    const count = async () => total(await to.metrics(), 'inbound_http_authz_allow_total', labels);
    const before = await count();
    await from.call(call);
    return (await count()) > before ? true : undefined;
  });

export const audits = (): readonly Scenario[] => [
  audit(
    'an Audit policy refuses nobody, its counters are those of docs/policy.md, and enforced it refuses whom they named',
    async (fixture) => {
      await fixture.declare(open);
      const backend = await fixture.pod('backend', { ports });
      const frontend = await fixture.pod('frontend');
      const other = await fixture.pod('other');
      const legacy = await fixture.pod('legacy', { meshed: false });
      const [http, tcp] = [direct(backend, 8080), direct(backend, 7000, 'tcp')];
      await fixture.put(policy(fixture, 'Audit'));
      await untilCounted(legacy, http, backend, wouldRefuse);
      for (const [from, labels] of [
        [frontend, admitted],
        [other, wouldRefuse],
        [legacy, wouldRefuse],
      ] as const) {
        await fixture.expect(from, http, served(labels));
        await fixture.expect(from, tcp, echoed(labels));
      }
      const samples = await backend.metrics();
      const documented = await documentedSamples();
      fixture.observer.check('proxy', () => {
        assert.equal(documented.length, 2);
        for (const sample of documented)
          assert.ok(
            samples.some((one) => isLike(one, sample, fixture)),
            `no sample is like that of docs/policy.md: ${JSON.stringify(sample)}\n${JSON.stringify(samples.filter((one) => one.name === sample.name))}`,
          );
      });

      await fixture.put(policy(fixture, 'Enforce'));
      const ms = await fixture.until(legacy, http, '403');
      await fixture.expect(other, http, refused());
      await fixture.expect(frontend, http, served(admitted));
      await fixture.put(policy(fixture, 'Audit'));
      await fixture.until(legacy, http, '200');
      await fixture.expect(other, http, served(wouldRefuse));
      return `enforced after ${Math.round(ms)} ms`;
    },
  ),

  audit(
    'of several Audit policies each is counted by its name, and whom none would admit is counted and logged as audit',
    async (fixture) => {
      await fixture.declare(open);
      const backend = await fixture.pod('backend', { ports });
      const frontend = await fixture.pod('frontend');
      const batch = await fixture.pod('batch');
      const other = await fixture.pod('other');
      const http = direct(backend, 8080);
      await fixture.put(policy(fixture, 'Audit'), policy(fixture, 'Audit', 'batch'));
      const byDefault = { authz_group: '', authz_kind: 'default', authz_name: 'audit' };
      await untilCounted(other, http, backend, byDefault);
      await fixture.expect(frontend, http, served(admitted));
      await fixture.expect(batch, http, served({ ...admitted, authz_name: 'batch-too' }));
      await fixture.expect(other, http, served(byDefault));
      const log = join(fixture.mesh.logs, `${fixture.namespace}-${backend.name}.proxy.log`);
      const lines = (await readFile(log, 'utf8'))
        .split('\n')
        .filter((line) => line.includes('Request allowed'));
      fixture.observer.check('proxy', () => {
        assert.ok(lines.length > 0, 'the proxy logged no request that none of the policies would admit');
        for (const line of lines) assert.match(line, new RegExp(other.address.replaceAll('.', '\\.')));
      });
      return `${lines.length} requests logged`;
    },
  ),
];

/** What docs/policy.md shows of a proxy's counters. */
const documentedSamples = async (): Promise<readonly Sample[]> => {
  const page = await readFile(new URL('../../../docs/policy.md', import.meta.url), 'utf8');
  return parseMetrics(page).filter(({ labels }) => labels.authz_name === name);
};

/** The same labels in the same order, with the addresses and the namespace of the scenario. */
const isLike = (one: Sample, documented: Sample, { namespace }: Fixture): boolean => {
  const own = ({ name: family, labels }: Sample): string =>
    JSON.stringify([
      family,
      ...Object.entries(labels).map(([label, value]) => [label, label.startsWith('target_') ? '' : value]),
    ]);
  return own(one).replaceAll(`.${namespace}.serviceaccount.`, '.demo.serviceaccount.') === own(documented);
};
