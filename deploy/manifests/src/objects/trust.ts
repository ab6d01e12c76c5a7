import type { Values } from '../values/value-fields.ts';
import { type KubeObject, partOf } from './kube-object.ts';

/** Where trust anchors and the issuer come from, as far as the manifest has to say it. */
export interface Trust {
  /** PEM; undefined where something else makes the ConfigMap. */
  readonly anchors: string | undefined;
  /** PEM; undefined where the Secret is there already, or something else makes it. */
  readonly issuer: { readonly certificate: string; readonly key: string } | undefined;
}

export const trustRootsName = 'gatehouse-trust-roots';
export const issuerName = 'gatehouse-issuer';

export const trustObjects = ({ anchors, issuer }: Trust, { namespace }: Values): readonly KubeObject[] => [
  ...(anchors === undefined
    ? []
    : [
        {
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: trustRootsName, namespace, labels: partOf },
          data: { 'ca-bundle.crt': anchors },
        },
      ]),
  ...(issuer === undefined
    ? []
    : [
        {
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: issuerName, namespace, labels: partOf },
          type: 'kubernetes.io/tls',
          data: { 'tls.crt': base64(issuer.certificate), 'tls.key': base64(issuer.key) },
        },
      ]),
];

/** What no manifest need hold though it belongs to the installation: trust is kept as it is, and policy makes the webhook's certificate. */
export const keptObjects = ({ namespace }: Values): readonly KubeObject[] =>
  [
    ['ConfigMap', trustRootsName],
    ['Secret', issuerName],
    ['Secret', 'gatehouse-webhook-tls'],
  ].map(([kind = '', name = '']) => ({ apiVersion: 'v1', kind, metadata: { name, namespace } }));

/** As the API server has it, so that `kubectl diff` compares like with like. */
const base64 = (text: string): string => Buffer.from(text).toString('base64');
