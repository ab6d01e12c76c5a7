import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, suite, test } from 'node:test';
import { anAuthority } from '@gatehouse/dev/certificates';
import { validator, validatorName } from '@gatehouse/manifests/objects/validator';
import { readValues } from '@gatehouse/manifests/values/read-values';
import { eventually } from '@gatehouse/testing/grpc';
import type { WireObject } from '@gatehouse/testing/real-cluster';
import type { ClusterWithWebhooks } from './open-webhook-cluster.ts';
import { controlPlane, postTo, WebhookService } from './webhook-service.ts';

const policyWith = (spec: WireObject): WireObject => ({
  apiVersion: 'policy.linkerd.io/v1alpha1',
  kind: 'NetworkAuthenticationPolicy',
  metadata: { namespace: 'demo', name: 'frontend-can-talk-to-backend' },
  spec: {
    target: { selector: { matchLabels: { app: 'backend' } } },
    sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
    ...spec,
  },
});

/** What an API server would send for the object. */
const reviewOf = (object: WireObject, more: WireObject = {}): string => {
  const { apiVersion = '', kind } = object;
  const [group = '', version] = `${apiVersion}`.split('/');
  const { namespace, name } = object.metadata as { readonly namespace: string; readonly name: string };
  const request = { uid: 'u', kind: { group, version, kind }, operation: 'CREATE', namespace, name, object };
  return JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { ...request, ...more },
  });
};

/** Policy objects as they come to a cluster that asks the webhook of policy about them. */
export const validationContract = (
  what: string,
  {
    open,
    skip = false,
  }: { readonly open: () => Promise<ClusterWithWebhooks>; readonly skip?: string | false },
): void => {
  suite(`validation by ${what}`, { skip, timeout: 300_000 }, () => {
    let policy: WebhookService;

    const create = async (object: WireObject, query: Readonly<Record<string, string>> = {}) => {
      const { status, body } = await policy.cluster.client.request({
        method: 'POST',
        path: '/apis/policy.linkerd.io/v1alpha1/namespaces/demo/networkauthenticationpolicies',
        query,
        body: object,
        signal: AbortSignal.timeout(20_000),
      });
      return { status, message: String(JSON.parse(body.toString()).message ?? '') };
    };

    const post = (body: string) => postTo(`${policy.running[0]?.webhook}/validate`, body);
    const verdictOn = async (object: WireObject, more: WireObject = {}) =>
      JSON.parse((await post(reviewOf(object, more))).text).response as {
        readonly allowed: boolean;
        readonly warnings?: readonly string[];
        readonly status?: { readonly message: string };
      };

    before(async () => {
      const namespaces = [controlPlane, 'demo'].map(
        (name): WireObject => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } }),
      );
      const account: WireObject = {
        apiVersion: 'v1',
        kind: 'ServiceAccount',
        metadata: { namespace: 'demo', name: 'default' },
      };
      policy = await WebhookService.on(await open(), {
        objects: [...namespaces, account],
        root: anAuthority({ name: 'root of the mesh' }).pem,
      });
      const port = await policy.startCalled();
      // As it is installed, but for the port.
      const installed = validator(readValues([{}]).values) as unknown as WireObject;
      const text = JSON.stringify(installed).replace('"port":443', `"port":${port}`);
      assert.match(text, new RegExp(`"port":${port}`));
      await policy.cluster.apply(JSON.parse(text));
      // The API server takes the CA a moment later; until then the failure policy stores everything.
      await eventually(
        async () => (await create(policyWith({ rule: [] }), { dryRun: 'All' })).status === 403,
      );
    });

    after(() => policy?.[Symbol.asyncDispose]());

    test('what could not be read is refused, with field, value and fix', async () => {
      const cases: readonly (readonly [WireObject, RegExp])[] = [
        [{ rule: [] }, /spec\.rule: unknown field: did you mean `rules`\?/],
        [{ sources: [{ podselector: {} }] }, /spec\.sources\[0\]\.podselector: unknown field/],
        [
          { rules: [{ paths: [{ type: 'Exact', value: '/a/../b' }] }] },
          /spec\.rules\[0\]\.paths\[0\]\.value/,
        ],
      ];
      assert.equal(cases.length, 3);
      for (const [spec, message] of cases) {
        const refused = await create(policyWith(spec));
        assert.equal(refused.status, 403, refused.message);
        assert.match(refused.message, message);
        assert.match(refused.message, /^admission webhook "policies\.validator\.gatehouse\.dev"/);
      }
    });

    test('what is legal is stored, and what is surely wrong with it is a warning', async () => {
      assert.equal((await create(policyWith({}))).status, 201);
      const wrong = policyWith({ rules: [{ headers: [{ name: 'x-user', value: 'admin' }] }] });
      await eventually(async () => (await verdictOn(wrong)).warnings !== undefined);
      const { allowed, warnings = [] } = await verdictOn(wrong);
      assert.equal(allowed, true);
      assert.deepEqual(
        warnings.map((warning) => /^(?:spec\.[\w.[\]]+)/.exec(warning)?.[0]),
        ['spec.target.selector', 'spec.sources[0].podSelector', 'spec.rules[0].headers'],
      );
      for (const warning of warnings) assert(warning.length <= 256, warning);
    });

    test('docs/policy.md shows what is refused, and what is warned about', async () => {
      const page = await readFile(new URL('../../docs/policy.md', import.meta.url), 'utf8');
      const shown = (text: string) => assert.ok(page.includes(text), `docs/policy.md lacks:\n${text}`);
      shown((await create(policyWith({ port: [{ port: 8080 }] }))).message);
      const misspelt = policyWith({ target: { selector: { matchLabels: { app: 'backnd' } } } });
      await eventually(async () => (await verdictOn(misspelt)).warnings !== undefined);
      const [warning = ''] = (await verdictOn(misspelt)).warnings ?? [];
      shown(`Warning: ${warning}`);
    });

    test('a Server that would overlap an older one is warned about, and nothing of a review is remembered', async () => {
      const { cluster } = policy;
      const { apiVersion, kind, metadata } = await cluster.apply({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: {
          namespace: 'demo',
          name: 'backend-0',
          labels: { app: 'backend', 'linkerd.io/control-plane-ns': controlPlane },
        },
        spec: { serviceAccountName: 'default', containers: [{ name: 'app', image: 'i' }] },
      });
      const { namespace, name } = metadata as { namespace: string; name: string };
      await cluster.setStatus({
        apiVersion,
        kind,
        metadata: { namespace, name },
        status: { phase: 'Running', podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] },
      });
      const server = (serverName: string): WireObject => ({
        apiVersion: 'policy.linkerd.io/v1beta3',
        kind: 'Server',
        metadata: { namespace: 'demo', name: serverName },
        spec: { podSelector: { matchLabels: { app: 'backend' } }, port: 8080 },
      });
      await cluster.apply(server('first'));
      const overlaps = async () =>
        ((await verdictOn(server('second'))).warnings ?? []).some((warning) => warning.includes('first'));
      await eventually(overlaps);
      assert.equal(await overlaps(), true);
      assert.equal((await verdictOn(server('first'))).warnings, undefined);
      // `kubectl apply` writes it before what refers to it, or after.
      const authentication: WireObject = {
        apiVersion: 'policy.linkerd.io/v1alpha1',
        kind: 'MeshTLSAuthentication',
        metadata: { namespace: 'demo', name: 'anyone' },
        spec: { identities: ['*'] },
      };
      assert.equal((await verdictOn(authentication)).warnings, undefined);
    });

    test('reviews of anything else change nothing, and malformed ones are answered as such', async () => {
      const broken = policyWith({ rule: [] });
      assert.equal((await verdictOn(broken, { operation: 'DELETE', object: null })).allowed, true);
      assert.equal((await verdictOn(broken, { dryRun: true })).allowed, false);
      const deleted = {
        ...broken,
        metadata: { ...(broken.metadata as object), deletionTimestamp: '2026-01-01T00:00:00Z' },
      };
      assert.equal((await verdictOn(deleted, { operation: 'UPDATE' })).allowed, true);
      const unknown = await verdictOn({ ...broken, kind: 'Gadget' });
      assert.deepEqual([unknown.allowed, unknown.warnings?.length], [true, 1]);
      const old = await verdictOn({ ...broken, apiVersion: 'policy.linkerd.io/v9' });
      assert.match(old.status?.message ?? '', /apiVersion: `v9` is not known/);
      const bodies: readonly (readonly [string, number])[] = [
        ['{', 400],
        ['{}', 400],
        [JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' }), 400],
        [`"${'x'.repeat(9 * 1024 * 1024)}"`, 413],
      ];
      for (const [body, status] of bodies)
        assert.equal((await post(body).catch(() => ({ code: 413 }))).code, status, body.slice(0, 40));
    });

    test('its configuration gets the CA beside that of the injector', async () => {
      const path = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${validatorName}`;
      const { webhooks } = (await policy.cluster.ask({ path })) as unknown as {
        readonly webhooks: readonly { readonly clientConfig: { readonly caBundle?: string } }[];
      };
      assert.match(
        Buffer.from(webhooks[0]?.clientConfig.caBundle ?? '', 'base64').toString(),
        /BEGIN CERTIFICATE/,
      );
    });
  });
};
