import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Attempt, evaluate } from '@gatehouse/core/inbound/evaluate-inbound';
import { identityOf, printIdentity } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { DirectorySource } from '@gatehouse/platform/kube/directory/directory-source';
import { matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { compileFromIndex } from '@gatehouse/policy/core/inbound/compile-from-index';
import { watchedKinds } from '@gatehouse/policy/ports/policy-watch';
import { aClusterConfig } from '@gatehouse/policy/testing/a-cluster-config';
import { aRequest, ipOf } from '@gatehouse/testing/inbound-attempt';
import { ManifestFolder } from '@gatehouse/testing/manifest-folder';
import { SourceObserver } from '@gatehouse/testing/observe-source';
import { RecordingLog } from '@gatehouse/testing/recording-log';

const page = await readFile(fileURLToPath(new URL('../../docs/recipes.md', import.meta.url)), 'utf8');
const [intro = '', ...recipes] = page.split(/^## /m);
const cluster = aClusterConfig();

const manifestsIn = (text: string): string =>
  [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, manifest]) => manifest).join('---\n');

interface Call {
  readonly client: string;
  readonly request: string;
  readonly verdict: string;
}

const callsIn = (text: string): readonly Call[] =>
  [...text.matchAll(/^\| (.*?) *\| (.*?) *\| (allowed|denied) *\|$/gm)].map(
    ([, client = '', request = '', verdict = '']) => ({ client, request, verdict }),
  );

const podNamed = (index: ResourceIndex, name: string): KubeObject<'Pod'> => {
  const [namespace = '', pod = ''] = name.split('/');
  const found = index.get('Pod', namespace, pod);
  assert(found !== undefined, `there is no pod ${name}`);
  return found;
};

/** `ns/pod`, `ns/pod` from `address`, or `address` without a certificate. */
const clientOf = (index: ResourceIndex, text: string): Pick<Attempt, 'client' | 'tls'> => {
  const [, who = '', address, bare] =
    /^`([^`]+)`(?: from `([^`]+)`|( without a certificate))?$/.exec(text) ?? [];
  if (bare !== undefined) return { client: ipOf(who), tls: { kind: 'none' } };
  const { meta, spec } = podNamed(index, who);
  const identity = identityOf(cluster.mesh, meta.namespace, spec.serviceAccount);
  return {
    client: ipOf(address ?? spec.ips[0] ?? ''),
    tls: { kind: 'identified', id: 'dns', name: printIdentity(identity) },
  };
};

/** `METHOD target` with `header: value` on `ns/pod:port`, or raw TCP on it. */
const requestOf = (
  text: string,
): { readonly traffic: Attempt['traffic']; readonly pod: string; readonly port: number } => {
  const [, line, header, pod = '', port = ''] =
    /^(?:`([^`]+)`(?: with `([^`]+)`)?|raw TCP) on `([^`]+):(\d+)`$/.exec(text) ?? [];
  assert(pod !== '', `${text} is not understood`);
  if (line === undefined) return { traffic: { kind: 'tcp' }, pod, port: Number(port) };
  const [method = '', target = ''] = line.split(' ');
  const [name = '', value = ''] = header?.split(': ') ?? [];
  const headers = header === undefined ? [] : [{ name, value }];
  return { traffic: { kind: 'http', ...aRequest({ method, target, headers }) }, pod, port: Number(port) };
};

/** What the proxy of the pod does with the call, by the row that it is sent. */
const verdictOf = (index: ResourceIndex, { client, request }: Call): string => {
  const { traffic, pod, port } = requestOf(request);
  const { server, findings } = compileFromIndex(index, podNamed(index, pod), port, {
    cluster,
    matchesRegex: matchesWhole,
  });
  assert.deepEqual(findings, [], `${pod}:${port}`);
  return evaluate(server, { ...clientOf(index, client), traffic }, matchesWhole).kind;
};

test('the page has ten recipes', () => assert.equal(recipes.length, 10));

for (const recipe of recipes) {
  const [title = ''] = recipe.split('\n', 1);
  test(`the recipe "${title}" does what its table says`, async (t) => {
    await using folder = await ManifestFolder.make();
    await folder.write('pods.yaml', manifestsIn(intro));
    await folder.write('policy.yaml', manifestsIn(recipe));
    const log = new RecordingLog();
    const source = new DirectorySource({ path: folder.path, controlPlaneNamespace: 'gatehouse', log });
    const observer = new SourceObserver(source, watchedKinds);
    t.after(() => observer.stop());
    await observer.until((index) => index.isSynced(watchedKinds));
    assert.deepEqual([...log.lines('warn'), ...log.lines('error')], []);
    const calls = callsIn(recipe);
    assert.equal(calls.length, recipe.match(/^\| [^-]/gm)?.slice(1).length);
    // Both verdicts occur, or a policy that does nothing, or everything, would do.
    assert.deepEqual(new Set(calls.map(({ verdict }) => verdict)), new Set(['allowed', 'denied']));
    for (const call of calls) {
      assert.equal(verdictOf(observer.index, call), call.verdict, `${call.client}: ${call.request}`);
    }
  });
}
