import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import { defaultObjectBudgets } from '@gatehouse/core/resources/object-budgets';
import type { KubeClient, KubeRequest, KubeResponse } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readObject } from '@gatehouse/platform/kube/read-object';
import { silentLog } from '@gatehouse/platform/log/log';
import { aNamespace } from '@gatehouse/testing/builders';
import { eventually } from '@gatehouse/testing/grpc';
import { JudgedMesh } from '../../../testing/judged-mesh.ts';
import { type StatusResult, StatusWriter, type StatusWriterOptions } from './status-writer.ts';

const policyNamed = (name: string): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { namespace: 'demo', name, uid: name, resourceVersion: '1', generation: 1 },
  spec: { target: { selector: { matchLabels: { app: name } } }, sources: [] },
});

const read = (wire: WireObject): KubeObject => {
  const found = readObject('NetworkAuthenticationPolicy', wire);
  if (found.outcome !== 'read') throw new Error('it is a policy');
  return found.object;
};

/** An API server that has policies and nothing else; `answer` says what comes of a write. */
class Policies implements Pick<KubeClient, 'request'> {
  readonly objects = new Map<string, WireObject>();
  readonly calls: string[] = [];
  answer: (name: string) => number = () => 200;

  request({ method = 'GET', path, query = {}, body }: KubeRequest): Promise<KubeResponse> {
    this.calls.push(method);
    const [, name = ''] = /networkauthenticationpolicies\/([^/]+)/.exec(path) ?? [];
    const said = (status: number, json: object = {}) =>
      Promise.resolve({ status, retryAfterMs: undefined, body: Buffer.from(JSON.stringify(json)) });
    if (!path.includes('networkauthenticationpolicies')) return said(200, { items: [], metadata: {} });
    if (name === '') {
      const all = [...this.objects.values()];
      const from = Number(query.continue ?? 0);
      const to = from + Number(query.limit);
      return said(200, {
        items: all.slice(from, to),
        metadata: to < all.length ? { continue: `${to}` } : {},
      });
    }
    const object = this.objects.get(name);
    if (object === undefined) return said(404);
    if (method === 'GET') return said(200, object);
    const status = this.answer(name);
    if (status === 200) this.objects.set(name, { ...object, status: (body as WireObject).status });
    return said(status);
  }
}

const writing = (t: TestContext, count: number) => {
  const api = new Policies();
  const mesh = new JudgedMesh().put(aNamespace());
  for (let at = 0; at < count; at += 1) {
    const wire = policyNamed(`p${at}`);
    api.objects.set(`p${at}`, wire);
    mesh.put(read(wire));
  }
  const results: StatusResult[] = [];
  const start = (more: Partial<StatusWriterOptions> = {}) => {
    const writer = new StatusWriter({
      client: api as unknown as KubeClient,
      index: mesh.index,
      budgets: defaultObjectBudgets,
      judge: (object) => mesh.judgements.of(object),
      isReady: () => true,
      mayWrite: () => true,
      log: silentLog,
      onResult: (result) => results.push(result),
      ...more,
    });
    const over = new AbortController();
    const running = writer.run(over.signal);
    const stop = async () => {
      over.abort();
      await running;
    };
    t.after(stop);
    writer.lead(true);
    return { writer, stop };
  };
  return { api, mesh, results, start };
};

it('writes what differs, and after a restart reads lists and writes nothing', async (t) => {
  const { api, results, start } = writing(t, 15);
  const first = start();
  await eventually(() => results.length === 15);
  await first.stop();
  assert.deepEqual(new Set(results), new Set(['written']));
  const { conditions, observedGeneration } = (api.objects.get('p3')?.status ?? {}) as WireObject;
  assert.deepEqual(
    [
      observedGeneration,
      (conditions as WireObject[]).map(({ type, status, reason }) => `${type} ${status} ${reason}`),
    ],
    [1, ['Accepted True Accepted', 'ResolvedRefs True ResolvedRefs', 'Effective False NoPodMatches']],
  );
  api.calls.length = 0;
  const second = start();
  await eventually(() => api.calls.length === 5 && second.writer.waiting === 0);
  assert.deepEqual(new Set(api.calls), new Set(['GET']));
  assert.equal(results.length, 15);
});

it('five thousand policies after a restart are ten pages of one list', async (t) => {
  const { api, mesh, start } = writing(t, 5_000);
  for (const [name, wire] of api.objects) {
    const { findings } = mesh.judgementOf(read(wire));
    const condition = (type: string, status: string, reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
      observedGeneration: 1,
      lastTransitionTime: '2026-01-01T00:00:00Z',
    });
    const message = findings.map((finding) => finding.message).join(' ');
    const conditions = [
      condition('Accepted', 'True', 'Accepted', ''),
      condition('ResolvedRefs', 'True', 'ResolvedRefs', ''),
      condition('Effective', 'False', 'NoPodMatches', message),
    ];
    api.objects.set(name, {
      ...wire,
      status: { conditions, matchedPods: 0, matchedSources: 0, observedGeneration: 1 },
    });
  }
  const { writer } = start();
  await eventually(() => api.calls.length === 14 && writer.waiting === 0);
  assert.deepEqual(new Set(api.calls), new Set(['GET']));
});

it('tries again what failed, and leaves what the API server refuses until it changes', async (t) => {
  const { api, mesh, results, start } = writing(t, 1);
  const answers = [503, 200];
  api.answer = () => answers.shift() ?? 422;
  const { writer } = start();
  await eventually(() => results.includes('written'));
  assert.deepEqual(results, ['failed', 'written']);
  const changed = { ...policyNamed('p0'), spec: { target: { selector: {} }, sources: [] } };
  api.objects.set('p0', changed);
  mesh.put(read(changed));
  writer.hear(mesh.catchUp());
  await eventually(() => results.includes('refused') && writer.waiting === 0);
});

it('says on how many proxies a policy is in force once that is known, and leaves what was said until then', async (t) => {
  const { api, results, start } = writing(t, 1);
  const said = {
    type: 'Programmed',
    status: 'True',
    reason: 'Programmed',
    message: 'In force on 1 of 1 proxy.',
  };
  const wire = api.objects.get('p0') ?? assert.fail();
  const times = { observedGeneration: 1, lastTransitionTime: '2026-01-01T00:00:00Z' };
  api.objects.set('p0', { ...wire, status: { conditions: [{ ...said, ...times }] } });
  let found: { state: 'InProgress'; message: string } | undefined;
  const { writer } = start({ programmedOf: () => found });
  const programmed = () =>
    (((api.objects.get('p0')?.status ?? {}) as WireObject).conditions as WireObject[]).find(
      ({ type }) => type === 'Programmed',
    );
  await eventually(() => results.includes('written'));
  assert.deepEqual(programmed(), { ...said, ...times });
  found = { state: 'InProgress', message: 'In force on 0 of 1 proxy.' };
  writer.hear([{ object: read(wire) as KubeObject<'NetworkAuthenticationPolicy'> }]);
  await eventually(() => results.length === 2);
  const { status, reason, message } = programmed() ?? {};
  assert.deepEqual([status, reason, message], ['False', 'InProgress', 'In force on 0 of 1 proxy.']);
});

it('does not write what is not what was judged', async (t) => {
  const { api, results, start } = writing(t, 1);
  api.objects.set('p0', { ...policyNamed('p0'), spec: { target: { selector: {} }, sources: [] } });
  start();
  await eventually(() => results.length > 0);
  assert.deepEqual([results[0], api.calls.includes('PATCH')], ['failed', false]);
});
