import { randomUUID } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { inVersion } from './list-objects.ts';
import { fieldsOf, listOf, metaOf, textOf } from './object-meta.ts';
import { isDryRun } from './resource-request.ts';
import type { User } from './server-state.ts';
import type { Asked } from './webhook-rules.ts';

/** Where a Service that a webhook names can be reached: there is no kube-proxy here. `host:port`. */
export type ResolveService = (service: {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}) => string | undefined;

export interface WebhookCall {
  readonly webhook: WireObject;
  readonly asked: Asked;
  /** The version that the webhook sees the objects in. */
  readonly version: string;
  readonly user: User;
  readonly resolveService: ResolveService;
}

/** What a webhook answers, checked as the server checks it. */
export interface Verdict {
  readonly allowed: boolean;
  readonly status: WireObject;
  readonly warnings: readonly string[];
  readonly patch: readonly unknown[] | undefined;
}

/** Calls a webhook and reads its answer. Throws an Error when it cannot be called or answers no AdmissionReview. */
export const callWebhook = async (call: WebhookCall): Promise<Verdict> => {
  const uid = randomUUID();
  const { webhook } = call;
  const seconds = Number(webhook.timeoutSeconds ?? 10);
  const review = {
    kind: 'AdmissionReview',
    apiVersion: 'admission.k8s.io/v1',
    request: reviewRequest(call, uid),
  };
  const { code, body } = await post(targetOf(call), JSON.stringify(review), seconds);
  if (code !== 200) throw new Error(`the server answered ${code}`);
  const answer = fieldsOf(JSON.parse(body));
  if (answer.kind !== 'AdmissionReview' || answer.apiVersion !== 'admission.k8s.io/v1')
    throw new Error(
      `expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${answer.apiVersion}, Kind=${answer.kind}`,
    );
  if (!isWireObject(answer.response)) throw new Error('webhook response was absent');
  const { response } = answer;
  if (response.uid !== uid) throw new Error(`expected response.uid="${uid}", got "${response.uid}"`);
  return {
    allowed: response.allowed === true,
    status: fieldsOf(response.status),
    warnings: listOf(response.warnings).map(textOf),
    patch: readPatch(response),
  };
};

const readPatch = ({ patch, patchType }: WireObject): readonly unknown[] | undefined => {
  if (patch === undefined || patch === null || patch === '') return undefined;
  if (patchType !== 'JSONPatch')
    throw new Error(`webhook returned response.patch but not response.patchType JSONPatch: ${patchType}`);
  const read: unknown = JSON.parse(Buffer.from(textOf(patch), 'base64').toString());
  if (!Array.isArray(read)) throw new Error('the patch is not a list of operations');
  return read;
};

const reviewRequest = ({ asked, version, user }: WebhookCall, uid: string): WireObject => {
  const { request, operation, object, old } = asked;
  const { type, subresource } = request;
  const shown = (each: WireObject | undefined): WireObject | null =>
    each === undefined ? null : inVersion(each, type, version);
  const sub = subresource === '' ? {} : { subResource: subresource };
  return {
    uid,
    kind: { group: type.group, version, kind: type.kind },
    resource: { group: type.group, version, resource: type.plural },
    ...sub,
    requestKind: { group: type.group, version: request.version, kind: type.kind },
    requestResource: { group: type.group, version: request.version, resource: type.plural },
    ...(subresource === '' ? {} : { requestSubResource: subresource }),
    ...nameOf(asked),
    ...(request.namespace === '' ? {} : { namespace: request.namespace }),
    operation,
    userInfo: user,
    object: shown(object),
    oldObject: shown(old),
    dryRun: isDryRun(request),
    options: { kind: `${optionsOf[operation]}Options`, apiVersion: 'meta.k8s.io/v1' },
  };
};

const optionsOf = { CREATE: 'Create', UPDATE: 'Update', DELETE: 'Delete' } as const;

const nameOf = ({ request, object }: Asked): { readonly name?: string } => {
  const name = request.name || metaOf(object ?? {}).name;
  return name === undefined || name === '' ? {} : { name };
};

interface Target {
  readonly url: URL;
  /** What the certificate must be for; the URL's host when left out. */
  readonly serverName?: string;
  readonly ca?: Buffer;
}

const targetOf = ({ webhook, resolveService }: WebhookCall): Target => {
  const client = fieldsOf(webhook.clientConfig);
  const ca =
    typeof client.caBundle === 'string' && client.caBundle !== ''
      ? { ca: Buffer.from(client.caBundle, 'base64') }
      : {};
  if (typeof client.url === 'string') return { url: new URL(client.url), ...ca };
  const { namespace, name, port, path } = fieldsOf(client.service);
  const service = { namespace: textOf(namespace), name: textOf(name), port: Number(port ?? 443) };
  const address = resolveService(service);
  if (address === undefined) throw new Error(`service "${service.name}" not found`);
  const serverName = `${service.name}.${service.namespace}.svc`;
  return { url: new URL(`https://${address}${textOf(path)}`), serverName, ...ca };
};

const post = async (
  { url, serverName, ca }: Target,
  body: string,
  seconds: number,
): Promise<{ readonly code: number; readonly body: string }> => {
  url.searchParams.set('timeout', `${seconds}s`);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const signal = AbortSignal.timeout(seconds * 1000);
  const options = { method: 'POST', signal, agent: false, headers: { 'content-type': 'application/json' } };
  const tls = {
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(ca === undefined ? {} : { ca }),
  };
  const request =
    url.protocol === 'https:'
      ? httpsRequest(url, { ...options, ...tls }, resolve)
      : httpRequest(url, options, resolve);
  request.once('error', reject);
  request.end(body);
  try {
    const response = await promise;
    const chunks: Uint8Array[] = [];
    for await (const chunk of response) chunks.push(chunk);
    return { code: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() };
  } catch (thrown) {
    if (signal.aborted) throw new Error('context deadline exceeded');
    throw thrown;
  }
};
