import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { fieldsOf } from '@gatehouse/dev/api-server/object-meta';
import { anAuthority, aTlsMaterial } from '@gatehouse/dev/certificates';
import { isWireObject, type WireObject } from '@gatehouse/platform/kube/parse/fields';
import { pemOf } from '@gatehouse/platform/tls/material';

/** What a webhook says to a request; undefined never answers. */
export type WebhookVerdict = WireObject | undefined;

export interface AWebhook {
  /** The clientConfig that leads to it. */
  readonly clientConfig: WireObject;
  /** `host:port`, for who resolves Services. */
  readonly address: string;
  /** The requests of the AdmissionReviews it was asked, oldest first. */
  readonly asked: readonly WireObject[];
  stop(): Promise<void>;
}

/** Starts a webhook on loopback, with TLS for `name`, that answers by `decide`. */
export const startWebhook = async (
  decide: (request: WireObject) => WebhookVerdict,
  name = 'localhost',
): Promise<AWebhook> => {
  const authority = anAuthority({ name: 'webhook' });
  const { key, chain } = aTlsMaterial(authority, { name });
  const asked: WireObject[] = [];
  const tls = { key: key.export({ type: 'pkcs8', format: 'pem' }), cert: chain.map(pemOf).join('') };
  const server = createServer(tls, async (incoming, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { request } = fieldsOf(JSON.parse(Buffer.concat(chunks).toString()));
    if (!isWireObject(request)) return response.writeHead(400).end();
    asked.push(request);
    const verdict = decide(request);
    if (verdict === undefined) return;
    const review = {
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: { uid: request.uid, ...verdict },
    };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', listening.resolve);
  await listening.promise;
  const { port } = server.address() as AddressInfo;
  return {
    clientConfig: {
      url: `https://localhost:${port}/admit`,
      caBundle: Buffer.from(authority.pem).toString('base64'),
    },
    address: `127.0.0.1:${port}`,
    asked,
    stop: () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      return promise;
    },
  };
};
