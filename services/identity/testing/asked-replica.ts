import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { request as tlsRequest } from 'node:https';
import type { TestAuthority } from '@gatehouse/dev/certificates';
import type { Certified } from '@gatehouse/platform/own-leaf/certify-client';
import type { RunningService } from '@gatehouse/platform/service/service';
import { secureContextOptions, type TlsMaterial } from '@gatehouse/platform/tls/material';
import { eventually } from '@gatehouse/testing/grpc';
import { ask } from '@gatehouse/testing/started-admin';

export const namespaces = ['blue', 'red'] as const;
export type Namespace = (typeof namespaces)[number];

export const nameOf = (namespace: Namespace): string =>
  `default.${namespace}.serviceaccount.identity.gatehouse.cluster.local`;

export interface Replica {
  readonly pod: string;
  readonly running: RunningService;
  /** Where people ask it: on loopback, in plain HTTP. */
  readonly url: string;
  /** Where the others ask it. */
  readonly admin: { readonly host: string; readonly port: number };
  /** As the proxy of the namespace's pod would. */
  certify(namespace: Namespace): Promise<Certified>;
}

/** Replicas ask each other from their first second on, two others at once. */
export const untilTheyHaveAsked = async (url: string): Promise<void> => {
  const asked = async (): Promise<number> => {
    const text = await (await fetch(`${url}/metrics`)).text();
    return Number(/^gatehouse_peer_requests_total\{[^}]*result="ok"[^}]*\} (\d+)/m.exec(text)?.[1] ?? 0);
  };
  const before = await asked();
  await eventually(async () => (await asked()) >= before + 2);
};

export interface Item {
  readonly serial: string;
  readonly replica: string;
  readonly issuedAt: string;
  readonly learnedFrom?: string;
}

interface Page {
  readonly items: readonly Item[];
  readonly continue?: string;
  readonly partial: readonly { readonly replica: string; readonly reason: string }[];
}

export const list = async ({ url }: Replica, token: string, query: string): Promise<Page> => {
  const { status, json, text } = await ask(`${url}/v1/certificates${query}`, { token });
  assert.equal(status, 200, text);
  return json;
};

export const placesOf = (items: readonly Item[]): readonly string[] =>
  items.map(({ replica, serial }) => `${replica} ${serial}`);

export const serialOf = ({ chain }: Certified): string =>
  new X509Certificate(chain[0] ?? new Uint8Array()).serialNumber.toLowerCase();

export const ready = (url: string): Promise<void> =>
  eventually(() =>
    fetch(`${url}/ready`).then(
      ({ status }) => status === 200,
      () => false,
    ),
  );

/** What a replica answers to a client that shows `material` and says `token`. */
export const askInternal = async (
  { admin, running }: Replica,
  root: TestAuthority,
  { material, token }: { readonly material?: TlsMaterial | undefined; readonly token?: string },
): Promise<{ readonly status: number; readonly detail: string }> => {
  const request = tlsRequest({
    ...secureContextOptions(root.pem, material),
    ...admin,
    path: '/internal/v1/certificates',
    servername: running.name,
    agent: false,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
  });
  request.end();
  const [response] = await once(request, 'response');
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, detail: JSON.parse(Buffer.concat(chunks).toString()).detail ?? '' };
};
