import { printProblem } from '@gatehouse/core/problem';
import type { KubeClient } from '@gatehouse/platform/kube/client/client';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { NamedObject } from '@gatehouse/platform/kube/watch/named-object';
import { readJson } from '@gatehouse/platform/kube/watch/wire-answers';
import { limitedLog } from '@gatehouse/platform/log/limited-log';
import type { Log } from '@gatehouse/platform/log/log';
import { pause } from '@gatehouse/platform/process/pause';
import {
  appendCa,
  isDue,
  readWebhookTls,
  type WebhookTls,
  webhookLifetimeMs,
  webhookName,
  webhookSecret,
} from './webhook-tls.ts';

export interface WebhookKeeperOptions {
  readonly client: KubeClient;
  /** The control plane's. */
  readonly namespace: string;
  /** Whether this replica is the one that writes. */
  readonly mayWrite: () => boolean;
  /** Told of each certificate that is to be served from now on. */
  readonly onTls: (tls: WebhookTls) => void;
  readonly log: Log;
  /** Epoch milliseconds. */
  readonly now: () => number;
}

/** A configuration whose webhooks lead to us. */
interface Configuration {
  readonly resource: 'mutatingwebhookconfigurations' | 'validatingwebhookconfigurations';
  readonly name: string;
}

/** Each entry's `caBundle` is kept; a configuration that is not installed is left alone. */
const configurations: readonly Configuration[] = [
  { resource: 'mutatingwebhookconfigurations', name: 'gatehouse-injector' },
  { resource: 'validatingwebhookconfigurations', name: 'gatehouse-validator' },
];

const apiRoot = '/apis/admissionregistration.k8s.io/v1';

/** Also without a change: certificates end by time alone, and a write may have been refused. */
const lookEveryMs = 30_000;

/** A write must be over before another replica may begin one (leader-election.ts). */
const writeWithinMs = 4_000;

/**
 * Keeps the certificate of the webhook server and what API servers know of it. All replicas read the Secret; the leader makes it,
 * renews it, and adds its CA to the configurations before the certificate is served, so that no call fails in between.
 */
export class WebhookKeeper {
  readonly #options: WebhookKeeperOptions;
  readonly #complain: ReturnType<typeof limitedLog>;
  /** `unread` until it was read once. */
  #secret: WireObject | undefined | 'unread' = 'unread';
  readonly #configs = new Map<string, WireObject | undefined>();
  #wake = new AbortController();
  #served = '';

  constructor(options: WebhookKeeperOptions) {
    this.#options = options;
    this.#complain = limitedLog((fields, message) => options.log.warn(fields, message), { everyMs: 60_000 });
  }

  /** Follows and keeps until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { client, namespace, log } = this.#options;
    const secret = new NamedObject({
      client,
      path: `/api/v1/namespaces/${namespace}/secrets`,
      name: webhookSecret,
      log,
      onState: (object) => this.#took(object),
    });
    const followed = configurations.map(
      ({ resource, name }) =>
        new NamedObject({
          client,
          path: `${apiRoot}/${resource}`,
          name,
          log,
          onState: (object) => {
            this.#configs.set(name, object);
            this.look();
          },
        }),
    );
    await Promise.all([secret.run(signal), ...followed.map((one) => one.run(signal)), this.#keep(signal)]);
  }

  /** Has the leader look at once: a term began, a clock was set. */
  look(): void {
    this.#wake.abort();
  }

  /** Why API servers cannot call, each a sentence; empty when they can. */
  warnings(): readonly string[] {
    if (this.#served !== '') return [];
    const { namespace } = this.#options;
    return [
      `the webhook server has no certificate: the Secret ${namespace}/${webhookSecret} has not been read, or holds none that can be served`,
    ];
  }

  #read(secret: WireObject | undefined) {
    const { namespace, now } = this.#options;
    return readWebhookTls(secret, { name: webhookName(namespace), nowMs: now() });
  }

  #took(secret: WireObject | undefined): void {
    this.#secret = secret;
    const tls = this.#read(secret);
    if (tls.ok && tls.value.certificate !== this.#served) {
      this.#served = tls.value.certificate;
      this.#options.onTls(tls.value);
    }
    this.look();
  }

  async #keep(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#wake = new AbortController();
      if (this.#options.mayWrite() && this.#secret !== 'unread') {
        try {
          await this.#write(this.#secret, AbortSignal.any([signal, AbortSignal.timeout(writeWithinMs)]));
        } catch (error) {
          if (signal.aborted) return;
          this.#complain(
            {},
            `the webhook's certificate cannot be kept: ${error instanceof Error ? error.message : error}`,
          );
        }
      }
      await pause(lookEveryMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  async #write(secret: WireObject | undefined, signal: AbortSignal): Promise<void> {
    const { now, namespace, log } = this.#options;
    const present = this.#read(secret);
    if (present.ok && !isDue(present.value, now())) return this.#trust(present.value.ca, signal);
    const { makeWebhookTls } = await import('./make-certificate.ts');
    const made = await makeWebhookTls(webhookName(namespace), {
      nowMs: now(),
      lifetimeMs: webhookLifetimeMs,
    });
    await this.#trust(made.ca, signal);
    const why = present.ok ? 'it is to be renewed' : present.problems.map(printProblem).join('; ');
    log.debug({ why }, 'the webhook server needs a certificate');
    await this.#store(made, secret, signal);
  }

  /** Adds a CA to every entry of every configuration that does not have it. */
  async #trust(ca: string, signal: AbortSignal): Promise<void> {
    for (const { resource, name } of configurations) {
      const config = this.#configs.get(name);
      if (config === undefined) continue;
      const webhooks = Array.isArray(config.webhooks) ? (config.webhooks as readonly WireObject[]) : [];
      const additions = webhooks.flatMap((webhook, at) => {
        const { caBundle } = (webhook.clientConfig ?? {}) as WireObject;
        const bundle = typeof caBundle === 'string' ? Buffer.from(caBundle, 'base64').toString('utf8') : '';
        const longer = appendCa(bundle, ca, this.#options.now());
        const value = longer === undefined ? '' : Buffer.from(longer).toString('base64');
        return longer === undefined
          ? []
          : [{ op: 'add', path: `/webhooks/${at}/clientConfig/caBundle`, value }];
      });
      if (additions.length === 0) continue;
      const { resourceVersion } = config.metadata as { readonly resourceVersion: string };
      // What is patched is what was read: an entry may have moved meanwhile.
      const body = [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }, ...additions];
      const patched = await this.#ask('PATCH', `${apiRoot}/${resource}/${name}`, {
        body,
        contentType: 'application/json-patch+json',
        signal,
      });
      if (patched !== undefined) this.#configs.set(name, patched);
    }
  }

  async #store(tls: WebhookTls, secret: WireObject | undefined, signal: AbortSignal): Promise<void> {
    const { namespace } = this.#options;
    const path = `/api/v1/namespaces/${namespace}/secrets`;
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const data = { 'tls.crt': base64(tls.certificate), 'tls.key': base64(tls.key), 'ca.crt': base64(tls.ca) };
    if (secret === undefined) {
      const metadata = {
        name: webhookSecret,
        namespace,
        labels: { 'app.kubernetes.io/name': 'gatehouse-policy', 'app.kubernetes.io/part-of': 'gatehouse' },
      };
      const body = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, data };
      return this.#stored(await this.#ask('POST', path, { body, signal }));
    }
    // With its resourceVersion: of two leaders who both believe that they are one, one is refused.
    const body = {
      ...secret,
      apiVersion: 'v1',
      kind: 'Secret',
      data: { ...(secret.data as object | undefined), ...data },
    };
    return this.#stored(await this.#ask('PUT', `${path}/${webhookSecret}`, { body, signal }));
  }

  /** At once: until the watch tells, it would be made a second time. */
  #stored(secret: WireObject | undefined): void {
    if (secret === undefined) return;
    this.#options.log.info('made a certificate for the webhook server');
    this.#took(secret);
  }

  async #ask(
    method: 'POST' | 'PUT' | 'PATCH',
    path: string,
    {
      body,
      contentType,
      signal,
    }: { readonly body: unknown; readonly contentType?: string; readonly signal: AbortSignal },
  ): Promise<WireObject | undefined> {
    if (!this.#options.mayWrite()) return undefined;
    const { client } = this.#options;
    const answer = await client.request({
      method,
      path,
      body,
      signal,
      ...(contentType === undefined ? {} : { contentType }),
    });
    if (answer.status === 200 || answer.status === 201) return readJson(answer.body);
    // Another replica was faster: the watch tells what is there now.
    if (answer.status === 409) return undefined;
    throw new Error(
      `${method} ${path} was answered ${answer.status}: ${answer.body.toString().slice(0, 300)}`,
    );
  }
}
