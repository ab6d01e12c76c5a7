import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { ApiStatus, invalid } from './api-status.ts';
import { callWebhook, type ResolveService, type Verdict } from './call-webhook.ts';
import { brokenRules } from './cel-rules.ts';
import { schemaOfCrd } from './custom-types.ts';
import type { Schema } from './field-paths.ts';
import { jsonPatch } from './json-patch.ts';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import { pruneObject } from './prune-object.ts';
import { isDryRun, type ResourceRequest } from './resource-request.ts';
import {
  crdType,
  mutatingWebhookType,
  type ResourceType,
  resourceKey,
  validatingWebhookType,
} from './resource-types.ts';
import type { User } from './server-state.ts';
import type { Store } from './store.ts';
import { validateSchema } from './validate-schema.ts';
import { type Asked, versionFor } from './webhook-rules.ts';
import type { Admit } from './write-objects.ts';

export interface Admission {
  readonly store: Store;
  readonly request: ResourceRequest;
  readonly user: User;
  readonly resolveService: ResolveService;
  /** Takes what webhooks say to the client, who gets it as Warning headers. */
  readonly warn: (text: string) => void;
}

/**
 * What a write goes through, in the order of the real server: unknown fields are pruned and defaults filled in, mutating
 * webhooks change the object one after the other, its schema is enforced, and validating webhooks say yes or no.
 */
export const admission =
  (admission: Admission): Admit =>
  async (operation, object, old) => {
    const { store, request } = admission;
    const schema = schemaFor(store, request.type);
    const shaped = (each: WireObject): WireObject =>
      request.type.origin === 'custom' ? pruneObject(each, schema) : each;
    let admitted = object === undefined ? undefined : shaped(object);
    for (const webhook of webhooks(store, mutatingWebhookType)) {
      const asked = { request, operation, object: admitted, old };
      const verdict = await ask(admission, webhook, asked);
      if (verdict?.patch !== undefined && admitted !== undefined)
        admitted = shaped(patchBy(webhook, admitted, verdict.patch));
    }
    if (admitted !== undefined && request.type.origin === 'custom')
      checkSchema(request, { object: admitted, old, schema });
    const asked = { request, operation, object: admitted, old };
    const verdicts = await Promise.allSettled(
      webhooks(store, validatingWebhookType).map((webhook) => ask(admission, webhook, asked)),
    );
    for (const verdict of verdicts) if (verdict.status === 'rejected') throw verdict.reason;
    return admitted;
  };

/** The schema that a custom object is held to: that of the version it is kept in. {} for built-in kinds. */
export const schemaFor = (store: Store, type: ResourceType): Schema => {
  if (type.origin === 'built-in') return {};
  const crd = store.get(resourceKey(crdType), `${type.plural}.${type.group}`);
  return crd === undefined ? {} : schemaOfCrd(crd, type.storageVersion);
};

const checkSchema = (
  { type, subresource }: ResourceRequest,
  { object, old, schema }: { object: WireObject; old: WireObject | undefined; schema: Schema },
): void => {
  const broken = validateSchema(object, schema);
  const all = broken.length > 0 ? broken : [...brokenRules({ value: object, old, schema, field: '' })];
  const causes = all.filter(
    // A write of status does not answer for a spec that was there before it.
    ({ field = '' }) => subresource !== 'status' || !field.startsWith('spec'),
  );
  if (causes.length > 0) throw invalid(type, metaOf(object).name ?? '', causes);
};

/** All webhooks of a type, in the order of their configurations' names. */
const webhooks = (store: Store, type: ResourceType): readonly WireObject[] =>
  [...store.list(resourceKey(type))].flatMap(([, configuration]) =>
    listOf(configuration.webhooks).map(fieldsOf),
  );

/** Undefined when the webhook does not look at such objects, or could not be asked and may be ignored. */
const ask = async (
  { store, request, user, resolveService, warn }: Admission,
  webhook: WireObject,
  asked: Asked,
): Promise<Verdict | undefined> => {
  // Nobody may lock themselves out of the webhooks' own configurations.
  if (request.type === validatingWebhookType || request.type === mutatingWebhookType) return undefined;
  const version = versionFor(store, webhook, asked);
  if (version === undefined) return undefined;
  const name = textOf(webhook.name);
  if (isDryRun(request) && !['None', 'NoneOnDryRun'].includes(textOf(webhook.sideEffects)))
    throw new ApiStatus({
      code: 400,
      reason: 'BadRequest',
      message: `admission webhook "${name}" does not support dry run`,
    });
  let verdict: Verdict;
  try {
    verdict = await callWebhook({ webhook, asked, version, user, resolveService });
  } catch (thrown) {
    if (webhook.failurePolicy === 'Ignore') return undefined;
    throw failedCalling(name, thrown);
  }
  for (const warning of verdict.warnings) warn(warning);
  if (!verdict.allowed) throw denied(name, verdict.status);
  return verdict;
};

const patchBy = (webhook: WireObject, object: WireObject, patch: readonly unknown[]): WireObject => {
  try {
    return jsonPatch(object, patch);
  } catch (thrown) {
    throw failedCalling(textOf(webhook.name), thrown);
  }
};

const failedCalling = (name: string, thrown: unknown): ApiStatus => {
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  const message = `failed calling webhook "${name}": failed to call webhook: ${why}`;
  return new ApiStatus({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
  });
};

const denied = (name: string, status: WireObject): ApiStatus => {
  const code = Number(status.code ?? 0);
  const why = textOf(status.message) || textOf(status.reason);
  const by = `admission webhook "${name}" denied the request`;
  return new ApiStatus({
    code: Math.max(400, code),
    reason: textOf(status.reason),
    message: why === '' ? `${by} without explanation` : `${by}: ${why}`,
  });
};
