import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { fieldsOf, metaOf } from '@gatehouse/dev/api-server/object-meta';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { type AWebhook, startWebhook, type WebhookVerdict } from './a-webhook.ts';
import { aClient, type Client } from './client.ts';
import type { OpenedServer } from './contract-story.ts';
import { topCrd } from './top-crd.ts';

interface WebhookStory extends Client {
  readonly configMaps: string;
  readonly tops: string;
  readonly webhook: AWebhook;
  /** Registers the webhook for the story's namespace alone, with what is said besides. */
  register(kind: 'Validating' | 'Mutating', said?: WireObject): Promise<void>;
}

const base = '/apis/admissionregistration.k8s.io/v1';
const aConfigMap = (name: string): WireObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name },
  data: { k: 'v' },
});
const everything = (resources: readonly string[], apiGroups = [''], apiVersions = ['v1']) => ({
  apiGroups,
  apiVersions,
  operations: ['CREATE', 'UPDATE', 'DELETE'],
  resources,
});

/** How an API server asks admission webhooks: run on the fake, and on the real one. */
export const webhookContract = (
  name: string,
  { skip = false, open }: { readonly skip?: string | false; readonly open: () => Promise<OpenedServer> },
): void => {
  suite(`${name} asks webhooks`, { skip }, () => {
    let server: OpenedServer;
    let count = 0;
    before(async () => {
      server = await open();
      const { request } = aClient(server);
      await request('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', topCrd);
      while ((await request('GET', '/apis/ex.io/v1/tops')).code !== 200);
    });
    after(() => server.stop());

    const story = async (
      decide: (request: WireObject) => WebhookVerdict,
      tell: (story: WebhookStory) => Promise<void>,
    ): Promise<void> => {
      const client = aClient(server);
      count += 1;
      const namespace = `hooked-${count}`;
      const webhook = await startWebhook(decide);
      const registered: string[] = [];
      await client.request('POST', '/api/v1/namespaces', {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: namespace, labels: { story: namespace } },
      });
      const configMaps = `/api/v1/namespaces/${namespace}/configmaps`;
      try {
        await tell({
          ...client,
          configMaps,
          tops: `/apis/ex.io/v1/namespaces/${namespace}/tops`,
          webhook,
          register: async (kind, said = {}) => {
            const path = `${base}/${kind.toLowerCase()}webhookconfigurations`;
            registered.push(`${path}/${namespace}`);
            const made = await client.request('POST', path, {
              apiVersion: 'admissionregistration.k8s.io/v1',
              kind: `${kind}WebhookConfiguration`,
              metadata: { name: namespace },
              webhooks: [
                {
                  name: 'hook.ex.io',
                  admissionReviewVersions: ['v1'],
                  sideEffects: 'None',
                  timeoutSeconds: 5,
                  clientConfig: webhook.clientConfig,
                  namespaceSelector: { matchLabels: { story: namespace } },
                  rules: [everything(['configmaps'])],
                  ...said,
                },
              ],
            });
            assert.equal(made.code, 201, `${made.body.message}`);
            // The real server takes a moment until it asks a new webhook.
            await untilAsked(client, { configMaps, webhook });
          },
        });
      } finally {
        for (const path of registered) await client.request('DELETE', path);
        await webhook.stop();
      }
    };

    test('a validating webhook may refuse, in its own words', () =>
      story(
        ({ name: of }) =>
          of === 'bad'
            ? { allowed: false, status: { code: 403, message: 'it is bad' }, warnings: ['mind this'] }
            : { allowed: true, warnings: ['mind that'] },
        async ({ request, configMaps, register }) => {
          await register('Validating');
          const refused = await request('POST', configMaps, aConfigMap('bad'));
          assert.deepEqual(
            [refused.code, refused.body.message],
            [403, 'admission webhook "hook.ex.io" denied the request: it is bad'],
          );
          const made = await request('POST', configMaps, aConfigMap('good'));
          assert.equal(made.code, 201);
          assert.match(`${made.headers.warning}`, /^299 - "mind that"$/);
        },
      ));

    test('a refusal without a word is a 400 that says so', () =>
      story(
        ({ name: of }) => ({ allowed: of !== 'bad' }),
        async ({ request, configMaps, register }) => {
          await register('Validating');
          const { code, body } = await request('POST', configMaps, aConfigMap('bad'));
          assert.deepEqual(
            [code, body.message],
            [400, 'admission webhook "hook.ex.io" denied the request without explanation'],
          );
        },
      ));

    test('a webhook is shown both states, the operation and the caller', () =>
      story(
        () => ({ allowed: true }),
        async ({ request, configMaps, register, webhook }) => {
          await register('Validating');
          await request('POST', configMaps, aConfigMap('a'));
          const patch = { 'content-type': 'application/merge-patch+json' };
          await request('PATCH', `${configMaps}/a`, { data: { k: 'w' } }, patch);
          await request('DELETE', `${configMaps}/a`);
          const seen = webhook.asked
            .filter(({ name: of }) => of === 'a')
            .map(({ operation, object, oldObject, dryRun, kind, resource, userInfo }) => [
              operation,
              fieldsOf(fieldsOf(object).data).k,
              fieldsOf(fieldsOf(oldObject).data).k,
              dryRun,
              kind,
              resource,
              typeof fieldsOf(userInfo).username,
            ]);
          const kind = { group: '', version: 'v1', kind: 'ConfigMap' };
          const resource = { group: '', version: 'v1', resource: 'configmaps' };
          assert.deepEqual(seen, [
            ['CREATE', 'v', undefined, false, kind, resource, 'string'],
            ['UPDATE', 'w', 'v', false, kind, resource, 'string'],
            ['DELETE', undefined, 'w', false, kind, resource, 'string'],
          ]);
        },
      ));

    test('a mutating webhook changes the object before its schema is enforced', () =>
      story(
        ({ name: of, kind }) => {
          const custom = fieldsOf(kind).kind === 'Top';
          const path = custom ? '/spec/port' : '/data/added';
          const value = custom ? (of === 'bad' ? true : 8) : 'yes';
          const patch = Buffer.from(JSON.stringify([{ op: 'add', path, value }])).toString('base64');
          return { allowed: true, patchType: 'JSONPatch', patch };
        },
        async ({ request, configMaps, tops, register }) => {
          await register('Mutating', {
            rules: [everything(['configmaps']), everything(['tops'], ['ex.io'])],
          });
          const { body } = await request('POST', configMaps, aConfigMap('a'));
          assert.deepEqual(body.data, { k: 'v', added: 'yes' });
          const top = (of: string) => ({
            apiVersion: 'ex.io/v1',
            kind: 'Top',
            metadata: { name: of },
            spec: {},
          });
          assert.equal(fieldsOf((await request('POST', tops, top('good'))).body.spec).port, 8);
          assert.equal((await request('POST', tops, top('bad'))).code, 422);
        },
      ));

    test('a webhook that answers nonsense fails the write, or is passed over, by its failurePolicy', () =>
      story(
        ({ name: of }) => (of === 'bad' ? { uid: 'another', allowed: true } : { allowed: true }),
        async ({ request, configMaps, register }) => {
          await register('Validating');
          const { code, body } = await request('POST', configMaps, aConfigMap('bad'));
          assert.deepEqual([code, body.reason], [500, 'InternalError']);
          assert.match(`${body.message}`, /^Internal error occurred: failed calling webhook "hook.ex.io": /);
        },
      ));

    test('a webhook that does not answer in its time is passed over when it may be', () =>
      story(
        ({ name: of }) => (of === 'slow' ? undefined : { allowed: true }),
        async ({ request, configMaps, register, webhook }) => {
          await register('Validating', { failurePolicy: 'Ignore', timeoutSeconds: 1 });
          assert.equal((await request('POST', configMaps, aConfigMap('slow'))).code, 201);
          assert.equal(
            webhook.asked.some(({ name: of }) => of === 'slow'),
            true,
          );
        },
      ));

    test('rules and selectors say what a webhook is asked about', () =>
      story(
        () => ({ allowed: true }),
        async ({ request, tops, configMaps, register, webhook }) => {
          const objectSelector = { matchExpressions: [{ key: 'skip', operator: 'DoesNotExist' }] };
          await register('Validating', {
            objectSelector,
            // Asked about v1, shown v2: the kind is the same.
            rules: [everything(['tops'], ['ex.io'], ['v2']), everything(['configmaps'])],
          });
          const top = (of: string, labels: WireObject) => ({
            apiVersion: 'ex.io/v1',
            kind: 'Top',
            metadata: { name: of, labels },
            spec: { port: 1 },
          });
          await request('POST', tops, top('a', {}));
          await request('POST', tops, top('b', { skip: 'me' }));
          await request(
            'PATCH',
            `${tops}/a/status`,
            { status: { x: 1 } },
            {
              'content-type': 'application/merge-patch+json',
            },
          );
          await request('POST', configMaps.replace('/configmaps', '/secrets'), {
            apiVersion: 'v1',
            kind: 'Secret',
            metadata: { name: 's' },
          });
          const seen = webhook.asked
            .filter(({ name: of }) => ['a', 'b', 's'].includes(`${of}`))
            .map(({ name: of, kind, requestKind, object, operation }) => [
              operation,
              of,
              fieldsOf(kind).version,
              fieldsOf(requestKind).version,
              fieldsOf(object).apiVersion,
            ]);
          assert.deepEqual(seen, [['CREATE', 'a', 'v2', 'v1', 'ex.io/v2']]);
        },
      ));
  });
};

/** Makes an object again under another name until the webhook has heard of one. */
const untilAsked = async (
  { request }: Client,
  { configMaps, webhook }: { readonly configMaps: string; readonly webhook: AWebhook },
): Promise<void> => {
  for (let round = 0; webhook.asked.length === 0; round += 1) {
    const { body } = await request('POST', configMaps, aConfigMap(`probe-${round}`));
    await request('DELETE', `${configMaps}/${metaOf(body).name}`);
  }
};
