import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type Parsed, parsed, problem } from '@gatehouse/core/problem';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { certificatesInPem, pemOf } from '@gatehouse/platform/tls/material';

/** What the webhook server shows, and by what API servers know it; PEM. */
export interface WebhookTls {
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

/** The Secret that holds it; of the type kubernetes.io/tls, whose keys these are. */
export const webhookSecret = 'gatehouse-webhook-tls';

/** The name by which API servers call the webhook's Service. */
export const webhookName = (namespace: string): string => `gatehouse-webhook.${namespace}.svc`;

const lifetimeMs = 365 * 86_400_000;
export const webhookLifetimeMs = lifetimeMs;
/** Renewed with a third of its life left: four months for an operator to act. */
const renewedBeforeEndMs = lifetimeMs / 3;

/** Reads the Secret. What cannot be served, or no longer for long, is a problem that the leader solves by making another. */
export const readWebhookTls = (
  secret: WireObject | undefined,
  { name, nowMs }: { readonly name: string; readonly nowMs: number },
): Parsed<WebhookTls> => {
  const fix = 'the leader makes another';
  if (secret === undefined) return problem('', `there is no Secret ${webhookSecret}`, fix);
  const data = (secret.data ?? {}) as WireObject;
  const text = (key: string): string =>
    typeof data[key] === 'string' ? Buffer.from(data[key], 'base64').toString('utf8') : '';
  const tls = { ca: text('ca.crt'), certificate: text('tls.crt'), key: text('tls.key') };
  try {
    const [leaf, ca] = [new X509Certificate(tls.certificate), new X509Certificate(tls.ca)];
    if (!leaf.checkPrivateKey(createPrivateKey(tls.key)))
      return problem('data[tls.key]', 'is not the key of tls.crt', fix);
    if (!leaf.verify(ca.publicKey)) return problem('data[ca.crt]', 'did not sign tls.crt', fix);
    if (leaf.checkHost(name) === undefined) return problem('data[tls.crt]', `is not for ${name}`, fix);
    if (Date.parse(leaf.validTo) <= nowMs) return problem('data[tls.crt]', `ended at ${leaf.validTo}`, fix);
    return parsed(tls);
  } catch (error) {
    return problem('data', `cannot be read: ${error instanceof Error ? error.message : error}`, fix);
  }
};

/** Whether it is time for another; it serves until then. */
export const isDue = ({ certificate }: WebhookTls, nowMs: number): boolean =>
  Date.parse(new X509Certificate(certificate).validTo) - nowMs < renewedBeforeEndMs;

/**
 * A bundle with one more CA; undefined when it has it already. Others stay, since replicas may show certificates of theirs for a
 * while, and since others may have written them; only what has ended goes.
 */
export const appendCa = (bundle: string, ca: string, nowMs: number): string | undefined => {
  const ours = certificatesInPem(ca).map(pemOf);
  const there = certificatesInPem(bundle).map(pemOf);
  if (ours.every((one) => there.includes(one))) return undefined;
  return [...there.filter((one) => !hasEnded(one, nowMs)), ...ours].join('');
};

const hasEnded = (certificate: string, nowMs: number): boolean => {
  try {
    return Date.parse(new X509Certificate(certificate).validTo) <= nowMs;
  } catch {
    // Nobody can use it, and it is not ours to throw away.
    return false;
  }
};
