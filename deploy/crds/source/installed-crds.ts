import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import { parse } from 'yaml';
import { crdFiles } from './generate.ts';

/** An answer of the API server, its body as JSON. */
export interface Answer {
  readonly status: number;
  readonly body: {
    readonly apiVersion?: string;
    readonly kind?: string;
    readonly message?: string;
    readonly spec?: unknown;
    readonly status?: { readonly conditions?: readonly Condition[] };
  };
}

interface Condition {
  readonly type: string;
  readonly status: string;
  readonly message: string;
}

const crdPath = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

export const ask = async (
  client: KubeClient,
  { method, path, body }: { readonly method: 'GET' | 'POST'; readonly path: string; readonly body?: unknown },
): Promise<Answer> => {
  const signal = AbortSignal.timeout(60_000);
  const answer = await client.request({ method, path, signal, ...(body === undefined ? {} : { body }) });
  const json: Answer['body'] = JSON.parse(answer.body.toString());
  return { status: answer.status, body: json };
};

/** Creates every definition of deploy/crds and waits until the API server serves it; answers the final conditions. */
export const installCrds = async (
  client: KubeClient,
): Promise<ReadonlyMap<string, { readonly created: Answer; readonly conditions: readonly Condition[] }>> => {
  const installed = new Map<string, { created: Answer; conditions: readonly Condition[] }>();
  for (const [file, text] of crdFiles()) {
    const manifest = parse(text);
    const created = await ask(client, { method: 'POST', path: crdPath, body: manifest });
    const conditions = created.status === 201 ? await establish(client, manifest.metadata.name) : [];
    installed.set(file, { created, conditions });
  }
  return installed;
};

/** Established is written before the last API handler knows of it, so that a first list may still be 404. */
const establish = async (client: KubeClient, name: string): Promise<readonly Condition[]> => {
  const signal = AbortSignal.timeout(60_000);
  for (;;) {
    const { body } = await ask(client, { method: 'GET', path: `${crdPath}/${name}` });
    const conditions = body.status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === 'Established' && status === 'True')) return conditions;
    signal.throwIfAborted();
    await sleep(50);
  }
};

/** Creates an object as soon as its kind is served. */
export const create = async (client: KubeClient, path: string, body: unknown): Promise<Answer> => {
  const signal = AbortSignal.timeout(60_000);
  for (;;) {
    const answer = await client.request({ method: 'POST', path, body, signal });
    if (answer.status !== 404) return { status: answer.status, body: JSON.parse(answer.body.toString()) };
    await sleep(50, undefined, { signal });
  }
};
