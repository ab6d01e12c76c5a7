import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { type Attempt, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import type { InboundServer } from '@gatehouse/core/inbound/inbound-server';
import { aNamespace, aNetworkAuthenticationPolicy, aPod, aServer } from '@gatehouse/testing/builders';
import { FakeSource } from '@gatehouse/testing/fake-source';
import { aGrpcClient } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';
import { policyNamed } from '../testing/a-rest-view.ts';
import { folders, start } from '../testing/a-started-service.ts';
import { asPod, at, trafficOf } from '../testing/situation.ts';
import { watchPort } from '../testing/watched-port.ts';

const backend = aPod({
  name: 'backend-0',
  labels: { app: 'backend' },
  ips: ['10.0.0.3'],
  ports: [{ name: 'http', port: 8080 }],
});
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.1'] });
const open = aNamespace({
  annotations: { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
});
const policy = (said: Parameters<typeof aNetworkAuthenticationPolicy>[0]) =>
  aNetworkAuthenticationPolicy({ name: 'frontend', ...said });

const callers = { frontend: asPod(frontend), stranger: at('10.0.0.9') };

/** For each caller the label under which it is counted, or that it is denied. */
const said = (server: InboundServer): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(callers).map(([name, caller]) => {
      const attempt: Attempt = { ...caller, traffic: trafficOf('GET /') };
      const verdict = evaluate(server, attempt, () => false);
      if (verdict.kind === 'denied') return [name, verdict.reason];
      const { authorization: meta } = verdict;
      return [
        name,
        meta.kind === 'default' ? `default/${meta.name}` : `${meta.resource.kind}/${meta.resource.name}`,
      ];
    }),
  );

test('a policy switched from Audit to Enforce and back changes what is counted and who is admitted on an open stream', async (t) => {
  const source = new FakeSource(open, backend, frontend);
  const { grpc } = await start(await folders(t), { source });
  const stream = watchPort(aGrpcClient(t, { address: grpc }));
  const counted = {
    frontend: 'networkauthenticationpolicy/frontend',
    stranger: 'networkauthenticationpolicy-audit/frontend',
  };
  const everyone = { frontend: 'default/all-unauthenticated', stranger: 'default/all-unauthenticated' };
  assert.deepEqual(said(await stream.message(0)), everyone);
  source.put(policy({ mode: 'Audit' }));
  assert.deepEqual(said(await stream.message(1)), counted);
  source.put(policy({ mode: 'Enforce' }));
  assert.deepEqual(said(await stream.message(2)), {
    frontend: 'networkauthenticationpolicy/frontend',
    stranger: 'unauthorized',
  });
  source.put(policy({ mode: 'Audit' }));
  assert.deepEqual(await stream.message(3), stream.messages[1]);
  // A pod that goes is counted with the others: the row follows pods as one that is enforced does.
  source.remove(frontend);
  assert.deepEqual(said(await stream.message(4)), {
    frontend: counted.stranger,
    stranger: counted.stranger,
  });
  source.remove(policy({}));
  assert.deepEqual(said(await stream.message(5)), everyone);
  stream.cancel();
});

test('`include=audit` shows what enforcing Audit policies would make of a port, and where that is counted', async (t) => {
  const where = await folders(t);
  const audits = [
    policy({ mode: 'Audit' }),
    policy({
      name: 'reads',
      mode: 'Audit',
      createdAt: 2,
      rules: [{ methods: ['GET'] }],
      sources: [{ serviceAccounts: [{ namespace: 'demo', name: 'default' }] }],
    }),
    policy({ name: 'served', mode: 'Audit', ports: [{ kind: 'range', first: 9000, last: 9000 }] }),
  ];
  const source = new FakeSource(
    open,
    backend,
    frontend,
    ...audits,
    aServer({
      name: 'web',
      port: { kind: 'range', first: 9000, last: 9000 },
      accessPolicy: 'all-unauthenticated',
    }),
  );
  const { admin } = await start(where, { source });
  const token = (await readFile(join(where.state, 'admin-token'), 'utf8')).trim();
  const read = async (path: string) =>
    (await ask(`${admin}/v1/workloads/demo/backend-0${path}`, { token })).json;

  const plain = await read('/ports/8080');
  assert.equal('audit' in plain, false);
  const { audit, ...same } = await read('/ports/8080?include=audit');
  assert.deepEqual(same, plain);
  // Each admitted client is admitted by the default; what the proxy is sent has the labels for counting.
  const by = (items: readonly { by: { object?: { kind: string; name: string }; name?: string } }[]) =>
    items.map(({ by: { object, name } }) => (object === undefined ? name : `${object.kind}/${object.name}`));
  assert.deepEqual(by(plain.row.clients), ['all-unauthenticated']);
  assert.deepEqual(by(plain.row.authorizations), ['NetworkAuthenticationPolicy/frontend', 'audit']);
  assert.equal(plain.row.access, 'open');

  assert.deepEqual(audit.policies, [policyNamed('frontend'), policyNamed('reads')]);
  assert.deepEqual(
    [audit.counting.kind, audit.counting.labels],
    ['upper-bound', { authz_group: '', authz_kind: 'default', authz_name: 'audit' }],
  );
  assert.deepEqual(audit.row.governedBy.text, 'NetworkAuthenticationPolicy frontend, reads');
  assert.deepEqual(by(audit.row.clients), [
    'NetworkAuthenticationPolicy/frontend',
    'NetworkAuthenticationPolicy/reads',
  ]);
  assert.deepEqual(
    audit.row.clients[1].requests.map(({ text }: { text: string }) => text),
    ['GET /*'],
  );

  const served = await read('/ports/9000?include=audit');
  assert.deepEqual([served.audit.counting.kind, served.audit.counting.labels], ['none', null]);
  assert.match(served.audit.counting.text, /^the proxy counts nothing: a Server governs the port/);
  assert.deepEqual(
    served.audit.row.conditions.map(({ reason, about }: { reason: string; about: { name: string } }) => [
      reason,
      about.name,
    ]),
    [['OpenedByServer', 'served']],
  );

  const report = await read('?include=audit');
  const ports = [...report.ports, report.otherPorts];
  assert.deepEqual(
    ports.map(({ audit: found }) => found?.policies.map(({ name }: { name: string }) => name) ?? null),
    [null, ['frontend', 'reads'], ['served'], null],
  );
  assert.deepEqual(report.ports[1].audit, audit);
  const refused = await ask(`${admin}/v1/workloads/demo/backend-0?include=everything`, { token });
  assert.equal(refused.status, 400);

  // What was shown is what comes.
  const enforced = audits.map((one) => ({ ...one, spec: { ...one.spec, mode: 'Enforce' } }) as typeof one);
  source.put(...enforced);
  const now = await read('/ports/8080?include=audit');
  assert.deepEqual([now.row, now.audit], [audit.row, null]);
});
